"""Notices made of the audit log: what happened in the last minutes, told to whom it concerns.

Services stay as they are; whatever they record can be told. An entry is looked at several times, since entries are not
committed in the order of their ids; the key of a notice tells it once.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from annotation.learning.models import TrainingRun
from annotation.notices.kinds import NoticeKind
from annotation.notices.services import tell
from annotation.reviews.models import Comment, Reply, ReviewRound, Trial
from annotation.reviews.selectors import visible_comments
from annotation.work.certifying import must_certify, must_certify_again
from annotation.work.models import Assignment, Batch, Campaign, CampaignMember
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now

TO_DO = (AssignmentState.QUEUED, AssignmentState.OPEN, AssignmentState.RETURNED)
LOOKED_BACK = timedelta(minutes=20)  # longer than a scheduler that was restarted, and than any transaction


def gather() -> int:
    """Tell what the log of the last minutes holds; returns how many notices are new."""
    rows = AuditEntry.objects.filter(at__gte=now() - LOOKED_BACK, action__in=TELLERS).order_by("id")
    return sum(TELLERS[entry.action](entry) for entry in rows.iterator())


def _work_given(entry: AuditEntry) -> int:
    batch = Batch.objects.select_related("campaign", "assignee").filter(pk=entry.object_id).first()
    if batch is None or batch.state == BatchState.DRAFT:
        return 0
    later = AuditEntry.objects.filter(action="batch.assigned", object_id=entry.object_id, id__gt=entry.pk)
    if entry.action == "batch.published" and later.exists():
        return 0  # told by that entry
    person = batch.assignee
    if entry.action == "batch.assigned":
        person = User.objects.filter(username=(entry.new or {}).get("person") or "").first()
    if person is None or person.pk == entry.actor_id:
        return 0
    mine = batch.assignments.filter(stage=Assignment.Stage.ANNOTATION, person=person)
    count = mine.filter(state__in=TO_DO).count()
    if not count:
        return 0
    due = f", due on {batch.due_on:%-d %b %Y}" if batch.due_on else ""
    scans = "1 scan" if count == 1 else f"{count} scans"
    return tell(
        person=person,
        campaign=batch.campaign,
        kind=NoticeKind.WORK_GIVEN,
        key=f"given:{entry.pk}",
        text=f"Batch {batch} was given to you: {scans}{due}.",
        url="/worklist/",
    )


def _work_returned(entry: AuditEntry) -> int:
    row = (
        Assignment.objects.select_related("campaign", "person", "scan")
        .filter(pk=entry.object_id, stage=Assignment.Stage.ANNOTATION)
        .first()
    )
    if row is None or row.person is None or row.person_id == entry.actor_id:
        return 0
    return tell(
        person=row.person,
        campaign=row.campaign,
        kind=NoticeKind.WORK_RETURNED,
        key=f"returned:{entry.pk}",
        text=f"{row.scan} came back to you; the comments say what to change.",
        url="/worklist/?show=returned",
    )


def _comment(entry: AuditEntry) -> int:
    if entry.action == "comment.added":
        comment = Comment.objects.filter(pk=entry.object_id).first()
        word = "A comment on"
    else:
        reply = Reply.objects.select_related("comment").filter(pk=entry.object_id).first()
        comment, word = (reply.comment if reply else None), "An answer to a comment on"
    if comment is None:
        return 0
    rounds = ReviewRound.objects.select_related(
        "annotation__campaign", "annotation__scan", "annotation__person", "reviewer"
    ).filter(pk=comment.round_id)
    if (found := rounds.first()) is None:
        return 0  # a planted fault has nobody to tell
    told = 0
    for person, desk in ((found.annotation.person, found.annotation_id), (found.reviewer, found.review_id)):
        if person is None or person.pk == entry.actor_id or not visible_comments(person).filter(pk=comment.pk).exists():
            continue
        told += tell(
            person=person,
            campaign=found.annotation.campaign,
            kind=NoticeKind.COMMENT,
            key=f"comment:{entry.pk}",
            text=f"{word} {found.annotation.scan}.",
            url=f"/view/{desk}/" if desk else "/reviews/",
        )
    return told


def _batch_ended(entry: AuditEntry) -> int:
    batch = Batch.objects.select_related("campaign").filter(pk=entry.object_id, trial__isnull=True).first()
    if batch is None:
        return 0
    word = "is accepted" if entry.action == "batch.accepted" else "was closed"
    return _tell_coordinators(
        batch.campaign,
        entry,
        kind=NoticeKind.BATCH_ENDED,
        key=f"batch:{batch.pk}:{entry.action}",
        text=f"Batch {batch} {word}.",
        url=f"/batches/{batch.pk}/",
    )


def _certification(entry: AuditEntry) -> int:
    trial = Trial.objects.select_related("campaign", "person").filter(pk=entry.object_id).first()
    if trial is None:
        return 0
    passed = entry.action == "certification.passed" and not must_certify(trial.person, trial.campaign)
    return tell(
        person=trial.person,
        campaign=trial.campaign,
        kind=NoticeKind.CERTIFICATION,
        key=f"certification:{trial.pk}",
        text="You passed the certification; your work is open."
        if passed
        else "You passed the certification, but the guidelines have changed since; your work list says what to do."
        if entry.action == "certification.passed"
        else "You did not pass the certification this time; your work list shows how close you came.",
        url="/worklist/",
    )


def _certify_again(entry: AuditEntry) -> int:
    campaign = Campaign.objects.filter(pk=entry.object_id).first()
    if campaign is None:
        return 0
    return sum(
        tell(
            person=person,
            campaign=campaign,
            kind=NoticeKind.CERTIFICATION,
            key=f"again:{entry.pk}",
            text=f"The guidelines of {campaign} have changed; certify again to get new scans. {entry.why}".strip(),
            url="/worklist/",
        )
        for person in people_with(campaign, Role.ANNOTATOR)
        if must_certify_again(person, campaign)
    )


def _training(entry: AuditEntry) -> int:
    run = TrainingRun.objects.select_related("campaign").filter(pk=entry.object_id).first()
    if run is None:
        return 0
    state = entry.action.partition(".")[2]
    word = "failed" if state in ("failed", "lost") else "has ended; see what the gate says of its model"
    return _tell_coordinators(
        run.campaign,
        entry,
        kind=NoticeKind.TRAINING,
        key=f"training:{run.pk}",
        text=f"Training {run.number} {word}.",
        url=f"/campaigns/{run.campaign.slug}/models/",
    )


def _tell_coordinators(
    campaign: Campaign, entry: AuditEntry, *, kind: NoticeKind, key: str, text: str, url: str
) -> int:
    return sum(
        tell(person=person, campaign=campaign, kind=kind, key=key, text=text, url=url)
        for person in people_with(campaign, Role.COORDINATOR)
        if person.pk != entry.actor_id
    )


def people_with(campaign: Campaign, *roles: str) -> Iterable[User]:
    """The people with one of these roles in a campaign, whose account is open."""
    members = CampaignMember.objects.filter(campaign=campaign, role__in=roles)
    return User.objects.filter(pk__in=members.values("user_id"), is_active=True)


TELLERS: dict[str, Callable[[AuditEntry], int]] = {
    "batch.published": _work_given,
    "batch.assigned": _work_given,
    "assignment.returned": _work_returned,
    "comment.added": _comment,
    "comment.replied": _comment,
    "batch.accepted": _batch_ended,
    "batch.closed": _batch_ended,
    "certification.passed": _certification,
    "certification.failed": _certification,
    "campaign.certify_again": _certify_again,
    **dict.fromkeys(
        (f"training_run.{state}" for state in ("candidate", "undecided", "promoted", "rejected", "failed", "lost")),
        _training,
    ),
}
