"""Threads: replies, limited editing, idempotent sending, unread comments."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from annotation.reviews import comments
from annotation.reviews.context import viewer_context
from annotation.reviews.models import Comment, Reply, ReviewRound
from annotation.reviews.services import submit_assignment
from tests.factories.world import World, first_of, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def round_(world: World) -> ReviewRound:
    assignment = first_of(publish(world))
    label(world, assignment)
    return submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])


def say(world: World, round_: ReviewRound, who: str = "reviewer", **more: Any) -> Comment:
    return comments.add_comment(round_id=round_.pk, actor=world[who], text="This is a vessel", **more)


def older(row: Comment | Reply) -> None:
    """As if it had been written half an hour ago."""
    type(row)._default_manager.filter(pk=row.pk).update(created_at=now() - timedelta(minutes=30))


def test_what_is_sent_twice_is_said_once(world: World, round_: ReviewRound) -> None:
    comment_id, reply_id = uuid4(), uuid4()
    first, again = (say(world, round_, ijk=[1, 2, 3], id=comment_id) for _ in range(2))
    assert first == again
    for _ in range(2):
        comments.add_reply(comment_id=first.pk, actor=world["annotator"], text="No, a nodule", id=reply_id)
    assert (Comment.objects.count(), Reply.objects.count()) == (1, 1)
    with pytest.raises(Conflict, match="something else"):
        say(world, round_, who="annotator", id=comment_id)
    with pytest.raises(Conflict, match="something else"):
        comments.add_reply(comment_id=first.pk, actor=world["reviewer"], text="mine", id=reply_id)


def test_the_thread_is_in_the_context_and_unread_until_seen(world: World, round_: ReviewRound) -> None:
    comment = say(world, round_)
    comments.add_reply(comment_id=comment.pk, actor=world["annotator"], text="No, a nodule")
    facts = viewer_context(round_.annotation, world["annotator"])
    assert [(c.author, [r.text for r in c.replies]) for c in facts.comments] == [("reviewer", ["No, a nodule"])]
    assert facts.comments_seen is None
    late = comments.mark_seen(round_id=round_.pk, actor=world["annotator"], until=now() + timedelta(days=9))
    assert late <= now()
    comments.mark_seen(round_id=round_.pk, actor=world["annotator"], until=now() - timedelta(days=9))
    assert viewer_context(round_.annotation, world["annotator"]).comments_seen == late
    assert comments.seen_until(round_.annotation, world["reviewer"]) is None


def test_own_words_are_corrected_while_new_and_unanswered(world: World, round_: ReviewRound) -> None:
    comment = say(world, round_)
    comments.edit_comment(comment_id=comment.pk, actor=world["reviewer"], text="This is the fissure")
    comment.refresh_from_db()
    assert (comment.text, comment.edited_at is not None) == ("This is the fissure", True)
    kept = AuditEntry.objects.get(action="comment.edited")
    assert (kept.old, kept.new) == ({"text": "This is a vessel"}, {"text": "This is the fissure"})
    with pytest.raises(Forbidden):
        comments.edit_comment(comment_id=comment.pk, actor=world["annotator"], text="mine now")
    with pytest.raises(NotFound):
        comments.edit_comment(comment_id=comment.pk, actor=world["outsider"], text="mine now")
    with pytest.raises(Invalid):
        comments.edit_comment(comment_id=comment.pk, actor=world["reviewer"], text="  ")
    reply = comments.add_reply(comment_id=comment.pk, actor=world["annotator"], text="No")
    comments.edit_reply(reply_id=reply.pk, actor=world["annotator"], text="No, a nodule")
    with pytest.raises(Conflict, match="replied"):
        comments.edit_comment(comment_id=comment.pk, actor=world["reviewer"], text="again")
    comments.add_reply(comment_id=comment.pk, actor=world["reviewer"], text="Then mark it as one")
    with pytest.raises(Conflict, match="replied"):
        comments.edit_reply(reply_id=reply.pk, actor=world["annotator"], text="again")
    with pytest.raises(Forbidden):
        comments.edit_reply(reply_id=reply.pk, actor=world["reviewer"], text="mine now")


def test_what_is_old_or_resolved_stays(world: World, round_: ReviewRound) -> None:
    comment = say(world, round_)
    comments.resolve_comment(comment_id=comment.pk, actor=world["annotator"])
    with pytest.raises(Conflict, match="resolved"):
        comments.edit_comment(comment_id=comment.pk, actor=world["reviewer"], text="again")
    comments.reopen_comment(comment_id=comment.pk, actor=world["reviewer"])
    reply = comments.add_reply(comment_id=comment.pk, actor=world["reviewer"], text="Not yet")
    older(comment)
    older(reply)
    with pytest.raises(Conflict, match="15 minutes"):
        comments.edit_comment(comment_id=comment.pk, actor=world["reviewer"], text="again")
    with pytest.raises(Conflict, match="15 minutes"):
        comments.edit_reply(reply_id=reply.pk, actor=world["reviewer"], text="again")
