"""Batches handed in whole, and samples of them judged."""

from annotation.masks.answers import save_answers
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round, correct_round, return_round
from annotation.work.models import Batch
from tests.factories.overlap import hand_in
from tests.factories.world import World, make_scan, publish
from voxloop.kernel.clock import now


def handed_in(world: World, *, size: int = 6) -> Batch:
    """A batch of `annotator` that is handed in whole."""
    for seed in range(len(world.scans), size):
        world.scans.append(make_scan(world, "a", seed=seed, shape_zyx=(4, 48, 56)))
    batch = publish(world, size=size)
    for row in batch.assignments.select_related("scan", "campaign").order_by("position"):
        hand_in(world, row, "annotator", is_empty=True)
    batch.refresh_from_db()
    return batch


def judge(world: World, found: ReviewRound, *, verdict: str = "approved", who: str = "reviewer") -> None:
    """Claim a round and give this verdict; `corrected` changes an answer."""
    claimed = claim_round(round_id=found.pk, actor=world[who])
    match verdict:
        case "approved":
            approve_round(round_id=found.pk, actor=world[who], signed_at=now())
        case "returned":
            return_round(round_id=found.pk, actor=world[who], comments=[{"text": "A lesion is missing."}])
        case "corrected":
            values = {**found.answers.values, "quality": "limited"}
            save_answers(assignment_id=claimed.review_id, values=values, actor=world[who])
            correct_round(round_id=found.pk, actor=world[who], signed_at=now())
