"""Make a back-up: the dump first, then the objects that it references, the manifest last."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

import voxloop
from annotation.upkeep.copying import Tell, copy_object, held_objects, with_progress
from annotation.upkeep.manifest import (
    ANCHOR,
    BACKUPS,
    BEGUN,
    DUMP,
    FORMAT,
    KEYS,
    MANIFEST,
    SECRETS,
    Target,
    list_backups,
    write_manifest,
)
from annotation.upkeep.objects import named_objects, public_address
from annotation.upkeep.pruning import prune
from annotation.upkeep.snapshot import Snapshot, anchors_until, only_one, take_snapshot
from annotation.upkeep.wrapping import gather_secrets, wrap
from voxloop.accounts.actors import SystemActor
from voxloop.audit.anchors import anchor
from voxloop.audit.services import record
from voxloop.installation.keys import AUDIT, SECRET
from voxloop.installation.models import Installation
from voxloop.installation.selectors import BACKUP_MADE
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.directory import open_directory
from voxloop.storage.objects import sha256_of
from voxloop.storage.store import open_store

MOST_DUMPS = 3  # when objects were deleted during the copy, the dump is repeated


@dataclass
class BackupReport:
    """The result; `faults` are sentences naming what the back-up lacks."""

    name: str
    facts: dict[str, Any]
    faults: list[str]


def make_backup(*, to: str, passphrase: str | None, keep: int | None, tell: Tell) -> BackupReport:
    """Back everything up to `to`; without a passphrase the secrets are left out.

    Raises Conflict (`keys_missing`, `backup_running`, `tools_missing`, `tool_failed`), NoSpace.
    """
    if not settings.KEYS_GIVEN & {AUDIT, SECRET}:
        raise Conflict(
            "Neither VOXLOOP_AUDIT_KEY nor VOXLOOP_SECRET_KEY is set, so the back-up cannot be sealed: set them as the "
            "installation has them, or name its state folder with --state.",
            code="keys_missing",
        )
    directory = open_directory(to)
    with only_one(), directory.scratch() as folder:
        begun = now()
        name = _begin(directory, begun, Path(folder))
        snapshot, counted, faults = _dump_and_copy(directory, Path(folder), tell)
        tell(96, "Writing the manifest")
        files = _write_parts(directory, name, snapshot, Path(folder), passphrase)
        facts = {
            "format": FORMAT,
            "name": name,
            "begun_at": begun.isoformat(),
            "made_at": now().isoformat(),
            "voxloop": voxloop.__version__,
            **snapshot.facts,
            "files": files,
            "objects": counted,
            "faults": faults,
            "has_secrets": SECRETS in files,
        }
        _put(directory, f"{BACKUPS}/{name}/{MANIFEST}", write_manifest(facts, settings.AUDIT_KEY), Path(folder))
        _note(to, facts)
        if keep is not None:
            tell(98, "Removing old back-ups")
            prune(directory, keep=keep)
    return BackupReport(name, facts, faults)


def _begin(directory: Target, begun: datetime, folder: Path) -> str:
    name = begun.strftime("%Y%m%dT%H%M%SZ")
    taken = {each.name for each in list_backups(directory)}
    while name in taken:
        name += "b"
    body = {"begun_at": begun.isoformat(), "installation": str(getattr(Installation.objects.first(), "pk", ""))}
    _put(directory, f"{BACKUPS}/{name}/{BEGUN}", json.dumps(body).encode(), folder)
    return name


def _dump_and_copy(directory: Target, folder: Path, tell: Tell) -> tuple[Snapshot, dict[str, int], list[str]]:
    """Dump, then copy. Objects deleted meanwhile by the collection or an erasure are no fault if the database no longer
    references them: the dump is then repeated, so that it references only existing objects."""
    for attempt in range(1, MOST_DUMPS + 1):
        tell(1, "Dumping the database")
        anchor()
        snapshot = take_snapshot(folder / DUMP)
        counted, lost = _copy_objects(directory, snapshot.keys, tell)
        with transaction.atomic():
            still_named = set(named_objects()) if lost else set()
        if lost.keys() <= still_named or attempt == MOST_DUMPS:
            return snapshot, counted, sorted(lost.values())
    raise AssertionError("the last attempt answers")


def _copy_objects(directory: Target, keys: list[str], tell: Tell) -> tuple[dict[str, int], dict[str, str]]:
    """Copy objects missing at the target; returns counts, and a sentence for each object that could not be copied."""
    store, held = open_store(settings.STORAGE_URL), held_objects(directory)
    counted = {"count": len(keys), "bytes": 0, "copied": 0, "copied_bytes": 0}
    lost: dict[str, str] = {}
    for key in with_progress(keys, len(keys), tell, "Copying objects", 20, 95):
        if key in held:
            counted["bytes"] += held[key]
            continue
        try:
            size = copy_object(key, store, directory.objects)
        except NotFound:
            lost[key] = f"The object {key} is missing in {public_address(settings.STORAGE_URL)}."
        except Conflict as refusal:
            if refusal.code != "object_damaged":
                raise
            lost[key] = f"The object {key} in {public_address(settings.STORAGE_URL)} is damaged."
        else:
            counted["bytes"] += size
            counted["copied"] += 1
            counted["copied_bytes"] += size
    return counted, lost


def _write_parts(
    directory: Target, name: str, snapshot: Snapshot, folder: Path, passphrase: str | None
) -> dict[str, dict[str, Any]]:
    """Write everything but the manifest; returns bytes and hash of each."""
    (folder / KEYS).write_text("".join(f"{key}\n" for key in snapshot.keys))
    (folder / ANCHOR).write_text(anchors_until(snapshot.head))
    names = [DUMP, KEYS, ANCHOR]
    if passphrase:
        (folder / SECRETS).write_bytes(wrap(gather_secrets(), passphrase, name=name))
        names.append(SECRETS)
    files = {}
    for part in names:
        files[part] = {"bytes": (folder / part).stat().st_size, "sha256": sha256_of(folder / part)}
        directory.write(f"{BACKUPS}/{name}/{part}", folder / part)
    return files


def _put(directory: Target, name: str, data: bytes, folder: Path) -> None:
    path = folder / "part"
    path.write_bytes(data)
    directory.write(name, path)


@transaction.atomic
def _note(to: str, facts: dict[str, Any]) -> None:
    """Record time and location of the last back-up."""
    installation = Installation.objects.first() or Installation.objects.create()
    record(
        actor=SystemActor.OPERATOR,
        action=BACKUP_MADE,
        target=installation,
        new={
            "name": facts["name"],
            "where": public_address(to),
            "objects": facts["objects"]["count"],
            "bytes": facts["objects"]["bytes"] + facts["files"][DUMP]["bytes"],
            "faults": len(facts["faults"]),
        },
    )
