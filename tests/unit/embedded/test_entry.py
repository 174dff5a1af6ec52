"""Common to all commands: one sentence when the database does not respond, and `--state` for a state folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from voxloop.embedded import bootstrap
from voxloop.embedded.entry import run
from voxloop.embedded.messages import StartError

ROOT = Path(__file__).parents[3]


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOXLOOP_")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment | {"VOXLOOP_DATABASE": "postgresql://nobody@127.0.0.1:1/none", "VOXLOOP_SECRET_KEY": "x" * 50},
    )


def test_a_database_that_does_not_answer_is_one_sentence() -> None:
    done = manage("verify_audit")
    assert done.returncode == 1
    assert "The database does not answer" in done.stderr + done.stdout
    assert "--state FOLDER" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_any_command_takes_a_state_folder(tmp_path: Path) -> None:
    done = manage("verify_audit", "--state", str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path} is not a state folder with a database." in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("command", "says"), [("demo", "VOXLOOP_DEMO_SCANS"), ("bench", "viewer"), ("test", "tests/unit")]
)
def test_help_needs_nothing_but_python(command: str, says: str, tmp_path: Path) -> None:
    """A bare interpreter, which has no package of ours, prints it and makes no environment."""
    bare = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in ("platform", "benchmarks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shutil.copy(ROOT / "manage.py", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "120"}
    done = subprocess.run(
        [bare, "-I", tmp_path / "manage.py", command, "--help"], capture_output=True, text=True, env=clean, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("command", ["scrub", "doctor", "backup", "verify_audit"])
def test_the_help_of_every_command_names_the_state_folder(command: str) -> None:
    done = manage(command, "--help")
    assert done.returncode == 0
    assert done.stdout.count("--state FOLDER") == 1


def test_the_benchmarks_bring_what_the_tests_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    """They drive a browser as the browser tests do."""
    asked = []

    def ensure(root: Path, *, with_tests: bool) -> None:
        asked.append(with_tests)
        raise StartError("enough")

    monkeypatch.setattr(bootstrap, "ensure_environment", ensure)
    for command in ("demo", "test", "bench"):
        assert run(str(ROOT), ["manage.py", command]) == 1
    assert asked == [False, True, True]
