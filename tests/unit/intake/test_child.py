"""The converting child: its output, how its failures are reported, and clean-up."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.intake.child import child_environment, run_convert
from annotation.intake.conversion import ConvertRequest, ConvertResult
from annotation.intake.limits import Limits
from tests.unit.intake.series import GEOMETRY, SHAPE, change, hu, make_series
from tests.unit.intake.test_nifti import write
from voxloop.child import ChildProgress, to_json
from voxloop.child.outside import run_child
from voxloop.kernel.errors import Invalid
from voxloop.volume.labelmap import decode_message
from voxloop.volume.pack import VolumeIndex, decode_pack


def test_writes_volumes_and_report(tmp_path: Path) -> None:
    make_series(tmp_path / "in" / "good")
    change(make_series(tmp_path / "in" / "bad", subject="P-0002"), lambda n, d: setattr(d, "BurnedInAnnotation", "YES"))
    change(make_series(tmp_path / "in" / "named", subject="P-0003"), lambda n, d: setattr(d, "PatientName", "Doe^J"))
    told: list[tuple[int, str]] = []
    report = run_convert(tmp_path / "in", tmp_path / "out", on_progress=lambda *said: told.append(said))
    (accepted,) = report.accepted
    folder = tmp_path / "out" / accepted.folder
    index = VolumeIndex.from_json(json.loads((folder / "index.json").read_text()))
    assert (decode_pack((folder / "pack").read_bytes(), index.pack, SHAPE) == hu()).all()
    assert index.geometry.is_same_grid(GEOMETRY, 1e-4)
    assert accepted.series.subject == "P-0001"
    assert {refusal.code: bool(refusal.series) for refusal in report.refused} == {
        "burned_in_annotation": True,
        "not_deidentified": False,
    }
    assert "P-0003" not in (tmp_path / "out" / "result.json").read_text()
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)
    assert not (tmp_path / "out" / "scratch").exists()


def test_mask_beside_a_nifti(tmp_path: Path) -> None:
    labels = (hu() > 2000).astype(np.uint8)
    volume, mask = write(tmp_path / "v.nii.gz", hu(), GEOMETRY), write(tmp_path / "m.nii.gz", labels, GEOMETRY)
    report = run_convert(volume, tmp_path / "out", mask=mask)
    message = (tmp_path / "out" / report.accepted[0].folder / "labels").read_bytes()
    assert (decode_message(message, SHAPE).labels() == labels).all()


def refusal_of(source: Path, out: Path, **options: Any) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        run_convert(source, out, **options)
    assert not out.exists()
    return refusal.value


def test_what_the_work_before_has_left_is_nobodys_progress(tmp_path: Path) -> None:
    """A run plans and trains in one folder: progress of the first must not be reported in the second."""
    (tmp_path / "in").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    stale = to_json(ChildProgress(1, 100, "stale"))
    (out / "progress.jsonl").write_text(f"{json.dumps(stale)}\n" * 500)
    told: list[str] = []
    result = run_child(
        "annotation.intake.convert",
        ConvertRequest(str(tmp_path / "in"), None, Limits()),
        ConvertResult,
        folder=out,
        environment=child_environment(out),
        on_look=lambda fresh: told.extend(line.sentence for line in fresh),
    )
    assert [refusal.code for refusal in result.refused] == ["nothing_found"]
    assert "Reading the files" in told
    assert "stale" not in told


@pytest.mark.fault("an import without end")
def test_too_slow(tmp_path: Path) -> None:
    make_series(tmp_path / "in")
    assert refusal_of(tmp_path / "in", tmp_path / "out", timeout_s=0.05).code == "import_timeout"


def test_too_little_memory(tmp_path: Path) -> None:
    make_series(tmp_path / "in")
    refusal = refusal_of(tmp_path / "in", tmp_path / "out", memory_bytes=64 << 20)
    assert refusal.code in {"too_much_memory", "import_killed", "import_crashed"}


@pytest.mark.fault("the child of an import is killed")
def test_killed(tmp_path: Path) -> None:
    make_series(tmp_path / "in")
    out = tmp_path / "out"

    def kill() -> None:
        for _ in range(9000):
            for child in Path(f"/proc/self/task/{main}/children").read_text().split():
                if str(out).encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)
                    return
            time.sleep(0.01)

    main = threading.get_native_id()
    killer = threading.Thread(target=kill)
    killer.start()
    refusal = refusal_of(tmp_path / "in", out)
    killer.join()
    assert refusal.code == "import_killed"
    assert "signal 9" in refusal.detail


def test_no_credentials_in_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOOP_DATABASE", "postgresql://secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "secret" not in json.dumps(child_environment(tmp_path))


def test_a_listener_that_stops_stops_the_child(tmp_path: Path) -> None:
    make_series(tmp_path / "in")

    def stop(progress: int, message: str) -> None:
        raise KeyError(message)

    with pytest.raises(KeyError):
        run_convert(tmp_path / "in", tmp_path / "out", on_progress=stop)
    assert not (tmp_path / "out").exists()


def test_nothing_to_find(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "readme.txt").write_text("no scan")
    report = run_convert(tmp_path / "in", tmp_path / "out")
    assert [refusal.code for refusal in report.refused] == ["nothing_found"]
    shutil.rmtree(tmp_path / "out")
    report = run_convert(tmp_path / "in", tmp_path / "out", limits=Limits(most_files=0))
    assert [refusal.code for refusal in report.refused] == ["too_many_files"]


def test_dies_with_its_worker(tmp_path: Path) -> None:
    make_series(tmp_path / "in")
    code = (
        "import pathlib, sys, time; from annotation.intake.child import run_convert; "
        "run_convert(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), "
        "on_progress=lambda *said: (print('told', flush=True), time.sleep(60)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "in"), str(tmp_path / "out")],
        env=environment,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == b"told\n"
        worker.kill()
        worker.wait()
    for _ in range(4500):
        if not running_in(tmp_path / "out"):
            return
        time.sleep(0.02)
    raise AssertionError("the child lives on")


def running_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if b"annotation.intake.convert" in words and str(folder).encode() in words:
                found.append(int(entry.name))
    return found
