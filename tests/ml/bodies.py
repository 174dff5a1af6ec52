"""Tiny synthetic chests for the tests of `mlservice`: two ellipsoid lungs with opacities, a few milliseconds each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy import ndimage

from mlservice.contract import ScanRef, Segment, TrainingConfig, profile
from voxloop.child import to_json

OPACITY = Segment(1, "infectious_opacity")
NODULE = Segment(4, "non_infectious_nodule")
SPACING = (4.0, 1.8, 1.8)
SHAPE = (16, 96, 96)
ROOT = Path(__file__).parents[2]


def make_scan(folder: Path, name: str, seed: int, *, site: str = "A", lesions: int = 3, lungs: bool = True) -> ScanRef:
    """Write a scan's folder below `folder/scans`; returns its reference for requests."""
    random = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    body = (x / 0.95) ** 2 + (y / 0.8) ** 2 < 1
    lung = ((np.abs(x) - 0.45) / 0.34) ** 2 + (y / 0.55) ** 2 + (z / 1.1) ** 2 < 1
    hu = np.where(body, 40.0, -1000.0)
    hu[lung] = -850
    vessels = ndimage.gaussian_filter(random.standard_normal(SHAPE), (0.5, 1.2, 1.2))
    hu[lung & (vessels > 2.6 * vessels.std())] = 20
    labels = np.zeros(SHAPE, np.uint8)
    spots = np.argwhere(lung)
    for number in range(lesions):
        cz, cy, cx = spots[random.integers(len(spots))]
        radius = random.uniform(9, 16)
        grid = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
        distance = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, (cz, cy, cx), SPACING, strict=True))
        here = lung & (distance < radius**2)
        hu[here] = -520 if number % 2 == 0 else -100
        labels[here] = OPACITY.id
    hu += ndimage.gaussian_filter(random.standard_normal(SHAPE), (0, 0.7, 0.7)) * 60
    scan_folder = folder / "scans" / name
    scan_folder.mkdir(parents=True)
    np.save(scan_folder / "volume.npy", np.clip(hu, -1024, 3000).astype(np.int16))
    np.save(scan_folder / "labels.npy", labels)
    if lungs:
        np.save(scan_folder / "lungs.npy", lung.astype(np.uint8))
    return ScanRef(name, site, str(scan_folder), SPACING)


def tiny(name: str, **changes: Any) -> TrainingConfig:
    """A profile shrunk until a step takes milliseconds, with one class."""
    small: dict[str, dict[str, Any]] = {
        "demo": {"steps": 2, "batch": 2, "patch_zyx": (1, 64, 64), "spacing_mm_zyx": (0.0, *SPACING[1:])},
        "lesion-2d": {"steps": 2, "batch": 2, "patch_zyx": (1, 64, 64), "grid_px": 64, "features": (16, 8, 8, 4, 4)},
        "lesion-3d": {"steps": 2, "batch": 1, "patch_zyx": (8, 32, 32), "features": (4, 8, 8, 8)},
    }
    common: dict[str, Any] = {"classes": (OPACITY,), "cpu_threads": 1}
    return msgspec.structs.replace(profile(name), **(common | small[name] | changes))


def plain(name: str, **changes: Any) -> TrainingConfig:
    """`tiny` from labels and images alone: every class on its own, no lung limit, no made lesions."""
    alone = {"lung_channel": False, "paste_share": 0.0, "haze_share": 0.0, "consolidation_share": 0.0}
    return tiny(name, **(alone | ({"loss": "dice_ce"} if name == "demo" else {}) | changes))


def ask(folder: Path, request: Any) -> Path:
    """Make a job folder with that request."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.json").write_text(json.dumps(to_json(request)), "utf-8")
    return folder


def run(stage: str, folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a stage as its caller does: a child process with an almost empty environment."""
    return subprocess.run(
        [sys.executable, "-m", f"mlservice.{stage}", str(folder)],
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )


def bare_environment() -> dict[str, str]:
    """No credentials, no settings: only paths of Python and packages."""
    path = f"{ROOT}:{ROOT / 'platform'}"
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": os.environ.get("HOME", "/")}


def lines(folder: Path) -> list[dict[str, Any]]:
    """The progress so far."""
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text("utf-8").splitlines()]
