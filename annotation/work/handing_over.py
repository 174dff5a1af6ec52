"""Give the unfinished work of a person to others."""

from django.db.models import Q

from annotation.work.batches import refresh_batch
from annotation.work.independence import knows_scan
from annotation.work.models import Assignment, Batch
from annotation.work.permissions import campaigns_with_role, is_annotator, site_ids
from annotation.work.requeuing import end_assignment, put_back
from annotation.work.states import BATCH, AssignmentState, BatchState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.kernel.errors import Invalid

UNFINISHED = (AssignmentState.QUEUED, AssignmentState.OPEN, AssignmentState.RETURNED, AssignmentState.BLOCKED)


def can_work(person: User, assignment: Assignment) -> bool:
    """Whether a person may annotate this scan: an open account, annotator of its campaign, member of its site."""
    return is_annotator(person, assignment.campaign) and site_ids(person).filter(site=assignment.scan.site_id).exists()


def check_may_work(person: User, assignment: Assignment) -> None:
    """Raise Invalid with why a person may not annotate a scan (`not_an_annotator`, `site_not_visible`,
    `not_independent`)."""
    if not is_annotator(person, assignment.campaign):
        raise Invalid(f"{person} is not an annotator of this campaign.", code="not_an_annotator")
    if not can_work(person, assignment):
        raise Invalid(f"{person} is not a member of the site of {assignment.scan}.", code="site_not_visible")
    if assignment.is_overlap and knows_scan(person, assignment):
        raise Invalid(
            f"{person} reads or reviews {assignment.scan} already; choose somebody who does not know it.",
            code="not_independent",
        )


def hand_back_work(*, person: User, actor: Actor, why: str, only: Q | None = None) -> int:
    """Put a person's unfinished annotations back into their batches as new work that nobody has; returns how many.
    `only` chooses among the assignments."""
    rows = Assignment.objects.select_for_update(of=("self",)).filter(
        only or Q(), person=person, stage=Assignment.Stage.ANNOTATION, state__in=UNFINISHED
    )
    found = list(rows.order_by("pk"))
    for row in found:
        hand_back(row, actor=actor, why=why)
    given = Batch.objects.select_for_update().filter(assignee=person).exclude(state__in=BATCH.final)
    if only is not None:
        given = given.filter(pk__in=[row.batch_id for row in found])
    for batch in given:
        if batch.assignments.filter(person=person, state__in=UNFINISHED).exists():
            continue
        batch.assignee = None
        batch.save(update_fields=["assignee"])
        record(actor=actor, action="batch.to_the_pool", target=batch, old={"assignee": person.username}, why=why)
    return len(found)


def hand_back_out_of_reach(*, person: User, actor: Actor) -> int:
    """Put back what a person may no longer see or draw on, after a role or a site was taken away; returns how many."""
    campaigns = campaigns_with_role(person, Role.ANNOTATOR)
    lost = ~Q(campaign__in=campaigns) | ~Q(scan__site__in=site_ids(person))
    return hand_back_work(person=person, actor=actor, why="a role or a site was taken away", only=lost)


def hand_back(
    assignment: Assignment, *, actor: Actor, why: str, person: User | None = None, starts_anew: bool = False
) -> Assignment:
    """End a locked assignment and put its scan into the same batch again, for a person or (None) the pool."""
    end_assignment(assignment, actor=actor, why=why)
    fresh = put_back(assignment, person=person, starts_anew=starts_anew)
    refresh_batch(assignment.batch_id, actor)
    batch = Batch.objects.select_for_update().get(pk=assignment.batch_id)
    if batch.state not in (BatchState.DRAFT, BatchState.PUBLISHED, BatchState.IN_PROGRESS) and BATCH.allows(
        batch.state, BatchState.IN_PROGRESS
    ):
        advance(batch, BatchState.IN_PROGRESS, table=BATCH, actor=actor, why=why)  # the batch has open work again
    return fresh
