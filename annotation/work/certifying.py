"""Who may begin ordinary work: where a campaign certifies, annotators who have passed (annotation.reviews.trials) since
the guidelines last asked for it."""

from django.db import transaction
from django.db.models import F, Q

from annotation.work.models import Assignment, Campaign, CampaignMember
from annotation.work.pauses import held_for
from annotation.work.states import AssignmentState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid
from voxloop.kernel.reasons import kept_reason

# Members whose certification holds: given after the campaign last asked to certify again.
CERTIFIED = Q(certified_at__isnull=False) & (
    Q(campaign__recertify_at__isnull=True) | Q(certified_at__gt=F("campaign__recertify_at"))
)


def not_given_to(person: User) -> Q:
    """Assignments that are not given to this person now: paused ones, and new work before their certification."""
    certified = CampaignMember.objects.filter(CERTIFIED, user=person, role=Role.ANNOTATOR)
    closed = Q(campaign__certifies=True, stage=Assignment.Stage.ANNOTATION, state=AssignmentState.QUEUED) & ~Q(
        campaign__in=certified.values("campaign")
    )
    return held_for(person) | closed


def must_certify(person: User, campaign: Campaign) -> bool:
    """Whether this annotator's ordinary work is still closed, or closed again."""
    if not campaign.certifies:
        return False
    rows = CampaignMember.objects.filter(user=person, campaign=campaign, role=Role.ANNOTATOR)
    return rows.exclude(CERTIFIED).exists()


def is_certified(member: CampaignMember) -> bool:
    """`CERTIFIED` of one member."""
    asked = member.campaign.recertify_at
    return member.certified_at is not None and (asked is None or member.certified_at > asked)


def must_certify_again(person: User, campaign: Campaign) -> bool:
    """Whether this annotator was certified, and the guidelines ask for it again."""
    rows = CampaignMember.objects.filter(user=person, campaign=campaign, role=Role.ANNOTATOR)
    return must_certify(person, campaign) and rows.filter(certified_at__isnull=False).exists()


def check_certified(assignment: Assignment, person: User) -> None:
    """Raise Conflict (`not_certified`) for new work of somebody who has not passed yet; what they began goes on."""
    is_new = assignment.stage == Assignment.Stage.ANNOTATION and assignment.state == AssignmentState.QUEUED
    if not is_new or not must_certify(person, assignment.campaign):
        return
    if must_certify_again(person, assignment.campaign):
        raise Conflict(
            "The guidelines have changed, and new work opens when you have certified again: read them, then begin the "
            "certification on top of your list. What you have begun goes on.",
            code="not_certified",
        )
    raise Conflict(
        "Your work opens when you have passed the certification; it is on top of your list.", code="not_certified"
    )


@transaction.atomic
def ask_to_certify_again(*, campaign: Campaign, actor: Actor, why: str) -> int:
    """Let everybody who is certified pass the certification again before they get new work; returns how many. What they
    have begun goes on.

    Raises Invalid (`reason_required`), Conflict (`not_certifying`)."""
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if not why.strip():
        raise Invalid("Say what has changed: annotators read it where they certify again.", code="reason_required")
    if not row.certifies:
        raise Conflict(
            "This campaign asks for no certification; switch it on, then ask for it again.", code="not_certifying"
        )
    members = CampaignMember.objects.filter(CERTIFIED, campaign=row, role=Role.ANNOTATOR).count()
    row.recertify_at, row.recertify_why = now(), kept_reason(why)
    row.save(update_fields=["recertify_at", "recertify_why"])
    told = {"guidelines_version": row.guidelines_version, "annotators": members}
    record(actor=actor, action="campaign.certify_again", target=row, new=told, why=row.recertify_why)
    return members
