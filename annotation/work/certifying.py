"""Who may begin ordinary work: where a campaign certifies, annotators who have passed (annotation.reviews.trials)."""

from django.db.models import Q

from annotation.work.models import Assignment, Campaign, CampaignMember
from annotation.work.pauses import held_for
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Conflict


def not_given_to(person: User) -> Q:
    """Assignments that are not given to this person now: paused ones, and new work before their certification."""
    certified = CampaignMember.objects.filter(user=person, role=Role.ANNOTATOR, certified_at__isnull=False)
    closed = Q(campaign__certifies=True, stage=Assignment.Stage.ANNOTATION, state=AssignmentState.QUEUED) & ~Q(
        campaign__in=certified.values("campaign")
    )
    return held_for(person) | closed


def must_certify(person: User, campaign: Campaign) -> bool:
    """Whether this annotator's ordinary work is still closed."""
    if not campaign.certifies:
        return False
    rows = CampaignMember.objects.filter(user=person, campaign=campaign, role=Role.ANNOTATOR)
    return rows.filter(certified_at__isnull=True).exists()


def check_certified(assignment: Assignment, person: User) -> None:
    """Raise Conflict (`not_certified`) for new work of somebody who has not passed yet; what they began goes on."""
    is_new = assignment.stage == Assignment.Stage.ANNOTATION and assignment.state == AssignmentState.QUEUED
    if is_new and must_certify(person, assignment.campaign):
        raise Conflict(
            "Your work opens when you have passed the certification; it is on top of your list.", code="not_certified"
        )
