"""Record damage when it is found and when it is repaired."""

from collections.abc import Iterable
from datetime import timedelta

import structlog
from django.db import transaction

from voxloop.accounts.actors import Actor, SystemActor
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.keeping.models import Damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged, Refusal

log = structlog.get_logger(__name__)

# Repeated requests for a damaged thing update its row at most once a minute.
SAID_AGAIN = timedelta(minutes=1)


@transaction.atomic
def note_damage(found: Damaged, *, noticed_by: Actor, during: str = "") -> Damage:
    """Record that a stored thing is damaged or missing; audited once, logged each time. Called where the refusal leaves
    the product, outside the transaction that was rolled back. `during` describes the operation, where `noticed_by` is
    not enough."""
    log.warning("stored_thing_damaged", thing=found.thing, code=found.code, noticed_by=str(noticed_by))
    kind = Damage.Kind.MISSING if found.is_missing else Damage.Kind.DAMAGED
    mark, is_new = Damage.objects.get_or_create(
        thing=found.thing,
        mended_at=None,
        defaults={
            "kind": kind,
            "code": found.code,
            "detail": found.detail[:400],
            "noticed_by": (during or str(noticed_by))[:150],
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
    """Record damage that a job found."""
    if isinstance(refusal, Damaged):
        note_damage(refusal, noticed_by=SystemActor.WORKER, during=job.get_kind_display())


@transaction.atomic
def note_whole(things: Iterable[str], *, actor: Actor) -> int:
    """Clear the records of things that were found whole again; returns how many."""
    marks = Damage.objects.select_for_update().filter(thing__in=list(things), mended_at=None)
    ended = 0
    for mark in marks:
        mark.mended_at = now()
        mark.save(update_fields=["mended_at"])
        record(actor=actor, action="object.mended", target=mark, new={"thing": mark.thing})
        ended += 1
    return ended
