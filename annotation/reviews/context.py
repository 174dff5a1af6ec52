"""Everything the browser viewer needs beside voxels, in one answer (docs/formats.md)."""

from typing import Any

from django.conf import settings

from annotation.masks.interactive import describe
from annotation.masks.models import Head
from annotation.masks.selectors import heads_of, newest_answers, schema_of, shown_revision
from annotation.reviews.comments import seen_until
from annotation.reviews.models import Comment, Reply, ReviewRound
from annotation.reviews.overlays import API, overlays_of, probability_of
from annotation.reviews.prior import find_prior
from annotation.reviews.services import list_interlocks
from annotation.scans.selectors import volume_index
from annotation.work.models import Assignment
from annotation.work.schema import Layer, Schema
from annotation.work.selectors import work_list
from voxloop.accounts.models import User
from voxloop.accounts.preferences import read_settings


def viewer_context(assignment: Assignment, user: User) -> dict[str, Any]:
    """The context of one assignment for one person, who may see it."""
    schema: Schema = schema_of(assignment)
    heads = heads_of(assignment)
    round_ = _round_of(assignment)
    mine = assignment.person_id == user.pk
    can_edit = mine and assignment.state == "open" and assignment.scan.state == "ready"
    judging = mine and assignment.stage == Assignment.Stage.REVIEW and round_ is not None and round_.state == "claimed"
    judging = judging and assignment.scan.state == "ready"
    annotating = mine and assignment.stage == Assignment.Stage.ANNOTATION
    answers = newest_answers(assignment)
    if not answers and assignment.stage == Assignment.Stage.REVIEW and round_ is not None and round_.answers:
        answers = dict(round_.answers.values)
    previous, following = neighbours(assignment, user)
    return {
        "id": str(assignment.pk),
        "stage": assignment.stage,
        "state": assignment.state,
        "round": assignment.round,
        "reason": assignment.reason,
        "batch": {
            "id": str(assignment.batch_id),
            "name": assignment.batch.name,
            "position": assignment.position,
            "size": assignment.batch.assignments.filter(stage=Assignment.Stage.ANNOTATION)
            .exclude(state="reclaimed")
            .count(),
            "due_on": assignment.batch.due_on,
        },
        "campaign": {"id": str(assignment.campaign_id), "name": assignment.campaign.name},
        "scan": _scan(assignment),
        "prior": find_prior(assignment, schema, user),
        "schema": {
            "layers": [_layer(layer) for layer in schema.layers],
            "questions": [question.facts() for question in schema.questions],
        },
        "masks": _masks(assignment, schema, heads),
        "overlays": overlays_of(assignment, heads, round_, user),
        "probability": probability_of(assignment, heads, user),
        "interactive": describe() if can_edit else None,
        "answers": {"values": answers, "url": f"{API}/assignments/{assignment.pk}/answers"},
        "comments": [comment_facts(row) for row in comments_of(assignment)],
        "comments_seen": seen_until(round_.annotation, user) if round_ else None,
        "review": round_ and _review(round_, user),
        "can": {
            "edit": can_edit,
            "submit": can_edit and annotating,
            "skip": annotating and assignment.state in ("open", "queued"),
            "block": annotating and assignment.state in ("open", "queued"),
            "approve": judging,
            "correct": judging,
            "return": judging,
            "comment": judging or (annotating and round_ is not None),
        },
        "interlocks": [lock.facts() for lock in list_interlocks(assignment)] if can_edit and annotating else [],
        "lease_until": assignment.lease_until,
        "previous": previous,
        "next": following,
        "user": user.username,
        "offline_days": settings.OFFLINE_DAYS,
        "settings": read_settings(user),
    }


def neighbours(assignment: Assignment, user: User) -> tuple[str | None, str | None]:
    """Addresses of the scan before in the batch, and of the next one to do."""
    if assignment.stage == Assignment.Stage.REVIEW:
        return None, None  # the queue decides which review comes next, when the verdict is given
    own = work_list(user).filter(batch=assignment.batch_id).order_by("position")
    before = own.filter(position__lt=assignment.position).values_list("pk", flat=True).last()
    after = own.filter(position__gt=assignment.position).values_list("pk", flat=True).first()
    return (f"/view/{before}/" if before else None), (f"/view/{after}/" if after else None)


def next_annotation(user: User, *, after: Assignment) -> str | None:
    """Where to go when this scan is handed in: returned work first, then what follows in the batch."""
    todo = work_list(user).filter(state__in=["returned", "open", "queued"]).exclude(pk=after.pk)
    following = (
        todo.filter(state="returned").first()
        or todo.filter(batch=after.batch_id, position__gt=after.position).order_by("position").first()
        or todo.first()
    )
    return f"/view/{following.pk}/" if following else None


def comments_of(assignment: Assignment) -> list[Comment]:
    """Every comment on the line of work that this assignment belongs to, oldest first."""
    annotation = assignment
    if assignment.stage == Assignment.Stage.REVIEW:
        round_ = _round_of(assignment)
        annotation = round_.annotation if round_ else assignment
    return list(
        Comment.objects.filter(round__annotation=annotation)
        .select_related("author", "round")
        .prefetch_related("replies__author")
        .order_by("created_at")
    )


def comment_facts(comment: Comment) -> dict[str, Any]:
    """A comment as the viewer shows it."""
    return {
        "id": str(comment.pk),
        "author": comment.author.username,
        "text": comment.text,
        "ijk": None if comment.i is None else [comment.i, comment.j, comment.k],
        "round": comment.round.number,
        "state": comment.state,
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "replies": [reply_facts(row) for row in comment.replies.all()],
    }


def reply_facts(reply: Reply) -> dict[str, Any]:
    """A reply as the viewer shows it."""
    return {
        "id": str(reply.pk),
        "author": reply.author.username,
        "text": reply.text,
        "created_at": reply.created_at,
        "edited_at": reply.edited_at,
    }


def _round_of(assignment: Assignment) -> ReviewRound | None:
    rows = ReviewRound.objects.select_related("author", "answers", "annotation")
    if assignment.stage == Assignment.Stage.REVIEW:
        return rows.filter(review=assignment).first()
    return rows.filter(annotation=assignment).order_by("-number").first()


def _review(round_: ReviewRound, user: User) -> dict[str, Any]:
    return {
        "id": str(round_.pk),
        "author": round_.author.username,
        "round": round_.number,
        "state": round_.state,
        "answers": round_.answers.values if round_.answers else {},
        "submitted": {mask.layer: str(mask.submitted_id) for mask in round_.masks.all() if mask.submitted_id},
        "looked_at": round_.looked_at if round_.reviewer_id == user.pk else [],
        # Why the model distrusts a mask would tell its author what the model sees.
        "reasons": [] if round_.author_id == user.pk else round_.reasons,
    }


def _scan(assignment: Assignment) -> dict[str, Any]:
    scan = assignment.scan
    return {
        "id": str(scan.pk),
        "code": scan.code,
        "site": scan.site.code,
        "modality": scan.modality,
        "description": scan.description,
        "shape_zyx": scan.shape_zyx,
        "spacing_mm_zyx": scan.spacing_mm_zyx,
        "volume": f"{API}/scans/{scan.pk}/volume",
        "index": volume_index(scan) if scan.state == "ready" else None,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "title": layer.title,
        "editable": layer.editable,
        "limit": layer.limit,
        "segments": [
            {
                "id": segment.id,
                "key": segment.key,
                "name": segment.name,
                "colour": segment.colour,
                "infectious": segment.infectious,
            }
            for segment in layer.segments
        ],
    }


def _masks(assignment: Assignment, schema: Schema, heads: dict[str, Head]) -> dict[str, Any]:
    masks = {layer.name: _mask(assignment, layer, heads.get(layer.name)) for layer in schema.editable_layers}
    for layer in schema.layers:
        given = None if layer.editable else shown_revision(assignment, layer)
        if given is not None:
            masks[layer.name] = {
                "head": str(given.pk),
                "start": given.kind,
                "source": given.model_name,
                "url": f"{API}/assignments/{assignment.pk}/mask?layer={layer.name}",
            }
    return masks


def _mask(assignment: Assignment, layer: Layer, head: Head | None) -> dict[str, Any]:
    start = assignment.starts_from or "blank"
    if assignment.stage == Assignment.Stage.ANNOTATION and assignment.round > 1:
        start = "returned"
    return {
        "head": str(head.revision_id) if head else None,
        "start": start,
        "url": f"{API}/assignments/{assignment.pk}/mask?layer={layer.name}",
    }
