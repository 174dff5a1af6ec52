"""Differences between masks that a reviewer has checked, by names that the viewer gives them."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from annotation.reviews.services import lock_claimed
from voxloop.accounts.models import User
from voxloop.kernel.errors import Invalid

MOST, LONGEST = 5000, 200


@transaction.atomic
def change_checks(*, round_id: UUID, actor: User, changes: Mapping[str, bool | None]) -> list[str]:
    """Mark differences as checked (true) or not, and leave the others; returns all that are marked.

    Raises NotFound, Forbidden, Conflict (`state_conflict`, `not_yours`), Invalid (`bad_checks`). Only the round's
    current reviewer may do this. The marks stay with the round as its record."""
    found = lock_claimed(round_id, actor)
    if any(not 0 < len(name) <= LONGEST or not name.isprintable() for name in changes):
        raise Invalid(f"A difference has a name of 1 to {LONGEST} printable characters.", code="bad_checks")
    looked_at = dict.fromkeys(found.looked_at)
    for name, is_looked_at in changes.items():
        if is_looked_at:
            looked_at[name] = None
        else:
            looked_at.pop(name, None)
    if len(looked_at) > MOST:
        raise Invalid(f"At most {MOST} differences of a round can be marked.", code="bad_checks")
    if list(looked_at) != found.looked_at:
        found.looked_at = list(looked_at)
        found.save(update_fields=["looked_at"])
    return list(looked_at)
