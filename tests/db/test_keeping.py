"""Scrub, repair and collection: on the folder store and on a real S3 server."""

import json
import os
import random
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from annotation.masks.keeping import drop_chunks, find_unnamed_chunks
from annotation.masks.models import MaskChunk, MaskRevision
from annotation.masks.services import save_message
from annotation.masks.store import put_chunks
from annotation.scans.models import Scan
from tests.factories.files import file_of
from tests.factories.world import World, build_world, first_of, label, mask_message, publish
from voxloop.accounts.actors import SystemActor
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.keeping.collect import collect_unreferenced
from voxloop.keeping.models import Damage, Unreferenced
from voxloop.keeping.scrub import scrub, scrub_as_job
from voxloop.keeping.tasks import scrub_weekly
from voxloop.kernel.clock import now
from voxloop.storage.folder import FolderStore
from voxloop.storage.store import open_store
from voxloop.volume.labelmap import decode_message, encode_chunk

pytestmark = pytest.mark.django_db


def flip(path: Path, at: int = 3) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 4
    path.write_bytes(data)


def asleep(statement: str, *values: Any) -> None:
    """Disable triggers, to change rows as a broken disk does."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = DEFAULT")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The report of the command, and its exit code."""
    code = 0
    try:
        call_command("scrub", "--json", *arguments)
    except CommandError as error:
        code = error.returncode
    return json.loads(capsys.readouterr().out), code


def test_a_whole_installation_is_whole(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    label(world, first_of(publish(world)))
    report, code = told(capsys)
    assert (report["whole"], code) == (True, 0)
    assert report["checked"]["packs"] == report["checked"]["indexes"] == 6
    assert report["checked"]["revisions"] == 1
    assert report["unreferenced"] == report["half_written"] == []


@pytest.mark.fault("rotten objects are found and repaired")
def test_a_scrub_finds_all_that_is_wrong_and_repairs_objects_out_of_a_copy(
    kept: Any, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = build_world(scans=4)
    one, two, three, four = world.scans
    # A back-up holds objects under the same keys, in its own folder.
    store, copy = open_store(settings.STORAGE_URL), open_store(f"file://{tmp_path}/backup/objects")
    for scan in world.scans:
        for key in (scan.pack_key, scan.preview_key):
            copy.put(key.partition("/")[0], store.get(key))
    flip(kept(one.pack_key), 77)
    store.delete(two.preview_key)
    flip(kept(three.pack_key), -1)
    Scan.objects.filter(pk=four.pk).update(index={**four.index, "hu_range": [0, 1]})
    stray = store.put("packs", b"nobody names this")
    report, code = told(capsys)
    assert code == 1
    assert set(report["damaged"]) == {one.pack_key, three.pack_key, f"indexes/{four.pk}"}
    assert set(report["missing"]) == {two.preview_key}
    assert report["unreferenced"] == [stray]
    assert set(Damage.objects.filter(mended_at=None).values_list("thing", flat=True)) == {
        *report["damaged"],
        *report["missing"],
    }
    repaired, code = told(capsys, "--repair", str(tmp_path / "backup"))
    assert set(repaired["repaired"]) == {one.pack_key, two.preview_key, three.pack_key}
    assert (set(repaired["damaged"]), code) == ({f"indexes/{four.pk}"}, 1)
    Scan.objects.filter(pk=four.pk).update(index=four.index)
    assert told(capsys)[1] == 0
    assert not Damage.objects.filter(mended_at=None).exists()
    assert AuditEntry.objects.filter(action="object.repaired").count() == 3


def test_a_copy_that_is_damaged_too_repairs_nothing(
    world: World, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = world.scans[0]
    store, copy = open_store(settings.STORAGE_URL), open_store(f"file://{tmp_path}/objects")
    copy.put("packs", store.get(scan.pack_key))
    for damaged in (store, copy):
        flip(cast(FolderStore, damaged).path_of(scan.pack_key))
    report, code = told(capsys, "--repair", str(tmp_path))
    assert (list(report["damaged"]), report["repaired"], code) == ([scan.pack_key], [], 1)


def test_a_back_up_that_is_none_is_a_bad_argument(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("scrub", "--repair", str(tmp_path / "nothing"))
    assert refusal.value.returncode == 2


def test_a_scrub_finds_masks_that_are_damaged(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    label(world, first_of(publish(world)))
    revision = MaskRevision.objects.get()
    one, two = sorted(set(revision.chunks.values()))[:2]
    asleep("UPDATE masks_maskchunk SET data = 'garbage' WHERE sha256 = %s", bytes.fromhex(one))
    asleep("DELETE FROM masks_maskchunk WHERE sha256 = %s", bytes.fromhex(two))
    report, code = told(capsys)
    assert (set(report["damaged"]), set(report["missing"]), code) == ({f"chunks/{one}"}, {f"chunks/{two}"}, 1)
    asleep("UPDATE masks_maskrevision SET chunks = '{}' WHERE id = %s", revision.pk)
    assert f"revisions/{revision.pk}" in told(capsys)[0]["damaged"]


@pytest.mark.fault("any flipped byte of any object")
def test_any_flipped_byte_of_any_object_is_found(world: World, settings: Settings) -> None:
    store = open_store(settings.STORAGE_URL)
    keys = [entry.key for prefix in ("packs", "previews") for entry in store.list(prefix)]
    draw = random.Random(9)
    for _ in range(25):
        key = draw.choice(keys)
        at = draw.randrange(store.size(key))
        flip(cast(FolderStore, store).path_of(key), at)
        assert list(scrub(noticed_by=SystemActor.OPERATOR).damaged) == [key]
        flip(cast(FolderStore, store).path_of(key), at)
    assert scrub(noticed_by=SystemActor.OPERATOR).is_whole


def test_once_a_week_a_job_looks_at_everything(world: World, settings: Settings) -> None:
    scrub_weekly()
    scrub_weekly()
    job = Job.objects.get(kind=Job.Kind.SCRUB)
    flip(file_of(settings.STORAGE_URL, world.scans[0].pack_key))
    run(job.pk, scrub_as_job)
    job.refresh_from_db()
    assert (job.state, job.progress) == ("succeeded", 100)
    assert (job.result["damaged"], job.result["missing"]) == (1, 0)
    assert Damage.objects.get().noticed_by == "scrub"


def after(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """Advance the collection's clock by days; the store's clock is unchanged."""
    monkeypatch.setattr("voxloop.keeping.collect.now", lambda: now() + timedelta(days=days))


def test_what_nothing_names_goes_after_thirty_days_and_not_before(
    kept: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build_world(scans=1)
    store = open_store(settings.STORAGE_URL)
    named = world.scans[0].pack_key
    stray = store.put("packs", b"nobody names this")
    assert collect_unreferenced()["marked"] == 0  # it may belong to an upload in progress
    after(monkeypatch, 2)
    assert collect_unreferenced()["marked"] == 1
    assert Unreferenced.objects.get().thing == stray
    after(monkeypatch, 31)
    assert collect_unreferenced()["collected"] == 0
    after(monkeypatch, 33)
    assert collect_unreferenced()["collected"] == 1
    assert [entry.key for entry in store.list("packs")] == [named]
    assert AuditEntry.objects.get(action="object.collected").new["thing"] == stray


def test_half_written_files_go_after_a_day(world: World, settings: Settings, own_state: Path) -> None:
    folder = own_state / "objects" / "packs" / "ab"
    folder.mkdir(parents=True, exist_ok=True)
    old, new = folder / ".part-old", folder / ".part-new"
    for path in (old, new):
        path.write_bytes(b"half")
    then = time.time() - 2 * 86400
    os.utime(old, (then, then))
    assert collect_unreferenced()["half_written"] == 1
    assert not old.exists()
    assert new.exists()


def test_storing_over_a_damaged_object_puts_it_right(kept: Any, settings: Settings) -> None:
    build_world(scans=0)
    store = open_store(settings.STORAGE_URL)
    key = store.put("packs", b"the same bytes")
    flip(kept(key))
    assert store.put("packs", b"the same bytes") == key
    assert store.get(key) == b"the same bytes"


def test_a_chunk_that_no_revision_names_is_collected_and_no_other(world: World) -> None:
    label(world, first_of(publish(world)))
    named = MaskChunk.objects.count()
    put_chunks({(0, 0, 0): encode_chunk(np.full((32, 32, 32), 7, np.uint8))})
    [(stray, size)] = find_unnamed_chunks()
    assert size > 0
    collect_unreferenced()
    Unreferenced.objects.update(since=now() - timedelta(days=31))
    assert collect_unreferenced()["collected"] == 1
    assert MaskChunk.objects.count() == named
    name = next(iter(MaskRevision.objects.get().chunks.values()))
    with pytest.raises(IntegrityError), transaction.atomic():
        drop_chunks([f"chunks/{name}"])
    with pytest.raises(IntegrityError), transaction.atomic():
        MaskChunk.objects.filter(sha256=bytes.fromhex(name)).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        MaskChunk.objects.filter(sha256=bytes.fromhex(name)).update(data=b"other")
    assert stray != f"chunks/{name}"


@pytest.mark.django_db(transaction=True)
def test_a_save_that_names_a_chunk_again_beats_its_collection(live_world: World) -> None:
    """Two connections: the chunk is deleted or referenced, never both."""
    assignment = first_of(publish(live_world))
    label(live_world, assignment, is_empty=True)
    message = mask_message(tuple(assignment.scan.shape_zyx))
    put_chunks(decode_message(message).chunks)
    things = [thing for thing, _ in find_unnamed_chunks()]
    assert things
    outcome: list[int | IntegrityError] = []

    def collect() -> None:
        try:
            outcome.append(drop_chunks(things))
        except IntegrityError as error:
            outcome.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        head = assignment.heads.filter(layer="findings").first()
        save_message(
            assignment_id=assignment.pk,
            layer="findings",
            message=message,
            if_match="empty" if head is None else str(head.revision_id),
            key=uuid4(),
            actor=live_world["annotator"],
        )
        thread = threading.Thread(target=collect)
        thread.start()
        thread.join(1)
        assert thread.is_alive()  # it waits for the save
    thread.join(20)
    assert isinstance(outcome[0], IntegrityError)
    revision = MaskRevision.objects.get(assignment=assignment)
    assert MaskChunk.objects.filter(sha256__in=[bytes.fromhex(n) for n in revision.chunks.values()]).exists()
