"""An export that is killed half-way, or finds the disk full, leaves nothing that looks complete."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from annotation.datasets.verify import verify
from tests.db.test_exports import exported, frozen, left_over
from tests.factories.world import World
from voxloop.jobs.models import Job


def start_command(settings: Any, *arguments: str, within: Sequence[str] = ()) -> subprocess.Popen[str]:
    """`manage.py export_release` as a separate process, on the test's database and folders."""
    base = settings.DATABASES["default"]
    name = connection.settings_dict["NAME"]
    url = f"postgresql://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{name}"
    environment = {
        **os.environ,
        "VOXLOOP_DATABASE": url,
        "VOXLOOP_STATE": str(settings.STATE_DIR),
        "VOXLOOP_EXPORTS": str(settings.EXPORT_ROOT),
        "VOXLOOP_STORAGE": settings.STORAGE_URL,
        "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
        "PYTHONPATH": ".:platform",
    }
    return subprocess.Popen(
        [*within, sys.executable, "-m", "django", "export_release", *arguments],
        env=environment,
        text=True,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.fault("an export is killed half-way")
@pytest.mark.parametrize(
    ("at", "scans"),
    [(".part.*/release/labels/*", 0), (".part.*/records/000001.json", 2), (".part.*/release/SHA256SUMS", 3)],
    ids=["in the first scan", "after two scans", "before it is verified"],
)
def test_killed_half_way_it_leaves_nothing_that_looks_complete_and_goes_on(
    live_world: World, settings: Any, tmp_path: Path, at: str, scans: int
) -> None:
    """What was written whole is not written again, and the bytes are those of an export in one go."""
    release = frozen(live_world)
    formats = ["--format", "nnunet", "--format", "coco", "--format", "tables"]
    process = start_command(settings, str(release.pk), "--as", "datamanager", "--json", *formats)
    deadline = time.monotonic() + 120
    while not list(settings.EXPORT_ROOT.glob(at)) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (settings.EXPORT_ROOT / "chest-ct-r1").exists()
    [left] = settings.EXPORT_ROOT.glob(".part.*")
    kept = {
        path: (left / "release" / path).stat().st_ino
        for record in (left / "records").glob("*.json")
        for path, _, _ in json.loads(record.read_text())["sizes"]
    }
    assert len({Path(path).stem for path in kept if path.startswith("images/")}) >= scans
    job = Job.objects.get(kind="export_release")
    assert job.state == "running"
    Job.objects.update(lease_until="2000-01-01T00:00:00Z")  # a minute later
    rerun = start_command(settings, "chest-ct-r1", "--as", "datamanager", "--json", *formats)
    out, err = rerun.communicate(timeout=120)
    assert rerun.returncode == 0, err
    told = json.loads(out)
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    assert verify(folder, seal=told["seal"]).is_proven
    assert {path: (folder / path).stat().st_ino for path in kept} == kept
    whole = exported(
        live_world,
        release,
        destination=tmp_path.joinpath("whole").as_uri(),
        formats=["nnunet", "coco", "tables"],
        by_operator=True,
    )
    assert told["seal"] == whole.seal
    assert left_over(settings.EXPORT_ROOT) == []
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("succeeded", 2)


@pytest.mark.fault("the disk is full under an export")
def test_a_full_disk_is_told_and_leaves_nothing(live_world: World, settings: Any) -> None:
    """On a real small file system, which is gone with the process."""
    release = frozen(live_world)
    settings.EXPORT_ROOT.mkdir()
    mount = f"mount -t tmpfs -o size=200k tmpfs {settings.EXPORT_ROOT}"
    inside = f'{mount} && "$@"; end=$?; ls -A {settings.EXPORT_ROOT} >&2; exit $end'
    process = start_command(
        settings,
        str(release.pk),
        "--as",
        "datamanager",
        "--json",
        within=["unshare", "--mount", "--map-root-user", "sh", "-c", inside, "sh"],
    )
    out, err = process.communicate(timeout=120)
    if "Operation not permitted" in err and not Job.objects.exists():
        pytest.skip("needs the right to mount a small tmpfs (unshare --map-root-user)")
    assert (process.returncode, out) == (1, "")
    assert err.splitlines()[-1].startswith("CommandError: The disk is full; nothing was exported."), err
    assert Job.objects.get().error_code == "no_space"
