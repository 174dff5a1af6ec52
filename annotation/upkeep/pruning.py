"""Remove old back-ups, and objects that no back-up references any more."""

import json
from datetime import datetime, timedelta

from annotation.upkeep.copying import held_objects
from annotation.upkeep.manifest import BACKUPS, BEGUN, KEYS, MANIFEST, Target, list_backups
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Invalid, NotFound

GIVEN_UP = timedelta(days=1)  # an older half-written back-up is abandoned


def prune(directory: Target, *, keep: int) -> list[str]:
    """Keep the newest `keep` complete back-ups; returns the names of those removed. Objects are deleted only when no
    remaining back-up references them and none is being written, which might."""
    if keep < 1:
        raise Invalid("Keep at least one back-up.", code="keep_one")
    found = list_backups(directory)
    whole = [each.name for each in found if each.is_whole]
    half = [each.name for each in found if not each.is_whole]
    stale = [name for name in half if _begun(directory, name) < now() - GIVEN_UP]
    removed = whole[:-keep] + stale
    for name in removed:
        # The manifest first: the rest of an interrupted removal counts as half-written.
        directory.delete(f"{BACKUPS}/{name}/{MANIFEST}")
        for path, _ in list(directory.names(f"{BACKUPS}/{name}")):
            directory.delete(path)
    if len(stale) == len(half):
        named = {key for name in whole[-keep:] for key in named_in(directory, name)}
        for key in sorted(held_objects(directory).keys() - named):
            directory.objects.delete(key)
    return removed


def named_in(directory: Target, name: str) -> list[str]:
    """Keys of the objects that a complete back-up references."""
    return directory.read(f"{BACKUPS}/{name}/{KEYS}").decode().split()


def _begun(directory: Target, name: str) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(directory.read(f"{BACKUPS}/{name}/{BEGUN}"))["begun_at"])
    except (NotFound, ValueError, KeyError):
        return now() - 2 * GIVEN_UP  # its begun.json was removed already
