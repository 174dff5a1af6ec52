"""Refusals of training, releases, uploads and the installation's keys: the code, and that nothing was begun."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.datasets.models import Release
from annotation.datasets.services import create_release
from annotation.intake.services import receive_path, receive_upload
from annotation.learning.models import TrainingRun
from annotation.learning.services import request_training, retrain_when_due
from annotation.learning.states import RunState
from annotation.upkeep.objects import check_objects, named_objects, public_address
from tests.factories.kept_world import again
from tests.factories.world import World, approve, build_world, label, publish
from voxloop.accounts.actors import SystemActor
from voxloop.installation import keys
from voxloop.installation.services import accept_secret_key, find_fault, settle_installation
from voxloop.jobs.models import Job
from voxloop.kernel.errors import Refusal
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    """Three scans, one of each site; the third site is held out."""
    return again(build_world, scans=3)


def refused(expected: str, work: Any, /, *args: Any, **options: Any) -> str:
    jobs = Job.objects.count()
    with pytest.raises(Refusal) as refusal:
        work(*args, **options)
    assert refusal.value.code == expected
    assert refusal.value.detail.endswith(".")
    assert Job.objects.count() == jobs
    return refusal.value.detail


def approve_all(world: World, *, empty: tuple[int, ...] = ()) -> None:
    for row in publish(world, size=3).assignments.order_by("position"):
        label(world, row, is_empty=row.position in empty)
        approve(world, row)


def train(world: World) -> TrainingRun:
    return request_training(campaign=world.campaign, actor=world["coordinator"])


def test_a_training_needs_masks_of_two_training_scans(world: World) -> None:
    assert "0 approved scans" in refused("too_few_approved", train, world)
    of_a, of_b, of_c = publish(world, size=3).assignments.order_by("scan__code")
    for row in (of_a, of_c):  # site c is held out
        label(world, row)
        approve(world, row)
    assert "1 approved scans" in refused("too_few_approved", train, world)
    label(world, of_b)
    approve(world, of_b)
    assert train(world).state == "queued"
    assert "Training run 1 is queued" in refused("training_busy", train, world)


def test_empty_masks_alone_teach_nothing(world: World) -> None:
    approve_all(world, empty=(1, 2, 3))
    assert "one of them must have a mask" in refused("too_few_approved", train, world)


def test_a_training_begins_by_itself_once_and_not_again_on_the_same_masks(world: World) -> None:
    world.campaign.retrain_after = 2
    world.campaign.save()
    assert retrain_when_due() == 0
    approve_all(world)
    assert (retrain_when_due(), retrain_when_due()) == (1, 0)
    TrainingRun.objects.update(state=RunState.FAILED)
    assert retrain_when_due() == 0  # it would fail again
    TrainingRun.objects.all().delete()
    world.campaign.is_paused = True
    world.campaign.save()
    assert retrain_when_due() == 0


def test_who_may_begin_a_training(world: World) -> None:
    for name in ("annotator", "reviewer", "outsider"):
        with pytest.raises(Refusal):
            request_training(campaign=world.campaign, actor=world[name])
    assert TrainingRun.objects.count() == 0


def test_a_release_has_a_name_of_its_own_that_a_folder_can_have(world: World) -> None:
    options: dict[str, Any] = {"campaign": world.campaign, "actor": world["datamanager"]}
    for name in ("", "  ", "…", "///"):
        refused("bad_release", create_release, name=name, **options)
    create_release(name="Spring 2026", **options)
    for name in ("Spring 2026", "spring-2026", "SPRING 2026!"):
        refused("release_taken", create_release, name=name, **options)
    assert "zz" in refused("unknown_site", create_release, name="Other", sites=["a", "zz"], **options)
    assert Release.objects.count() == 1


def test_a_file_that_no_import_reads(world: World, own_state: Path) -> None:
    options: dict[str, Any] = {"site": world.sites["a"], "campaign": world.campaign, "actor": world["datamanager"]}
    for name in ("scan.dcm", "scan.nii.bz2", "scan", "zip", ".zip.exe"):
        refused("unknown_file", receive_upload, upload=SimpleUploadedFile(name, b"x"), **options)
    assert not list((own_state / "objects").glob("uploads/**/*"))


def test_an_upload_too_large_or_of_nothing(world: World, settings: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"site": world.sites["a"], "campaign": world.campaign, "actor": world["datamanager"]}
    settings.MAX_UPLOAD_BYTES = 1 << 20
    large = SimpleUploadedFile("scan.NII.GZ", bytes((1 << 20) + 1))
    assert "1 MiB" in refused("too_large", receive_upload, upload=large, **options)
    assert "nowhere" in refused("no_such_file", receive_path, path=tmp_path / "nowhere", **options)
    assert receive_upload(upload=SimpleUploadedFile("scan.ZIP", bytes(1 << 20)), **options).state == "queued"


def test_objects_that_the_database_names_are_in_the_store(world: World, settings: Any) -> None:
    check_objects()
    names = list(named_objects())
    assert names == sorted(set(names))
    newest = world.scans[-1].pack_key
    assert newest in names
    open_store(settings.STORAGE_URL).delete(newest)
    detail = refused("objects_missing", check_objects)
    assert "the newest of packs is missing" in detail
    assert "file://" not in detail


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:///data/objects", "/data/objects"),
        ("s3://bucket/prefix?endpoint=https://name:secret@host&region=x", "s3://bucket/prefix"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert public_address(url) == shown


def use_keys(settings: Any, **given: str) -> None:
    """As if the process had been started with these keys."""
    names = {"secret": keys.SECRET, "audit": keys.AUDIT}
    settings.KEYS_GIVEN = {names[name] for name in given}
    settings.SECRET_KEY = given.get("secret", "generated " * 5)
    settings.AUDIT_KEY = given.get("audit", settings.SECRET_KEY)
    settings.KEPT_KEYS = {keys.SECRET: settings.SECRET_KEY, keys.AUDIT: settings.AUDIT_KEY}


def test_a_secret_key_changes_only_beside_a_known_audit_key(db: None, settings: Any) -> None:
    actor = SystemActor.OPERATOR
    use_keys(settings, secret="first " * 9, audit="audit " * 9)
    refused("not_settled", accept_secret_key, actor=actor)
    row = settle_installation()
    assert find_fault(row) is None
    assert settle_installation() == row
    use_keys(settings, secret="second " * 9, audit="audit " * 9)
    fault = find_fault(row)
    assert fault is not None
    assert fault[0] == "keys_changed"
    refused("keys_changed", settle_installation)
    use_keys(settings, audit="audit " * 9)
    refused("key_missing", accept_secret_key, actor=actor)
    use_keys(settings, secret="second " * 9)
    refused("audit_key_missing", accept_secret_key, actor=actor)
    use_keys(settings, secret="second " * 9, audit="another " * 9)
    refused("keys_changed", accept_secret_key, actor=actor)
    use_keys(settings, secret="second " * 9, audit="audit " * 9)
    assert accept_secret_key(actor=actor) == 0
    row.refresh_from_db()
    assert find_fault(row) is None
