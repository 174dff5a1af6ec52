"""Folders that a server running as another user can reach (pytest's own temporary folders are closed)."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder directly under the system's temporary one, open to pass through."""
    folder = Path(tempfile.mkdtemp(prefix="voxloop-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
