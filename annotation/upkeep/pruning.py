"""Remove old back-ups, and objects that no back-up names any more."""

import json
from datetime import datetime, timedelta

from annotation.upkeep.copying import held_objects
from annotation.upkeep.manifest import BACKUPS, BEGUN, KEYS, MANIFEST, Target, list_backups
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Invalid, NotFound

GIVEN_UP = timedelta(days=1)  # a half-written back-up that is older is nobody's any more


def prune(place: Target, *, keep: int) -> list[str]:
    """Keep the newest `keep` whole back-ups; answer the names of those removed.

    Objects go only when no back-up that stays names them and none is being written, which may rely on them.
    """
    if keep < 1:
        raise Invalid("Keep at least one back-up.", code="keep_one")
    found = list_backups(place)
    whole = [each.name for each in found if each.is_whole]
    half = [each.name for each in found if not each.is_whole]
    stale = [name for name in half if _begun(place, name) < now() - GIVEN_UP]
    removed = whole[:-keep] + stale
    for name in removed:
        # The manifest first: what is left of an interrupted removal is seen as half-written.
        place.delete(f"{BACKUPS}/{name}/{MANIFEST}")
        for path, _ in list(place.names(f"{BACKUPS}/{name}")):
            place.delete(path)
    if len(stale) == len(half):
        named = {key for name in whole[-keep:] for key in named_in(place, name)}
        for key in sorted(held_objects(place).keys() - named):
            place.objects.delete(key)
    return removed


def named_in(place: Target, name: str) -> list[str]:
    """Keys of the objects that a whole back-up names."""
    return place.read(f"{BACKUPS}/{name}/{KEYS}").decode().split()


def _begun(place: Target, name: str) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(place.read(f"{BACKUPS}/{name}/{BEGUN}"))["begun_at"])
    except (NotFound, ValueError, KeyError):
        return now() - 2 * GIVEN_UP  # its beginning was removed already
