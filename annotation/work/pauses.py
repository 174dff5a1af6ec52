"""What is paused, and for whom: the rule by which no work is given out, and what people read of it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from annotation.work.models import Assignment, Batch, Campaign, CampaignMember
from annotation.work.pausable import Pausable
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict

UNOPENED = (AssignmentState.QUEUED, AssignmentState.RETURNED)


@dataclass(frozen=True)
class Pause:
    """A pause as those concerned read it: what stands still, why, and since when (`None` where it is not known)."""

    what: str
    why: str
    since: datetime | None


def told(what: str, row: Pausable) -> Pause:
    """The pause of a campaign, a batch or a person that is paused."""
    return Pause(what, row.pause_reason, row.paused_at)


def held_for(person: User, path: str = "") -> Q:
    """Assignments that are not given to this person now: their campaign, their batch or the person is paused. `path`
    leads from the filtered model to the assignment (`annotation__`)."""
    paused = CampaignMember.objects.filter(user=person, is_paused=True)
    return (
        Q(**{f"{path}campaign__is_paused": True})
        | Q(**{f"{path}batch__is_paused": True})
        | Q(**{f"{path}campaign__in": paused.values("campaign")})
    )


def check_not_paused(assignment: Assignment, person: User) -> None:
    """Raise Conflict (`paused`) with the reason, where this assignment is not given to this person now."""
    batch = assignment.batch
    if assignment.campaign.is_paused:
        raise Conflict("The campaign is paused; your work is safe, wait for the coordinator.", code="paused")
    if batch.is_paused:
        raise Conflict(f"{batch} is paused: {batch.pause_reason} Your work is safe.", code="paused")
    if own := person_pause(person, assignment.campaign):
        raise Conflict(f"{own.what} {own.why} Your work is safe.", code="paused")


def person_pause(person: User, campaign: Campaign) -> Pause | None:
    """The person's own pause in a campaign."""
    row = CampaignMember.objects.filter(user=person, campaign=campaign, is_paused=True).first()
    return told(f"Your work in {campaign} is paused.", row) if row else None


def pauses_of(assignment: Assignment, person: User) -> list[Pause]:
    """What keeps this assignment from being given to this person now, widest first; empty where nothing does."""
    campaign, batch = assignment.campaign, assignment.batch
    own = person_pause(person, campaign)
    return [
        *([told(f"{campaign} is paused.", campaign)] if campaign.is_paused else []),
        *([told(f"{batch} is paused.", batch)] if batch.is_paused else []),
        *([own] if own else []),
    ]


def pauses_told(person: User, campaign: Campaign) -> list[Pause]:
    """What a person reads above their own work: their own pause, and those of batches with unfinished work of
    theirs."""
    unfinished = Assignment.objects.filter(
        person=person, stage=Assignment.Stage.ANNOTATION, state__in=[*UNOPENED, AssignmentState.OPEN]
    )
    batches = Batch.objects.filter(campaign=campaign, is_paused=True).filter(
        Q(assignee=person) | Q(pk__in=unfinished.values("batch"))
    )
    own = person_pause(person, campaign)
    return ([own] if own else []) + [told(f"{batch} is paused.", batch) for batch in batches.order_by("number")]
