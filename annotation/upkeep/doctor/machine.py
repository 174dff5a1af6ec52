"""The machine: memory, GPU, built front end."""

import json
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from annotation.upkeep.doctor.result import CheckResult, fails, ok, warns

MB = 1_000_000
LITTLE_BYTES, TOO_LITTLE_BYTES = 1500 * MB, 400 * MB
ASKS_TORCH = "import torch; print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else '')"


def check_memory(facts: Path = Path("/proc/meminfo")) -> CheckResult:
    """Free memory."""
    rows = dict(line.split(":", 1) for line in facts.read_text().splitlines())
    free = int(rows["MemAvailable"].split()[0]) * 1024
    sentence = f"{free / 1e9:.1f} GB of memory are free."
    todo = "Stop other programs, or start fewer workers; an import takes up to 2 GB, a training more."
    if free < TOO_LITTLE_BYTES:
        return fails("memory", sentence, todo)
    return warns("memory", sentence, todo) if free < LITTLE_BYTES else ok("memory", sentence)


def check_gpu(device: Path = Path("/dev/nvidia0")) -> CheckResult:
    """An existing GPU is usable by trainings."""
    if not device.exists():
        return ok("gpu", "There is no NVIDIA GPU; trainings use the CPU.")
    # In a child process: this process must not load torch.
    try:
        question = [sys.executable, "-c", ASKS_TORCH]
        asked = subprocess.run(question, capture_output=True, text=True, timeout=120)  # noqa: S603
        name = asked.stdout.strip()
    except subprocess.TimeoutExpired:
        name = ""
    if name:
        return ok("gpu", f"Trainings use {name}.")
    return warns(
        "gpu",
        "There is an NVIDIA GPU, but PyTorch cannot use it; trainings use the CPU.",
        "Install the CUDA build of PyTorch and a matching driver.",
    )


def check_front_end() -> CheckResult:
    """Scripts and styles were built and are complete."""
    todo = "Build it: python3 manage.py demo does, or npm run build in frontend/."
    manifest = Path(settings.VITE_DIST) / "manifest.json"
    if not manifest.exists():
        return fails("front end", "The front end was not built: pages have no scripts.", todo)
    built = [entry["file"] for entry in json.loads(manifest.read_text()).values()]
    missing = [file for file in built if not (Path(settings.VITE_DIST) / file).exists()]
    if missing:
        return fails("front end", f"{len(missing)} built files are missing, the first is {missing[0]}.", todo)
    return ok("front end", f"{len(built)} built files are there.")
