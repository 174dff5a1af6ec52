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
from tests.db.test_exports import frozen, left_over
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
def test_killed_half_way_it_leaves_nothing_that_looks_complete_and_a_rerun_completes(
    live_world: World, settings: Any
) -> None:
    release = frozen(live_world)
    process = start_command(settings, str(release.pk), "--as", "datamanager", "--json")
    deadline = time.monotonic() + 120
    while not list(settings.EXPORT_ROOT.glob(".part.*/labels/*")) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (settings.EXPORT_ROOT / "chest-ct-r1").exists()
    assert not list(settings.EXPORT_ROOT.glob(".part.*/SHA256SUMS"))
    job = Job.objects.get(kind="export_release")
    assert job.state == "running"
    Job.objects.update(lease_until="2000-01-01T00:00:00Z")  # a minute later
    rerun = start_command(settings, "chest-ct-r1", "--as", "datamanager", "--json")
    out, err = rerun.communicate(timeout=120)
    assert rerun.returncode == 0, err
    told = json.loads(out)
    assert verify(settings.EXPORT_ROOT / "chest-ct-r1", seal=told["seal"]).is_proven
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
