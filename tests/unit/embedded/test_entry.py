"""What every command has: one sentence where the database does not answer, and `--state` for a state folder."""

import os
import subprocess
import sys
from pathlib import Path

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
    assert f"{tmp_path} is no state folder with a database." in done.stderr + done.stdout
