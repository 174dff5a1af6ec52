"""A small release, written once, and a copy of it for each test."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.datasets.release_case import small_release


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("made")
    small_release(folder)
    return folder


@pytest.fixture
def release(made: Path, tmp_path: Path) -> Any:
    return shutil.copytree(made, tmp_path / "release")
