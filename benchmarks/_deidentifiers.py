"""Other programs that de-identify, in an environment of their own: fetched on demand, never shipped. Run by that
environment's Python with the name of one and a folder, it prints milliseconds of processor time for each slice."""

import importlib
import json
import os
import subprocess
import sys
import time
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import dcmread  # of the environment that runs this

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voxloop-bench"
PEERS = {"dicognito": "0.19.0", "dicom-anonymizer": "2.1.0"}


def interpreter() -> Path | None:
    """The Python of the environment; None where it cannot be made."""
    folder = CACHE / ("deidentifiers-" + "-".join(PEERS.values()))
    python = folder / "bin" / "python"
    if not python.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}=={version}" for name, version in PEERS.items()]
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], capture_output=True)
        if (
            made.returncode
            or subprocess.run([python, "-m", "pip", "install", "-q", *wanted], capture_output=True).returncode
        ):
            python.unlink(missing_ok=True)
            return None
    return python


def measure(python: Path, name: str, folder: Path) -> float:
    """Milliseconds of processor time of a peer for each slice of a folder, from bytes to bytes."""
    done = subprocess.run([python, __file__, name, folder], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["ms"])


def _run(name: str, folder: str) -> float:
    clean = _anonymizer(name)
    files = [path.read_bytes() for path in sorted(Path(folder).rglob("*.dcm"))]
    start = 0.0
    for number, data in enumerate([files[0], *files]):  # the first warms up
        if number == 1:
            start = time.process_time()
        dataset = dcmread(BytesIO(data))
        clean(dataset)
        dataset.save_as(BytesIO())
    return 1000 * (time.process_time() - start) / len(files)


def _anonymizer(name: str) -> Any:
    if name == "dicognito":
        return importlib.import_module("dicognito.anonymizer").Anonymizer(seed="bench").anonymize
    return importlib.import_module("dicomanonymizer").anonymize_dataset


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps({"ms": _run(*sys.argv[1:])}))
