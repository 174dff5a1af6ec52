"""The folder `platform/` must never shadow Python's `platform` module, whatever entry point is used."""

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = Path(sysconfig.get_path("stdlib")) / "platform.py"
PRINT = "import platform; print(platform.__file__)"
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"}


def test_platform_is_a_source_root_with_one_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert {path.name for path in (ROOT / "platform").iterdir()} - {"__pycache__"} == {"voxloop"}


def test_pytest_sees_pythons_own_module() -> None:
    assert Path(platform.__file__) == OWN


@pytest.mark.parametrize(
    "command",
    [
        ["-c", PRINT],
        ["-c", f"import voxloop.project; {PRINT}"],
        ["manage.py", "shell", "--no-imports", "-c", PRINT],
    ],
    ids=["from the root folder", "with the celery application", "by manage.py"],
)
def test_programs_started_in_the_root_see_pythons_own_module(command: list[str]) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == OWN


@pytest.mark.parametrize(
    "command",
    [["-m", "pytest", "--version"], ["-m", "celery", "-A", "voxloop.project", "report"]],
    ids=["pytest", "celery"],
)
def test_programs_that_ask_for_the_platform_start_in_the_root(command: list[str]) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_manage_works_from_another_folder(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", "import sys; print(*sys.path)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = done.stdout.split()
    assert path[path.index(str(ROOT)) + 1] == str(ROOT / "platform")
