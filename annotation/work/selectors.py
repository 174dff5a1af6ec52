"""What a person may see: one queryset per model. Everything else is a 404."""

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.certifying import not_given_to
from annotation.work.independence import knows_it
from annotation.work.models import Assignment, Batch, Campaign, CampaignScan, Eligibility
from annotation.work.permissions import OVERSEERS, campaigns_with_role, site_ids
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

# Batches whose scans are worked on; a scan that is put back can turn up in any of them.
WORKED_IN = (
    BatchState.PUBLISHED,
    BatchState.IN_PROGRESS,
    BatchState.SUBMITTED,
    BatchState.IN_REVIEW,
    BatchState.RETURNED,
)

JUDGED = (Assignment.Stage.REVIEW, Assignment.Stage.ARBITRATION)


# `Assignment.told_state` in queries.
CAME_BACK = Q(state=AssignmentState.RETURNED) | Q(
    state=AssignmentState.OPEN, stage=Assignment.Stage.ANNOTATION, round__gt=1
)
TOLD_STATE = Case(When(CAME_BACK, then=Value(AssignmentState.RETURNED)), default=F("state"))


def visible_campaigns(user: User) -> QuerySet[Campaign]:
    """Campaigns the person is a member of; an administrator sees all."""
    if user.is_administrator:
        return Campaign.objects.all()
    return Campaign.objects.filter(members__user=user).distinct()


def visible_scans(user: User) -> QuerySet[Scan]:
    """Scans of the person's sites that they oversee, review, or were assigned."""
    if user.is_administrator:
        return Scan.objects.all()
    overseen = campaigns_with_role(user, *OVERSEERS, Role.REVIEWER, Role.ARBITRATOR)
    return Scan.objects.filter(
        Q(pk__in=CampaignScan.objects.filter(campaign__in=overseen).values("scan_id"))
        | Q(pk__in=own_work(user).values("scan_id")),
        site__in=site_ids(user),
    )


def visible_batches(user: User) -> QuerySet[Batch]:
    """Batches of campaigns the person oversees, and those in which they read or that were given to them. Whoever judges
    sees none: its size and state would tell which of their reviews are none of its work."""
    if user.is_administrator:
        return Batch.objects.all()
    return Batch.objects.filter(
        Q(campaign__in=campaigns_with_role(user, *OVERSEERS))
        | Q(assignee=user) & ~Q(state__in=[BatchState.DRAFT, BatchState.CANCELLED])
        | Q(pk__in=own_work(user).exclude(stage__in=JUDGED).values("batch_id"))
    )


def visible_assignments(user: User) -> QuerySet[Assignment]:
    """The person's own assignments, and those of campaigns they oversee, at their sites."""
    rows = Assignment.objects.select_related(
        "scan", "scan__site", "batch", "campaign", "person", "begun_as", "begun_as__person"
    ).filter(Q(is_planted=False) | Q(person=user))  # the review of a planted fault is its reviewer's alone
    if user.is_administrator:
        return rows
    return rows.filter(
        Q(person=user) & ~Q(state=AssignmentState.RECLAIMED) & ~Q(batch__state=BatchState.DRAFT)
        | Q(campaign__in=campaigns_with_role(user, *OVERSEERS)),
        scan__site__in=site_ids(user),
    )


def work_list(user: User) -> QuerySet[Assignment]:
    """The person's own annotation work, in the order to do it: returned, started, up next, waiting for others."""
    order = Case(
        When(CAME_BACK, then=Value(0)),
        When(state=AssignmentState.OPEN, then=Value(1)),
        When(state=AssignmentState.QUEUED, then=Value(2)),
        When(state=AssignmentState.BLOCKED, then=Value(3)),
        When(state=AssignmentState.SUBMITTED, then=Value(4)),
        default=Value(5),
        output_field=IntegerField(),
    )
    return (
        visible_assignments(user)
        .filter(person=user, stage=Assignment.Stage.ANNOTATION)
        .exclude(batch__state__in=[BatchState.DRAFT, BatchState.CANCELLED])
        .annotate(turn=order)
        .order_by("turn", "batch__due_on", "batch__number", "position")
    )


def pool(user: User, campaign: Campaign | None = None, *, even_paused: bool = False) -> QuerySet[Assignment]:
    """Annotation work that nobody holds and this person may claim, in order; `even_paused`, once no pause is in the
    way."""
    campaigns = campaigns_with_role(user, Role.ANNOTATOR)
    if campaign is not None:
        campaigns = campaigns.filter(pk=campaign.pk)
    return (
        Assignment.objects.filter(
            stage=Assignment.Stage.ANNOTATION,
            state=AssignmentState.QUEUED,
            person__isnull=True,
            batch__state__in=WORKED_IN,
            campaign__in=campaigns,
            scan__site__in=site_ids(user),
            scan__state=ScanState.READY,
        )
        .exclude(knows_it(user))
        .exclude(Q() if even_paused else not_given_to(user))
        .order_by("batch__number", "position")
    )


def unassigned_scans(campaign: Campaign) -> QuerySet[Scan]:
    """Ready and eligible scans of the campaign that are in no annotation assignment in force."""
    taken = Assignment.objects.filter(campaign=campaign, stage=Assignment.Stage.ANNOTATION).exclude(
        state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED]
    )
    return (
        Scan.objects.filter(campaign_scans__campaign=campaign, state=ScanState.READY)
        .exclude(pk__in=taken.values("scan_id"))
        .exclude(pk__in=excluded(campaign).values("scan_id"))
    )


def excluded(campaign: Campaign) -> QuerySet[Eligibility]:
    """Scans that the campaign's criteria, or a person, exclude."""
    return Eligibility.objects.filter(campaign=campaign, is_eligible=False)


def own_work(user: User) -> QuerySet[Assignment]:
    """Assignments that are or were the person's, without drafts and what was taken from them."""
    return (
        Assignment.objects.filter(person=user)
        .exclude(state=AssignmentState.RECLAIMED)
        .exclude(batch__state=BatchState.DRAFT)
    )
