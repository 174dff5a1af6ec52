"""Back-ups: incremental, changes and damage detected, incomplete ones never used, safe pruning."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from annotation.masks.models import MaskChunk, MaskRevision
from annotation.upkeep import backup as making
from annotation.upkeep import tools
from annotation.upkeep.backup import make_backup
from annotation.upkeep.copying import held_objects
from annotation.upkeep.manifest import BACKUPS, choose_backup, list_backups
from annotation.upkeep.objects import named_objects
from annotation.upkeep.pruning import named_in, prune
from annotation.upkeep.restore import restore_backup
from annotation.upkeep.tools import find_tool
from annotation.upkeep.verify import open_backup, verify_backup
from annotation.upkeep.wrapping import unwrap, wrap
from tests.factories.s3 import s3_server
from tests.factories.world import World, first_of, label, make_scan, publish
from voxloop.audit.models import AuditEntry
from voxloop.audit.verify import verify
from voxloop.installation.selectors import days_since_backup, last_backup
from voxloop.jobs.models import Job
from voxloop.jobs.running import claim
from voxloop.jobs.services import requeue_running
from voxloop.keeping.models import Damage
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.storage.directory import open_directory
from voxloop.storage.folder import FolderStore
from voxloop.storage.store import open_store

PASSPHRASE = "long enough for a test"


@pytest.fixture(autouse=True)
def given_keys(settings: Any) -> None:
    settings.KEPT_KEYS = {"VOXLOOP_SECRET_KEY": settings.SECRET_KEY, "VOXLOOP_AUDIT_KEY": "a" * 50}
    settings.AUDIT_KEY = "a" * 50
    settings.KEYS_GIVEN = {"VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY"}


@pytest.fixture(params=["folder", "bucket"])
def to(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "backups")
        return
    with s3_server(tmp_path / "s3", bucket="voxloop") as url:
        root, _, options = url.partition("?")
        yield f"{root}/backups?{options}"


def quiet(percent: int, message: str) -> None:
    assert 0 <= percent <= 100


def backup(to: str, **more: Any) -> Any:
    return make_backup(**{"to": to, "passphrase": PASSPHRASE, "keep": None, "tell": quiet, **more})


def faults_of(to: str, at: str | None = None) -> list[str]:
    return verify_backup(address=to, at=at, passphrase=PASSPHRASE, tell=quiet)[1]


def test_back_ups_share_objects_and_old_ones_go_without_harm(live_world: World, to: str) -> None:
    first = backup(to)
    assert first.faults == []
    assert first.facts["objects"]["copied"] == first.facts["objects"]["count"] == len(set(named_objects()))
    assert days_since_backup() is not None
    made = last_backup()
    assert made is not None
    assert "endpoint" not in made[1]["where"]
    gone = live_world.scans[0].pack_key
    type(live_world.scans[0]).objects.filter(pack_key=gone).update(pack_key=live_world.scans[1].pack_key)
    make_scan(live_world, "a", seed=77)
    second = backup(to, keep=1)
    assert second.facts["objects"]["copied"] <= 3
    directory = open_directory(to)
    assert [each.name for each in list_backups(directory)] == [second.name]
    assert set(held_objects(directory)) == set(named_in(directory, second.name))
    assert gone not in held_objects(directory)
    assert faults_of(to) == []
    assert verify()[1] is None


@pytest.mark.fault("a damaged back-up")
def test_every_damage_is_told(live_world: World, tmp_path: Path) -> None:
    to = str(tmp_path / "backups")
    name = backup(to).name
    folder = tmp_path / "backups" / BACKUPS / name
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "backups", kept)

    def put_back() -> None:
        shutil.rmtree(tmp_path / "backups")
        shutil.copytree(kept, tmp_path / "backups")

    for part in ("database.dump", "objects.txt", "audit-anchor.jsonl"):
        path = folder / part
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        assert any(part in fault for fault in faults_of(to) or [""]), part
        put_back()
    FolderStore(tmp_path / "backups" / "objects").path_of(live_world.scans[0].pack_key).write_bytes(b"rot")
    assert faults_of(to) == [f"The object {live_world.scans[0].pack_key} is missing or damaged in the back-up."]
    put_back()
    document = json.loads((folder / "manifest.json").read_text())
    document["manifest"]["rows"]["scans_scan"] = 1
    (folder / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(Conflict, match="was changed after it was made"):
        faults_of(to)
    put_back()
    with pytest.raises(Invalid, match="does not open the secrets"):
        verify_backup(address=to, at=None, passphrase="another passphrase", tell=quiet)


@pytest.mark.fault("a back-up is killed half-way")
def test_a_half_written_one_is_never_taken_for_whole(
    live_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = str(tmp_path / "backups")
    directory = open_directory(to)
    with pytest.raises(NotFound, match="There is no complete back-up there"):
        choose_backup(directory, None)

    def power_cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(making, "_write_parts", power_cut)
        with pytest.raises(KeyboardInterrupt):
            backup(to)
    (half,) = list_backups(directory)
    assert not half.is_whole
    with pytest.raises(Conflict, match="was never finished"):
        choose_backup(directory, half.name)
    objects = set(held_objects(directory))
    whole = backup(to)
    assert whole.facts["objects"]["copied"] == 0
    assert choose_backup(directory, None) == whole.name
    # A half-written one, which may be in progress, keeps its objects; it is removed when a day old.
    make_scan(live_world, "a", seed=78)
    assert prune(directory, keep=1) == []
    assert set(held_objects(directory)) == objects
    begun = tmp_path / "backups" / BACKUPS / half.name / "begun.json"
    begun.write_text(json.dumps({"begun_at": "2020-01-01T00:00:00+00:00"}))
    assert prune(directory, keep=1) == [half.name]


@pytest.mark.fault("a back-up of an installation with a damaged object")
def test_an_object_that_is_gone_or_damaged_is_named_and_the_rest_is_kept(live_world: World, tmp_path: Path) -> None:
    to = str(tmp_path / "backups")
    store = open_store(django_settings.STORAGE_URL)
    assert isinstance(store, FolderStore)
    missing, damaged = live_world.scans[0].pack_key, live_world.scans[1].pack_key
    store.delete(missing)
    store.path_of(damaged).write_bytes(b"rot")
    with pytest.raises(CommandError, match=r"^Not everything is complete: The object packs/.* and 1 more$"):
        call_command("backup", to, json=True)
    _, faults = verify_backup(address=to, at=None, passphrase=None, tell=quiet)
    assert [key for key in (missing, damaged) if not any(key in fault for fault in faults)] == []
    assert len(faults) == 2


def test_an_object_that_an_erasure_takes_meanwhile_makes_the_dump_be_taken_again(
    live_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = live_world.scans[0]
    key = scan.pack_key
    taken: list[Any] = []
    snapshot = vars(making)["take_snapshot"]

    def then_erase(dump: Path) -> Any:
        found = snapshot(dump)
        if not taken:
            type(scan).objects.filter(pk=scan.pk).update(pack_key=live_world.scans[1].pack_key)
            open_store(django_settings.STORAGE_URL).delete(key)
        taken.append(found)
        return found

    monkeypatch.setattr(making, "take_snapshot", then_erase)
    made = backup(str(tmp_path / "backups"))
    assert (made.faults, len(taken)) == ([], 2)
    assert key not in named_in(open_directory(str(tmp_path / "backups")), made.name)


def test_a_database_and_a_storage_in_use_are_not_overwritten(live_world: World, tmp_path: Path) -> None:
    to = str(tmp_path / "backups")
    backup(to)
    opened = open_backup(address=to, at=None, passphrase=PASSPHRASE)
    with pytest.raises(Conflict, match="The database is not empty"):
        restore_backup(opened, keep_objects=False, tell=quiet)


def test_without_keys_nothing_is_sealed_or_trusted(live_world: World, tmp_path: Path, settings: Any) -> None:
    to = str(tmp_path / "backups")
    backup(to, passphrase=None)
    settings.KEYS_GIVEN = set()
    with pytest.raises(Conflict, match=r"The seal of the back-up .* cannot be checked"):
        verify_backup(address=to, at=None, passphrase=None, tell=quiet)
    with pytest.raises(Conflict, match="so the back-up cannot be sealed"):
        backup(to)


def test_secrets_open_with_their_passphrase_and_their_back_up_only() -> None:
    document = wrap({"keys": {"A": "b"}}, PASSPHRASE, name="one")
    assert b'"b"' not in document
    assert unwrap(document, PASSPHRASE, name="one") == {"keys": {"A": "b"}}
    with pytest.raises(Invalid, match="does not open"):
        unwrap(document, PASSPHRASE, name="two")
    with pytest.raises(Invalid, match="cannot be read"):
        unwrap(b"{}", PASSPHRASE, name="one")
    with pytest.raises(Invalid, match="at least 8"):
        wrap({}, "short", name="one")


def test_a_tool_of_the_wrong_version_is_told_in_words(tmp_path: Path, settings: Any) -> None:
    assert find_tool("pg_dump", at_least=18).exists()
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.3'\n")
    old.chmod(0o755)
    settings.POSTGRES_TOOLS = str(tmp_path)
    with pytest.raises(Conflict, match=r"needs a pg_dump of that version, but here it is of version 15: install "):
        find_tool("pg_dump", at_least=18)
    assert subprocess.run([find_tool("pg_dump", at_least=14)], capture_output=True, check=True).returncode == 0
    assert tools.NICER > 0


def test_running_jobs_are_queued_again_or_lost(live_world: World) -> None:
    first = Job.objects.create(kind="train", key="a", max_attempts=2)
    last = Job.objects.create(kind="train", key="b", max_attempts=1)
    held = [claim(first.pk), claim(last.pk)]
    assert requeue_running("Restored.") == 2
    first.refresh_from_db()
    last.refresh_from_db()
    assert (first.state, first.sent_at, last.state, last.error_code) == ("queued", None, "lost", "worker_lost")
    assert all(each is not None and each.fence < job.fence for each, job in zip(held, (first, last), strict=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault("parts of a mask rot in the database")
def test_parts_of_masks_come_back_out_of_the_newest_back_up_that_has_them(world: World, to: str) -> None:
    label(world, first_of(publish(world)))
    revision = MaskRevision.objects.get()
    names = sorted(set(revision.chunks.values()))
    before = {bytes(row.pk): (bytes(row.data), row.counts) for row in MaskChunk.objects.all()}
    damaged, gone, lost = names[:3]
    backup(to)
    rot("UPDATE masks_maskchunk SET data = 'garbage' WHERE sha256 = %s", bytes.fromhex(damaged))
    backup(to)  # it has the damage, too
    rot("DELETE FROM masks_maskchunk WHERE sha256 = ANY(%s)", [bytes.fromhex(gone), bytes.fromhex(lost)])
    with pytest.raises(CommandError, match="--repair"):
        call_command("scrub")
    call_command("scrub", "--repair", to)
    assert {bytes(row.pk): (bytes(row.data), row.counts) for row in MaskChunk.objects.all()} == before
    told = AuditEntry.objects.filter(action="object.repaired").values_list("new__thing", flat=True)
    assert set(told) == {f"chunks/{name}" for name in (damaged, gone, lost)}
    assert not Damage.objects.filter(mended_at=None).exists()


def rot(statement: str, value: Any) -> None:
    """What a broken disk does, and no trigger sees."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, [value])
        cursor.execute("SET session_replication_role = DEFAULT")
