"""What the command `demo` refuses, in one sentence; the whole command is run by the journey."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from annotation.demonstration import plan
from voxloop.embedded import asked, demo
from voxloop.embedded.disk_watch import DiskWatch
from voxloop.embedded.messages import StartError
from voxloop.embedded.processes import free_port, lock_folder

ROOT = Path(__file__).parents[3]


def run_demo(state: Path, port: int, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(ROOT / "manage.py"),
        "demo",
        "--no-browser",
        "--state",
        str(state),
        "--port",
        str(port),
    ]
    return subprocess.run([*command, *more], capture_output=True, text=True, timeout=120)


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_demo(tmp_path / "state", port)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"Port {port} is taken by another program: choose another with --port."
    assert not (tmp_path / "state").exists()  # nothing was made for nothing


@pytest.mark.parametrize(("scans", "code"), [("7", 2), ("-1", 2), ("many", 2)])
def test_a_number_of_scans_that_cannot_be_is_told(tmp_path: Path, scans: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--state", str(tmp_path / "state"), "--scans", scans],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "--scans" in done.stderr) == (code, True)
    assert not (tmp_path / "state").exists()


def test_the_fewest_scans_are_those_of_the_plan() -> None:
    assert asked.FEWEST_SCANS == plan.FEWEST_SCANS


def test_two_demonstrations_do_not_share_a_folder(tmp_path: Path) -> None:
    with lock_folder(tmp_path, "A demonstration"):
        done = run_demo(tmp_path, free_port())
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"A demonstration on {tmp_path} is already running (process {os.getpid()})."


def test_a_state_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run_demo(tmp_path / "file" / "state", free_port())
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("The demonstration cannot go on: Not a directory")


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 3 << 20))
    with pytest.raises(StartError, match=r"^The disk of .* is full: 3 MB are free, 1024 MB are needed\.$"):
        demo.Demo(ROOT, tmp_path, free_port()).check_room()


def test_a_disk_that_fills_up_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "total used free")
    watch = DiskWatch([("database", tmp_path), ("working files", tmp_path)])
    watch.EVERY_SECONDS = 0.0
    for free in (5000, 1000, 900, 100, 10, 5, 5000):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage(10**9, 10**9, free << 20))
        watch.look()
    assert capsys.readouterr().err.splitlines() == [
        "The disk of database, working files fills up (1000 MB free).",
        "The disk of database, working files is nearly full: imports, trainings and exports are refused (100 MB free).",
        "The disk of database, working files is full: nothing can be saved until there is room (10 MB free).",
        "The disk of database, working files has room again: everything goes on (5000 MB free).",
    ]


def test_reset_spares_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = run_demo(tmp_path, free_port(), "--reset")
    assert done.returncode == 1
    assert "nothing was deleted" in done.stderr
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_accounts_are_kept_and_private(tmp_path: Path) -> None:
    first = demo.Demo(ROOT, tmp_path, 8000)
    first.fill_card()
    again = demo.Demo(ROOT, tmp_path, 8001)
    again.fill_card()
    assert again.card["accounts"] == first.card["accounts"]
    card = json.loads((tmp_path / "demo.json").read_text())
    assert card["address"] == "http://localhost:8001/"
    assert {account["role"] for account in card["accounts"]} >= {
        "administrator",
        "coordinator",
        "reviewer",
        "annotator",
    }
    assert min(len(account["password"]) for account in card["accounts"]) >= 12
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
