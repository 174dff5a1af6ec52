"""Note damage when it is met, and its end."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction

from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.keeping.models import Damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged, Refusal

log = structlog.get_logger(__name__)

# Readers who ask for a damaged thing again and again write one row a minute, not one each.
SAID_AGAIN = timedelta(minutes=1)


@transaction.atomic
def note_damage(found: Damaged, *, noticed_by: str) -> Damage:
    """Keep that a stored thing is damaged or missing; told once to the audit log, each time to the server's log.

    Called where a refusal leaves the product, outside of the transaction that was refused.
    """
    log.warning("stored_thing_damaged", thing=found.thing, code=found.code, noticed_by=noticed_by)
    kind = Damage.Kind.MISSING if found.is_missing else Damage.Kind.DAMAGED
    mark, is_new = Damage.objects.get_or_create(
        thing=found.thing,
        mended_at=None,
        defaults={
            "kind": kind,
            "code": found.code,
            "detail": found.detail[:400],
            "noticed_by": noticed_by[:150],
            "first_at": now(),
            "last_at": now(),
        },
    )
    if is_new:
        record(actor=noticed_by, action=f"object.{kind}", target=mark, new={"thing": found.thing, "code": found.code})
    elif mark.last_at < now() - SAID_AGAIN or mark.kind != kind:
        Damage.objects.filter(pk=mark.pk).update(last_at=now(), kind=kind, code=found.code, detail=found.detail[:400])
    return mark


def note_refused_job(refusal: Refusal, job: Job) -> None:
    """A job that met damage says so, too."""
    if isinstance(refusal, Damaged):
        note_damage(refusal, noticed_by=job.get_kind_display())


@transaction.atomic
def note_whole(things: Iterable[str], *, actor: Any) -> int:
    """End the marks of things that were read again and are whole; answers how many."""
    marks = Damage.objects.select_for_update().filter(thing__in=list(things), mended_at=None)
    ended = 0
    for mark in marks:
        mark.mended_at = now()
        mark.save(update_fields=["mended_at"])
        record(actor=actor, action="object.mended", target=mark, new={"thing": mark.thing})
        ended += 1
    return ended
