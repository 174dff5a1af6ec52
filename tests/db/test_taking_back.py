"""What was handed in comes back while nobody has begun on it; a verdict can be taken back for ten seconds."""

from datetime import timedelta
from typing import Any

import pytest

from annotation.datasets.services import create_release, freeze_release
from annotation.learning.manifest import freeze_manifest
from annotation.learning.models import TrainingRun
from annotation.masks.answers import save_answers
from annotation.masks.services import save_message
from annotation.notices.gathering import gather
from annotation.notices.models import Notice
from annotation.reviews.claims import claim_round, give_back_round
from annotation.reviews.comments import add_reply
from annotation.reviews.context import viewer_context
from annotation.reviews.models import Comment, ReviewRound
from annotation.reviews.services import approve_round, correct_round, return_round, submit_assignment
from annotation.reviews.taking_back import take_back_submission, take_back_verdict
from annotation.work.models import Assignment, Batch
from annotation.work.services import open_assignment
from tests.factories.clients import logged_in
from tests.factories.world import World, first_of, label, mask_message, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from voxloop.kernel.ids import new_id

pytestmark = pytest.mark.django_db


def submit(world: World, row: Assignment) -> ReviewRound:
    return submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])


@pytest.fixture
def row(world: World) -> Assignment:
    """The only scan of a batch, labelled."""
    found = first_of(publish(world, size=1))
    label(world, found)
    return found


def states(row: Assignment) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, Batch.objects.get(pk=row.batch_id).state


def test_a_submission_comes_back_with_its_mask_and_is_handed_in_again(world: World, row: Assignment) -> None:
    first = submit(world, row)
    mask = row.heads.get().revision_id
    assert states(row) == ("submitted", "submitted")
    back = take_back_submission(assignment_id=row.pk, actor=world["annotator"])
    assert (*states(row), row.round, row.heads.get().revision_id) == ("open", "in_progress", 1, mask)
    assert back.lease_until is not None
    save_message(
        assignment_id=row.pk,
        layer="findings",
        message=mask_message(radius=5.0),
        if_match=str(mask),
        key=new_id(),
        actor=world["annotator"],
    )
    second = submit(world, row)
    first.refresh_from_db()
    assert (first.state, second.state, second.number) == ("taken_back", "pending", 1)
    assert "returned before" not in second.reasons
    entry = AuditEntry.objects.get(action="review_round.taken_back")
    assert (entry.actor, entry.why) == (world["annotator"], "taken back by its author")


def test_a_submission_stays_once_a_reviewer_has_begun(world: World, row: Assignment) -> None:
    found = submit(world, row)
    claim_round(round_id=found.pk, actor=world["reviewer"])
    with pytest.raises(Conflict) as refused:
        take_back_submission(assignment_id=row.pk, actor=world["annotator"])
    assert refused.value.code == "review_begun"
    assert states(row)[0] == "submitted"
    # Given back unjudged, it is nobody's again; the review that was begun ends with it.
    give_back_round(round_id=found.pk, actor=world["reviewer"])
    take_back_submission(assignment_id=row.pk, actor=world["annotator"])
    assert states(row)[0] == "open"
    found.refresh_from_db()
    assert found.review is not None
    assert found.review.state == "reclaimed"
    again = submit(world, row)
    claim_round(round_id=again.pk, actor=world["reviewer"])
    approve_round(round_id=again.pk, actor=world["reviewer"], signed_at=now())
    with pytest.raises(Conflict, match="begun"):
        take_back_submission(assignment_id=row.pk, actor=world["annotator"])


def test_nobody_takes_back_the_work_of_another(world: World, row: Assignment) -> None:
    submit(world, row)
    with pytest.raises(NotFound):
        take_back_submission(assignment_id=row.pk, actor=world["annotator2"])
    with pytest.raises(Forbidden):
        take_back_submission(assignment_id=row.pk, actor=world["coordinator"])


def judge(world: World, row: Assignment, verdict: str) -> ReviewRound:
    """A round judged by the reviewer; a correction changes an answer."""
    found = claim_round(round_id=submit(world, row).pk, actor=world["reviewer"])
    who: Any = {"round_id": found.pk, "actor": world["reviewer"]}
    if verdict == "returned":
        return return_round(comments=[{"text": "Too large"}], **who)
    if verdict == "corrected":
        assert found.review is not None
        values = {"diagnosis": "covid19", "quality": "limited"}
        save_answers(assignment_id=found.review.pk, values=values, actor=world["reviewer"])
        return correct_round(signed_at=now(), **who)
    return approve_round(signed_at=now(), **who)


@pytest.mark.parametrize("verdict", ["approved", "corrected", "returned"])
def test_a_verdict_is_taken_back_and_given_once_more(world: World, row: Assignment, verdict: str) -> None:
    found = judge(world, row, verdict)
    assert found.state == verdict
    signature = found.signature
    take_back_verdict(round_id=found.pk, actor=world["reviewer"])
    found.refresh_from_db()
    assert (found.state, found.signature, found.ended_at) == ("claimed", None, None)
    assert (*states(row), row.round) == ("submitted", "in_review", 1)
    assert found.review is not None
    assert found.review.state == "open"
    assert found.masks.get().approved is None
    entry = AuditEntry.objects.get(action="review_round.verdict_taken_back")
    assert entry.old == {"state": verdict, "signature": signature}
    with pytest.raises(Conflict):
        take_back_verdict(round_id=found.pk, actor=world["reviewer"])
    give = correct_round if verdict == "corrected" else approve_round
    give(round_id=found.pk, actor=world["reviewer"], signed_at=now())
    assert states(row) == ("approved", "accepted")


def test_comments_of_a_return_taken_back_are_drafts_until_the_next(world: World, row: Assignment) -> None:
    found = judge(world, row, "returned")
    comment = Comment.objects.get()

    def read_by(name: str) -> list[str]:
        listed = logged_in(world, name).get(f"/api/v1/reviews/{found.pk}/comments").json()["results"]
        texts = [one["text"] for one in listed]
        assert texts == [one.text for one in viewer_context(row, world[name]).comments]
        return texts

    assert read_by("annotator") == ["Too large"]
    take_back_verdict(round_id=found.pk, actor=world["reviewer"])
    assert (read_by("annotator"), read_by("reviewer")) == ([], ["Too large"])
    assert "Too large" not in logged_in(world, "annotator").get("/worklist/").content.decode()
    gather()
    assert not Notice.objects.filter(person=world["annotator"], text__contains="comment on").exists()
    with pytest.raises(NotFound):
        add_reply(comment_id=comment.pk, actor=world["annotator"], text="No")
    # Another reviewer neither reads the draft nor returns with it.
    give_back_round(round_id=found.pk, actor=world["reviewer"])
    claim_round(round_id=found.pk, actor=world["reviewer2"])
    with pytest.raises(Invalid):
        return_round(round_id=found.pk, actor=world["reviewer2"])
    assert read_by("reviewer2") == []
    give_back_round(round_id=found.pk, actor=world["reviewer2"])
    claim_round(round_id=found.pk, actor=world["reviewer"])
    return_round(round_id=found.pk, actor=world["reviewer"])
    assert read_by("annotator") == ["Too large"]
    # What was answered is said.
    add_reply(comment_id=comment.pk, actor=world["annotator"], text="No")
    take_back_verdict(round_id=found.pk, actor=world["reviewer"])
    assert read_by("annotator") == ["Too large"]


def test_review_next_opens_what_one_has_begun(world: World, row: Assignment) -> None:
    found = claim_round(round_id=submit(world, row).pk, actor=world["reviewer"])
    client = logged_in(world, "reviewer")
    assert "1 scan waits for you" in " ".join(client.get("/reviews/").content.decode().split())
    assert client.post("/reviews/next/")["Location"] == f"/view/{found.review_id}/"


def freeze(world: World, found: ReviewRound) -> None:
    release = create_release(campaign=world.campaign, name="2026.1", actor=world["datamanager"])
    freeze_release(release_id=release.pk, actor=world["datamanager"])


def learn(world: World, found: ReviewRound) -> None:
    manifest = freeze_manifest(world.campaign, profile="demo", seed=1)
    TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest=manifest, manifest_hash="0"
    )


def wait(world: World, found: ReviewRound) -> None:
    ReviewRound.objects.filter(pk=found.pk).update(ended_at=now() - timedelta(seconds=14))


@pytest.mark.parametrize("use", [freeze, learn, wait])
def test_a_verdict_that_was_built_on_or_is_old_is_sealed(world: World, row: Assignment, use: Any) -> None:
    found = judge(world, row, "approved")
    use(world, found)
    with pytest.raises(Conflict) as refused:
        take_back_verdict(round_id=found.pk, actor=world["reviewer"])
    assert refused.value.code == "verdict_sealed"
    assert states(row)[0] == "approved"


def test_a_return_that_its_author_opened_and_the_verdict_of_another_stay(world: World, row: Assignment) -> None:
    found = judge(world, row, "returned")
    with pytest.raises(Conflict) as refused:
        take_back_verdict(round_id=found.pk, actor=world["reviewer2"])
    assert refused.value.code == "not_yours"
    open_assignment(assignment_id=row.pk, actor=world["annotator"])
    with pytest.raises(Conflict) as refused:
        take_back_verdict(round_id=found.pk, actor=world["reviewer"])
    assert refused.value.code == "verdict_sealed"
