"""Comments pinned to a voxel, replies, edits of one's own text, and what was read."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from annotation.reviews.models import Comment, CommentsSeen, Reply, ReviewRound
from annotation.reviews.selectors import visible_comments, visible_replies, visible_rounds
from annotation.reviews.states import COMMENT, CommentState
from annotation.work.models import Assignment
from annotation.work.permissions import has_role
from annotation.work.requeuing import lines_of
from annotation.work.selectors import own_work
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from voxloop.kernel.ids import new_id

LONGEST = 2000
# Text may be edited for this long, and while nobody has replied; the audit log keeps the old text.
EDITABLE_FOR = timedelta(minutes=15)


@transaction.atomic
def add_comment(
    *, round_id: UUID, actor: User, text: str, ijk: Sequence[int] | None = None, id: UUID | None = None
) -> Comment:
    """Pin a comment to a voxel, or to the whole scan. Idempotent by `id`."""
    found = visible_rounds(actor).select_for_update(of=("self",)).filter(pk=round_id).first()
    if found is None:
        raise NotFound
    _check_may_talk(found, actor)
    return pin_once(found, actor, text, ijk, id)


def pin_once(found: ReviewRound, actor: User, text: str, ijk: Sequence[int] | None, id: UUID | None) -> Comment:
    """Write a comment of a locked round unless the one of this id is there. Raises Invalid, Conflict (`id_taken`)."""
    if id is not None and (known := Comment.objects.filter(pk=id).first()) is not None:
        _check_same(known.author_id == actor.pk and known.round.annotation_id == found.annotation_id)
        return known
    return pin_comment(found, actor, text, ijk, id)


def pin_comment(
    found: ReviewRound, actor: User, text: str, ijk: Sequence[int] | None, id: UUID | None = None
) -> Comment:
    """Write a comment of a locked round. Raises Invalid (`bad_comment`)."""
    voxel: dict[str, int] = {}
    if ijk is not None:
        shape = list(reversed(found.annotation.scan.shape_zyx or []))
        if len(ijk) != 3 or any(
            not isinstance(v, int) or isinstance(v, bool) or not 0 <= v < n for v, n in zip(ijk, shape, strict=False)
        ):
            raise Invalid(f"The voxel must lie in the scan, within {shape}.", code="bad_comment")
        voxel = dict(zip("ijk", ijk, strict=True))
    comment = Comment.objects.create(id=id or new_id(), round=found, author=actor, text=_clean(text), **voxel)
    record(actor=actor, action="comment.added", target=comment, new={"round": str(found.pk)})
    return comment


@transaction.atomic
def add_reply(*, comment_id: UUID, actor: User, text: str, id: UUID | None = None) -> Reply:
    """Reply to a comment. Idempotent by `id`."""
    comment = _lock_comment(comment_id, actor)
    _check_may_talk(comment.round, actor)
    if id is not None and (known := Reply.objects.filter(pk=id).first()) is not None:
        _check_same(known.author_id == actor.pk and known.comment_id == comment.pk)
        return known
    reply = Reply.objects.create(id=id or new_id(), comment=comment, author=actor, text=_clean(text))
    record(actor=actor, action="comment.replied", target=reply, new={"comment": str(comment.pk)})
    return reply


@transaction.atomic
def edit_comment(*, comment_id: UUID, actor: User, text: str) -> Comment:
    """Edit one's own comment while it is new, open and without replies."""
    comment = _lock_comment(comment_id, actor)
    if comment.state == CommentState.RESOLVED:
        raise Conflict("This comment is resolved; reopen it, then add a reply.", code="too_late")
    _edit(comment, actor, text, is_answered=comment.replies.exclude(author=actor).exists())
    return comment


@transaction.atomic
def edit_reply(*, reply_id: UUID, actor: User, text: str) -> Reply:
    """Edit one's own reply while it is new and the last one."""
    reply = visible_replies(actor).select_for_update(of=("self",)).filter(pk=reply_id).first()
    if reply is None:
        raise NotFound
    later = reply.comment.replies.filter(created_at__gt=reply.created_at).exclude(author=actor)
    _edit(reply, actor, text, is_answered=later.exists())
    return reply


def _edit(row: Comment | Reply, actor: User, text: str, *, is_answered: bool) -> None:
    if row.author_id != actor.pk:
        raise Forbidden("Only the one who wrote this may change it.", code="not_yours")
    if now() - row.created_at > EDITABLE_FOR:
        raise Conflict("Text can be edited for 15 minutes; add a reply instead.", code="too_late")
    if is_answered:
        raise Conflict("Somebody has replied already; add a reply instead.", code="too_late")
    clean = _clean(text)
    if clean == row.text:
        return
    record(actor=actor, action="comment.edited", target=row, old={"text": row.text}, new={"text": clean})
    row.text, row.edited_at = clean, now()
    row.save(update_fields=["text", "edited_at"])


@transaction.atomic
def resolve_comment(*, comment_id: UUID, actor: User) -> Comment:
    """Resolve a comment."""
    return _move(comment_id, CommentState.RESOLVED, actor)


@transaction.atomic
def reopen_comment(*, comment_id: UUID, actor: User) -> Comment:
    """Reopen a comment."""
    return _move(comment_id, CommentState.REOPENED, actor)


def _move(comment_id: UUID, to: CommentState, actor: User) -> Comment:
    comment = _lock_comment(comment_id, actor)
    advance(comment, to, table=COMMENT, actor=actor, resolved_by=actor if to == CommentState.RESOLVED else None)
    return comment


@transaction.atomic
def mark_seen(*, round_id: UUID, actor: User, until: datetime) -> datetime:
    """Record that a person has read everything up to `until` (at most now); returns the stored time."""
    found = visible_rounds(actor).filter(pk=round_id).first()
    if found is None:
        raise NotFound
    row, _ = CommentsSeen.objects.select_for_update().get_or_create(
        annotation=found.annotation, person=actor, defaults={"until": min(until, now())}
    )
    if until > row.until:
        row.until = min(until, now())
        row.save(update_fields=["until"])
    return row.until


def seen_until(annotation: Assignment, person: User) -> datetime | None:
    """Until when a person has read the comments; None: nothing yet."""
    return CommentsSeen.objects.filter(annotation=annotation, person=person).values_list("until", flat=True).first()


def _lock_comment(comment_id: UUID, actor: User) -> Comment:
    comment = visible_comments(actor).select_for_update(of=("self",)).filter(pk=comment_id).first()
    if comment is None:
        raise NotFound
    return comment


def _check_may_talk(found: ReviewRound, actor: User) -> None:
    is_author = found.author_id == actor.pk
    if not is_author and lines_of(own_work(actor)).filter(pk=found.annotation_id).exists():
        return  # who goes on with the scan answers for it
    if not is_author and not has_role(actor, found.annotation.campaign, Role.REVIEWER, Role.COORDINATOR):
        raise Forbidden("Only the author and the reviewers of this scan may comment on it.")


def _check_same(is_same: bool) -> None:
    if not is_same:
        raise Conflict("This id belongs to something else; make a new one.", code="id_taken")


def _clean(text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise Invalid("A comment has 1 to 2 000 characters.", code="bad_comment")
    return text
