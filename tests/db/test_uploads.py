"""An uploaded file goes through the store, so that any machine's worker can import it, and is deleted afterwards."""

import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.demonstration.dicom import SCANNERS, write_ct_series
from annotation.intake.services import import_scans, receive_upload
from annotation.intake.uploads import PREFIX, sweep_uploads
from annotation.scans.models import Scan
from tests.factories.files import file_of
from tests.factories.s3 import s3_server
from tests.factories.world import World
from voxloop.jobs.models import Job
from voxloop.jobs.running import claim, run
from voxloop.jobs.services import cancel, resend_expired
from voxloop.kernel.clock import now
from voxloop.kernel.errors import StorageAway
from voxloop.storage.store import open_store
from voxloop.volume.geometry import Geometry

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Both kinds of store."""
    if request.param == "folder":
        yield settings.STORAGE_URL
        return
    with s3_server(tmp_path / "s3", bucket="voxloop") as url:
        settings.STORAGE_URL = url
        yield url


def series_zip(folder: Path, subject: str = "SUB1") -> bytes:
    folder.mkdir()
    rng = np.random.default_rng(1)
    hu = rng.integers(-1000, 400, (12, 64, 64)).astype(np.int16)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in write_ct_series(
            folder, hu, Geometry.axial(hu.shape, (2.0, 1.0, 1.0)), subject=subject, scanner=SCANNERS["a"]
        ):
            archive.write(path, path.name)
    return out.getvalue()


def send(world: World, data: bytes) -> Job:
    return receive_upload(
        upload=SimpleUploadedFile("Doe_Jane.zip", data),
        site=world.sites["a"],
        campaign=world.campaign,
        actor=world["datamanager"],
    )


def stored() -> list[str]:
    return [entry.key for entry in open_store(settings.STORAGE_URL).list(PREFIX)]


def scratch() -> list[Path]:
    return [path for path in settings.WORK_DIR.rglob("*") if path.is_file()] if settings.WORK_DIR.exists() else []


def test_an_upload_is_imported_from_the_store_and_gone_afterwards(
    world: World, store: str, tmp_path: Path, commit: Callable[..., Any]
) -> None:
    before = Scan.objects.filter(state="ready").count()
    job = send(world, series_zip(tmp_path / "series"))
    assert stored() == [job.payload["upload"]]
    assert scratch() == []
    assert "Doe" not in str(job.payload)
    commit(run, job.pk, import_scans)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    assert Scan.objects.filter(state="ready").count() == before + 1
    assert stored() == []
    assert scratch() == []
    assert "upload" not in job.payload


@pytest.mark.fault("a worker is killed between its last scan and the end of its job")
def test_an_attempt_that_dies_before_its_end_is_kept_costs_nothing(
    world: World, tmp_path: Path, commit: Callable[..., Any]
) -> None:
    job = send(world, series_zip(tmp_path / "series"))
    dying = claim(job.pk)
    assert dying is not None
    told = commit(import_scans, dying)
    assert stored() == [job.payload["upload"]]
    Job.objects.filter(pk=job.pk).update(lease_until=now() - timedelta(seconds=1))
    commit(run, job.pk, import_scans)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    assert job.result["scans"] == [scan | {"new": False} for scan in told["scans"]]
    assert stored() == []


def test_the_same_bytes_stay_for_the_job_that_still_wants_them(
    world: World, tmp_path: Path, commit: Callable[..., Any]
) -> None:
    data = series_zip(tmp_path / "series")
    first, second = send(world, data), send(world, data)
    assert first.payload["upload"] == second.payload["upload"]
    commit(cancel, job_id=first.pk, actor=world["datamanager"])
    assert stored() == [second.payload["upload"]]
    commit(run, second.pk, import_scans)
    second.refresh_from_db()
    assert second.state == "succeeded", second.error
    assert stored() == []


@pytest.mark.fault("an upload whose request was killed")
def test_what_a_killed_request_left_goes_by_age(world: World, tmp_path: Path) -> None:
    store = open_store(settings.STORAGE_URL)
    lost, fresh = store.put(PREFIX, b"of a request that died"), store.put(PREFIX, b"of one that goes on")
    job = send(world, series_zip(tmp_path / "series"))
    for key in (lost, job.payload["upload"]):
        day_ago = time.time() - 24 * 3600
        os.utime(file_of(settings.STORAGE_URL, key), (day_ago, day_ago))
    assert sweep_uploads() == 1
    assert set(stored()) == {fresh, job.payload["upload"]}


@pytest.mark.fault("the store is away under an import")
def test_a_job_waits_for_a_store_that_is_away(world: World, tmp_path: Path, commit: Callable[..., Any]) -> None:
    """The server is down, then up again."""
    data = series_zip(tmp_path / "series")
    with moved_away(tmp_path) as (come_back, go):
        come_back()
        job = send(world, data)
        go()
        commit(run, job.pk, import_scans)
        job.refresh_from_db()
        assert (job.state, job.attempt) == ("queued", 0)
        assert "does not answer" in job.message
        with pytest.raises(StorageAway):
            open_store(settings.STORAGE_URL).size(job.payload["upload"])
        come_back()
        Job.objects.filter(pk=job.pk).update(sent_at=None)
        commit(run, job.pk, import_scans)
        job.refresh_from_db()
        assert job.state == "succeeded", job.error
        assert stored() == []
    assert resend_expired() == 0


@contextmanager
def moved_away(tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """An S3 server on one port that can be stopped and restarted with the same folder."""
    stack = ExitStack()
    port: dict[str, int] = {}

    def come_back() -> None:
        settings.STORAGE_URL = stack.enter_context(
            s3_server(tmp_path / "s3", bucket="voxloop", port=port.get("port", 0))
        )
        port["port"] = int(settings.STORAGE_URL.rpartition(":")[2])

    with stack:
        yield come_back, stack.close
