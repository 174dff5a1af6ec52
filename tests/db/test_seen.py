"""Nothing is handed in or approved unseen: what was looked at is kept, warned of or refused, and signed."""

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.masks.services import begin
from annotation.reviews.claims import claim_round, give_back_round
from annotation.reviews.context import viewer_context
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round, submit_assignment
from annotation.work.activity import beat_assignment
from annotation.work.models import Assignment, Campaign
from annotation.work.seen import add_seen, read_seen
from tests.factories.world import SHAPE, World, first_of, label, publish
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db

DEPTH = SHAPE[0]


def bits(*slices: int) -> str:
    shown = np.zeros(DEPTH, np.bool_)
    shown[list(slices)] = True
    return base64.b64encode(np.packbits(shown, bitorder="little").tobytes()).decode()


def look(world: World, row: Assignment, who: str, *slices: int, lesions: tuple[int, int] | None = None) -> None:
    beat_assignment(assignment_id=row.pk, actor=world[who], slices=bits(*slices), lesions=lesions)


@pytest.fixture
def row(world: World) -> Assignment:
    Campaign.objects.update(seen_policy="warn")
    found = first_of(publish(world))
    label(world, found)
    return found


def submit(world: World, row: Assignment, *acknowledged: str) -> ReviewRound:
    return submit_assignment(
        assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung", *acknowledged]
    )


def refusal(world: World, row: Assignment, *acknowledged: str) -> Any:
    with pytest.raises(Conflict) as refused:
        submit(world, row, *acknowledged)
    assert refused.value.code == "interlocks"
    return refused.value.extra["interlocks"]


def test_a_submission_without_a_look_is_warned_of_and_stands_in_its_risk(world: World, row: Assignment) -> None:
    look(world, row, "annotator", *range(5), lesions=(0, 16))
    (lock,) = refusal(world, row)
    assert (lock["code"], lock["blocking"]) == ("not_seen", False)
    assert lock["message"] == "Slices seen 12 %, no lesion visited."
    assert lock["jump"]["ijk"] == [SHAPE[2] // 2, SHAPE[1] // 2, 5]
    found = submit(world, row, "not_seen")
    assert "slices seen 12 %, no lesion visited" in found.reasons
    assert found.risk >= 40


def test_where_the_campaign_asks_for_it_nobody_hands_in_unseen(world: World, row: Assignment) -> None:
    Campaign.objects.update(seen_policy="block")
    look(world, row, "annotator", *range(DEPTH), lesions=(2, 3))
    (lock,) = refusal(world, row, "not_seen")
    assert (lock["message"], lock["blocking"]) == ("Slices seen 100 %, 2 of 3 lesions visited.", True)
    look(world, row, "annotator", lesions=(3, 3))
    found = submit(world, row)
    assert not [reason for reason in found.reasons if "seen" in reason]


def test_sessions_and_tabs_add_up_and_the_page_goes_on_from_there(world: World, row: Assignment) -> None:
    look(world, row, "annotator", *range(20))
    look(world, row, "annotator", *range(15, DEPTH))
    row.refresh_from_db()
    facts = viewer_context(row, world["annotator"]).seen
    assert facts.slices == bits(*range(DEPTH))
    assert (facts.enough, facts.policy) == (0.8, "warn")
    submit(world, row)


def test_a_verdict_is_signed_with_what_the_reviewer_saw(world: World, row: Assignment) -> None:
    Campaign.objects.update(seen_policy="block")
    look(world, row, "annotator", *range(DEPTH))
    found = claim_round(round_id=submit(world, row).pk, actor=world["reviewer"])
    assert found.review is not None
    look(world, found.review, "reviewer", *range(DEPTH))
    # Another reviewer begins with nothing seen.
    give_back_round(round_id=found.pk, actor=world["reviewer"])
    found = claim_round(round_id=found.pk, actor=world["reviewer2"])
    with pytest.raises(Conflict, match=r"before you approve\. Slices seen 0 %"):
        approve_round(round_id=found.pk, actor=world["reviewer2"], signed_at=now())
    assert found.review is not None
    look(world, found.review, "reviewer2", *range(4, DEPTH), lesions=(1, 1))
    done = approve_round(round_id=found.pk, actor=world["reviewer2"], signed_at=now())
    assert done.signature is not None
    assert done.signature["seen"] == {"slices": DEPTH - 4, "of": DEPTH, "lesions": [1, 1]}


@pytest.mark.parametrize(
    "told", [{"slices": "no base64!"}, {"slices": "AAA="}, {"lesions": (3, 2)}], ids=["text", "length", "lesions"]
)
def test_a_report_that_cannot_be_is_refused(world: World, told: dict[str, Any]) -> None:
    row = begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
    with pytest.raises(Invalid) as refused:
        beat_assignment(assignment_id=row.pk, actor=world["annotator"], **told)
    assert refused.value.code == "bad_seen"


@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.just(n), *[st.sets(st.integers(0, n - 1))] * 2)))
def test_reports_add_up(drawn: tuple[int, set[int], set[int]]) -> None:
    depth, *reports = drawn
    kept: dict[str, Any] = {}
    for seen in reports:
        shown = np.isin(np.arange(depth), list(seen))
        text = base64.b64encode(np.packbits(shown, bitorder="little").tobytes()).decode()
        kept = add_seen(kept, depth, slices=text, lesions=None)
    both = reports[0] | reports[1]
    found = read_seen(kept, depth)
    assert found.slices == len(both)
    assert found.first_unseen == min(set(range(depth)) - both, default=None)
