"""Everything the browser viewer needs besides voxels, in one document (docs/formats.md)."""

from django.conf import settings

from annotation.masks.interactive import describe
from annotation.masks.models import Head
from annotation.masks.selectors import heads_of, newest_answers, schema_of, shown_revision
from annotation.reviews.comments import seen_until
from annotation.reviews.deciding import DECISION_MEANING
from annotation.reviews.facts import (
    AnswersFacts,
    BatchOfContextFacts,
    CampaignOfContextFacts,
    CommentFacts,
    ContextFacts,
    MarksOfContextFacts,
    MaskSourceFacts,
    PauseFacts,
    PermissionsFacts,
    ReplyFacts,
    ReviewOfContextFacts,
    ScanOfContextFacts,
    SignatureFacts,
    SlicesSeenFacts,
)
from annotation.reviews.feedback import feedback_of
from annotation.reviews.models import Comment, Reply, ReviewRound
from annotation.reviews.overlays import API, overlays_of, probability_of
from annotation.reviews.prior import find_prior
from annotation.reviews.selectors import told_comments
from annotation.reviews.services import APPROVAL_MEANING, list_interlocks
from annotation.reviews.states import CommentState, RoundState
from annotation.scans.models import Scan
from annotation.scans.selectors import volume_index
from annotation.scans.states import ScanState
from annotation.work.facts import mark_facts, schema_facts
from annotation.work.models import Assignment, Campaign, SeenPolicy, SignaturePolicy
from annotation.work.pauses import pauses_of
from annotation.work.requeuing import whole_line
from annotation.work.schema import Layer, Schema
from annotation.work.seen import ENOUGH_SLICES
from annotation.work.selectors import CAME_BACK, JUDGED, visible_assignments, work_list
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.accounts.preferences import read_settings


def viewer_context(assignment: Assignment, user: User) -> ContextFacts:
    """The context of one assignment for one person, who may see it."""
    schema: Schema = schema_of(assignment)
    heads = heads_of(assignment)
    round_ = _round_of(assignment)
    can = _rights(assignment, round_, user)
    answers = newest_answers(assignment)
    if not answers and assignment.stage == Assignment.Stage.REVIEW and round_ is not None and round_.answers:
        answers = dict(round_.answers.values)
    previous, following = neighbours(assignment, user)
    batch = assignment.batch
    certifying = assignment.stage == Assignment.Stage.CERTIFICATION
    counted = Assignment.Stage.CERTIFICATION if certifying else Assignment.Stage.ANNOTATION
    size = 1  # a reviewer has no place in a batch
    if assignment.stage not in JUDGED:
        size = batch.assignments.filter(stage=counted).exclude(state=AssignmentState.RECLAIMED).count()
    return ContextFacts(
        id=assignment.pk,
        stage=Assignment.Stage(assignment.stage),
        state=AssignmentState(assignment.state),
        round=assignment.round,
        reason=assignment.reason,
        batch=BatchOfContextFacts(batch.pk, batch.name, assignment.position, size, batch.due_on),
        campaign=CampaignOfContextFacts(assignment.campaign_id, assignment.campaign.name),
        scan=_scan(assignment.scan),
        prior=find_prior(assignment, schema, user),
        schema=schema_facts(schema),
        masks=_masks(assignment, schema, heads),
        overlays=overlays_of(assignment, heads, round_, user),
        probability=probability_of(assignment, heads, user),
        interactive=describe() if can.edit else None,
        answers=AnswersFacts(answers, f"{API}/assignments/{assignment.pk}/answers"),
        marks=_marks(assignment, round_),
        comments=[comment_facts(row) for row in comments_of(assignment, user)],
        comments_seen=seen_until(round_.annotation, user) if round_ else None,
        review=_review(round_, user, assignment) if round_ else None,
        feedback=feedback_of(assignment, user),
        signature=signature_facts(assignment.campaign, assignment.stage == Assignment.Stage.ARBITRATION),
        seen=SlicesSeenFacts(
            assignment.seen.get("slices", ""), ENOUGH_SLICES, SeenPolicy(assignment.campaign.seen_policy)
        ),
        proposed_policy=SeenPolicy(assignment.campaign.proposed_policy),
        can=can,
        interlocks=list_interlocks(assignment) if can.submit else [],
        lease_until=assignment.lease_until,
        pauses=[PauseFacts(one.what, one.why, one.since) for one in pauses_of(assignment, user)],
        previous=previous,
        next=following,
        user=user.username,
        offline_days=settings.OFFLINE_DAYS,
        settings=read_settings(user),
    )


def signature_facts(campaign: Campaign, arbitrates: bool = False) -> SignatureFacts:
    """How a verdict, or the decision of an arbitration, is signed in this campaign."""
    meaning = DECISION_MEANING if arbitrates else APPROVAL_MEANING
    minutes = int(settings.SIGNATURE_LASTS.total_seconds() // 60)
    return SignatureFacts(meaning, SignaturePolicy(campaign.signature_policy), minutes)


def _rights(assignment: Assignment, round_: ReviewRound | None, user: User) -> PermissionsFacts:
    """What the person may do with the assignment now."""
    mine, is_ready = assignment.person_id == user.pk, assignment.scan.state == ScanState.READY
    can_edit = mine and assignment.state == AssignmentState.OPEN and is_ready
    annotating = mine and assignment.stage == Assignment.Stage.ANNOTATION
    certifying = mine and assignment.stage == Assignment.Stage.CERTIFICATION
    can_leave = annotating and assignment.state in (AssignmentState.OPEN, AssignmentState.QUEUED)
    reviewing = mine and assignment.stage == Assignment.Stage.REVIEW and is_ready
    judging = reviewing and round_ is not None and round_.state == RoundState.CLAIMED
    deciding = mine and is_ready and assignment.stage == Assignment.Stage.ARBITRATION
    deciding = deciding and round_ is not None and round_.state == RoundState.ARBITRATION
    return PermissionsFacts(
        edit=can_edit,
        submit=can_edit and (annotating or certifying),
        skip=can_leave,
        block=can_leave,
        approve=judging or deciding,
        correct=judging or deciding,
        return_=judging,
        # Before a first review what the author asks goes with the hand-in.
        comment=judging or (annotating and (round_ is not None or can_edit)),
    )


def _marks(assignment: Assignment, round_: ReviewRound | None) -> MarksOfContextFacts:
    other = None
    if round_ is not None:
        other = round_.annotation if assignment.stage == Assignment.Stage.REVIEW else round_.review
    return MarksOfContextFacts(
        own={name: mark_facts(mark) for name, mark in assignment.marks.items()},
        others=[mark_facts(mark) for mark in other.marks.values()] if other is not None else [],
        url=f"{API}/assignments/{assignment.pk}/marks",
    )


def neighbours(assignment: Assignment, user: User) -> tuple[str | None, str | None]:
    """URLs of the previous scan in the batch, and of the next one to do."""
    if assignment.stage in JUDGED:
        return None, None  # the queue decides on the next review when the verdict is given
    own = visible_assignments(user).filter(person=user, batch=assignment.batch_id, stage=assignment.stage)
    own = own.order_by("position")
    before = own.filter(position__lt=assignment.position).values_list("pk", flat=True).last()
    after = own.filter(position__gt=assignment.position).values_list("pk", flat=True).first()
    return (f"/view/{before}/" if before else None), (f"/view/{after}/" if after else None)


def next_annotation(user: User, *, after: Assignment) -> str | None:
    """The next assignment after submitting this scan: returned work first, then the rest of the batch."""
    todo = (
        work_list(user)
        .filter(state__in=[AssignmentState.RETURNED, AssignmentState.OPEN, AssignmentState.QUEUED])
        .exclude(pk=after.pk)
    )
    following = (
        todo.filter(CAME_BACK).first()
        or todo.filter(batch=after.batch_id, position__gt=after.position).order_by("position").first()
        or todo.first()
    )
    return f"/view/{following.pk}/" if following else None


def comments_of(assignment: Assignment, user: User) -> list[Comment]:
    """Every comment on the line of work that this assignment belongs to that this person may read, oldest first."""
    annotation = assignment
    if assignment.stage == Assignment.Stage.ARBITRATION:
        return []  # they name a reader
    if assignment.stage == Assignment.Stage.REVIEW:
        round_ = _round_of(assignment)
        annotation = round_.annotation if round_ else assignment
    return list(
        told_comments(user)
        .filter(round__annotation__in=whole_line(annotation))
        .select_related("author", "round")
        .prefetch_related("replies__author")
        .order_by("created_at")
    )


def comment_facts(comment: Comment) -> CommentFacts:
    """A comment as the viewer shows it."""
    pin = None
    if comment.i is not None and comment.j is not None and comment.k is not None:
        pin = (comment.i, comment.j, comment.k)
    return CommentFacts(
        id=comment.pk,
        author=comment.author.username,
        text=comment.text,
        ijk=pin,
        round=comment.round.number,
        state=CommentState(comment.state),
        created_at=comment.created_at,
        edited_at=comment.edited_at,
        replies=[reply_facts(row) for row in comment.replies.all()],
    )


def reply_facts(reply: Reply) -> ReplyFacts:
    """A reply as the viewer shows it."""
    return ReplyFacts(reply.pk, reply.author.username, reply.text, reply.created_at, reply.edited_at)


def _round_of(assignment: Assignment) -> ReviewRound | None:
    rows = ReviewRound.with_planted.select_related("author", "reviewer", "answers", "annotation")
    if assignment.stage in JUDGED:
        return rows.filter(review=assignment).first()
    rounds = rows.filter(annotation__in=whole_line(assignment)).exclude(state=RoundState.TAKEN_BACK)
    return rounds.order_by("-number", "-created_at").first()


def _review(round_: ReviewRound, user: User, assignment: Assignment) -> ReviewOfContextFacts:
    is_annotator = assignment.stage == Assignment.Stage.ANNOTATION and assignment.person_id == user.pk
    hides_reasons = is_annotator or assignment.stage == Assignment.Stage.ARBITRATION
    return ReviewOfContextFacts(
        id=round_.pk,
        # Who arbitrates knows the readers by letters only.
        author="" if assignment.stage == Assignment.Stage.ARBITRATION else round_.author.username,
        round=round_.number,
        state=RoundState(round_.state),
        answers=round_.answers.values if round_.answers else {},
        submitted={mask.layer: mask.submitted_id for mask in round_.masks.all() if mask.submitted_id},
        looked_at=round_.looked_at if round_.reviewer_id == user.pk else [],
        # The reasons of the risk would show the annotator what the model sees.
        reasons=[] if hides_reasons or round_.author_id == user.pk else round_.reasons,
    )


def _scan(scan: Scan) -> ScanOfContextFacts:
    return ScanOfContextFacts(
        id=scan.pk,
        code=scan.code,
        site=scan.site.code,
        modality=scan.modality,
        description=scan.description,
        shape_zyx=scan.shape_zyx,
        spacing_mm_zyx=scan.spacing_mm_zyx,
        volume=f"{API}/scans/{scan.pk}/volume",
        index=volume_index(scan) if scan.state == ScanState.READY else None,
    )


def _masks(assignment: Assignment, schema: Schema, heads: dict[str, Head]) -> dict[str, MaskSourceFacts]:
    masks = {layer.name: _mask(assignment, layer, heads.get(layer.name)) for layer in schema.editable_layers}
    for layer in schema.layers:
        given = None if layer.editable else shown_revision(assignment, layer)
        if given is not None:
            masks[layer.name] = MaskSourceFacts(given.pk, given.kind, given.model_name, _mask_url(assignment, layer))
    return masks


def _mask(assignment: Assignment, layer: Layer, head: Head | None) -> MaskSourceFacts:
    start = assignment.starts_from or "blank"
    if assignment.stage == Assignment.Stage.ANNOTATION and assignment.round > 1:
        start = "returned"
    return MaskSourceFacts(head.revision_id if head else None, start, "", _mask_url(assignment, layer))


def _mask_url(assignment: Assignment, layer: Layer) -> str:
    return f"{API}/assignments/{assignment.pk}/mask?layer={layer.name}"
