"""Review rounds, queues and comments that a person may see."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.reviews.models import Arbitration, Certificate, Comment, PlantedFault, Reply, ReviewRound
from annotation.reviews.states import ArbitrationState, CertificateState, RoundState
from annotation.scans.states import ScanState
from annotation.work.independence import reads_scan_of
from annotation.work.models import Assignment, Campaign, ReviewPolicy
from annotation.work.pauses import held_for
from annotation.work.permissions import OVERSEERS, campaigns_with_role, site_ids
from annotation.work.requeuing import lines_of, worked_on_by
from annotation.work.selectors import own_work
from annotation.work.states import BatchState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

# Rounds that wait for the sample of their batch, or for the last scan of a batch of which one will be drawn.
HELD = Q(part=ReviewRound.Part.REST, certificate__state=CertificateState.DRAWN) | (
    Q(
        annotation__batch__review_policy=ReviewPolicy.SAMPLE,
        annotation__batch__state__in=[BatchState.PUBLISHED, BatchState.IN_PROGRESS, BatchState.SUBMITTED],
    )
    & ~Exists(Certificate.objects.filter(batch=OuterRef("annotation__batch")))
)


def visible_rounds(user: User) -> QuerySet[ReviewRound]:
    """Rounds that the person may judge, has judged, or oversees; an author sees the rounds of their own work, and who
    goes on with a scan those before. Of planted faults their reviewer alone, as of any other reading."""
    rows = ReviewRound.with_planted.filter(Q(is_planted=False) | Q(planted__reviewer=user)).select_related(
        "annotation",
        "annotation__scan",
        "annotation__scan__site",
        "annotation__batch",
        "annotation__campaign",
        "annotation__campaign__schema",
        "author",
        "reviewer",
        "review",
    )
    if user.is_administrator:
        return rows
    return rows.filter(
        Q(annotation__campaign__in=campaigns_with_role(user, *OVERSEERS))
        | Q(annotation__campaign__in=campaigns_with_role(user, Role.REVIEWER, Role.ARBITRATOR))
        | Q(author=user)
        | Q(annotation__in=lines_of(own_work(user))),
        annotation__scan__site__in=site_ids(user),
    ).exclude(_shown_as_planted(user))


def _shown_as_planted(user: User) -> Q:
    """Verdicts of others on scans of which this reviewer got a planted fault: the scan would be listed twice. Not for
    those who oversee the campaign."""
    faults = PlantedFault.objects.filter(reviewer=user).exclude(campaign__in=campaigns_with_role(user, *OVERSEERS))
    return Q(
        ~Q(reviewer=user),
        is_planted=False,
        ended_at__isnull=False,
        annotation__campaign__in=faults.values("campaign"),
        annotation__scan__in=faults.values("source__annotation__scan"),
    )


def review_queue(user: User, campaign: Campaign | None = None) -> QuerySet[ReviewRound]:
    """Rounds this reviewer may take now, riskiest first; never what they have worked on or
    another reading of a scan they read, never another's claim. What they claimed before a
    batch or they themselves were paused stays."""
    campaigns = campaigns_with_role(user, Role.REVIEWER).filter(is_paused=False)
    if campaign is not None:
        campaigns = campaigns.filter(pk=campaign.pk)
    return (
        visible_rounds(user)
        .filter(annotation__campaign__in=campaigns, annotation__scan__state=ScanState.READY)
        .filter(
            Q(state=RoundState.PENDING) & ~held_for(user, "annotation__") | Q(state=RoundState.CLAIMED, reviewer=user)
        )
        .exclude(HELD)
        .exclude(author=user)
        .exclude(annotation__in=worked_on_by(user))
        .exclude(reads_scan_of(user, "annotation"))
        .order_by("-risk", "created_at")
    )


def own_claims(user: User, campaign: Campaign | None = None) -> QuerySet[ReviewRound]:
    """Rounds that this reviewer has begun and not judged, riskiest first."""
    return review_queue(user, campaign).filter(state=RoundState.CLAIMED)


def told_comments(user: User) -> QuerySet[Comment]:
    """Comments without the drafts of others: a verdict that was taken back has said nothing."""
    return Comment.objects.filter(Q(is_draft=False) | Q(author=user))


def visible_comments(user: User) -> QuerySet[Comment]:
    """Comments of visible rounds that this person may read now."""
    return told_comments(user).filter(round__in=visible_rounds(user)).select_related("author", "round")


def visible_replies(user: User) -> QuerySet[Reply]:
    """Replies to comments of visible rounds."""
    return Reply.objects.filter(comment__in=visible_comments(user)).select_related("author", "comment")


def visible_arbitrations(user: User) -> QuerySet[Arbitration]:
    """Arbitrations of campaigns in which the person judges or that they oversee, at their sites."""
    rows = Arbitration.objects.select_related("campaign", "scan__site", "round__annotation", "arbitrator")
    if user.is_administrator:
        return rows
    campaigns = campaigns_with_role(user, *OVERSEERS, Role.REVIEWER, Role.ARBITRATOR)
    return rows.filter(campaign__in=campaigns, scan__site__in=site_ids(user))


def arbitration_queue(user: User, campaign: Campaign | None = None) -> QuerySet[Arbitration]:
    """Arbitrations that the person may take or has taken, the longest waiting first: never of a scan that they read,
    or whose mask they corrected."""
    campaigns = campaigns_with_role(user, Role.REVIEWER, Role.ARBITRATOR).filter(is_paused=False)
    if campaign is not None:
        campaigns = campaigns.filter(pk=campaign.pk)
    return (
        visible_arbitrations(user)
        .filter(campaign__in=campaigns, scan__state=ScanState.READY)
        .filter(
            Q(state=ArbitrationState.WAITING) & ~held_for(user, "round__annotation__")
            | Q(state=ArbitrationState.CLAIMED, arbitrator=user)
        )
        .exclude(Exists(_own_work_on(user, OuterRef("campaign"), OuterRef("scan"))))
        .order_by("created_at")
    )


def has_worked_on(user: User, row: Arbitration) -> bool:
    """Whether a person read the scan of an arbitration, however that ended, or drew on it as a reviewer."""
    return _own_work_on(user, row.campaign_id, row.scan_id).exists()


def _own_work_on(user: User, campaign: Any, scan: Any) -> QuerySet[Assignment]:
    reading = Q(stage__in=[Assignment.Stage.ANNOTATION, Assignment.Stage.CERTIFICATION])
    return Assignment.objects.filter(
        reading | Q(stage=Assignment.Stage.REVIEW, touched_at__isnull=False), person=user, campaign=campaign, scan=scan
    )
