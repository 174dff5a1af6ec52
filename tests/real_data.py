"""Real scans for tests: read in place, never copied; tests are skipped where they are missing."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("VOXLOOP_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def real_data(path: str) -> Path:
    """A file or folder of the real scans; skips the test where they are not present."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"the real scan {path} is not here: set VOXLOOP_DATA to the folder of the development scans")
    return found
