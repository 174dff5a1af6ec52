"""Agreement of readers: measured once on what was handed in first, per class, and gone with an erased scan."""

from uuid import uuid4

import numpy as np
import pytest

from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.pages.selectors.agreement import group_of, measure_agreement
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.models import ReadingPair, ReviewRound
from annotation.reviews.services import submit_assignment
from annotation.reviews.taking_back import take_back_submission
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Assignment, Campaign, CampaignScan
from annotation.work.services import claim_assignment
from tests.factories.overlap import overlap, read_twice
from tests.factories.world import SHAPE, World, approve, ball, invite_readers, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.volume.agreement import agree
from voxloop.volume.labelmap import encode_message, split_labelmap

pytestmark = pytest.mark.django_db
SPACING = (2.5, 1.0, 1.0)


def draw(world: World, row: Assignment, who: str, labels: np.ndarray, **answers: object) -> None:
    """Draw these labels, answer, and hand in."""
    begin(assignment_id=row.pk, actor=world[who])
    if labels.any():
        message = encode_message("findings", SHAPE, split_labelmap(labels), [{"id": str(uuid4()), "tool": "sphere"}])
        save_message(
            assignment_id=row.pk, layer="findings", message=message, if_match=EMPTY, key=uuid4(), actor=world[who]
        )
    values = {"diagnosis": "covid19", "quality": "good", **answers}
    save_answers(assignment_id=row.pk, values=values, actor=world[who])
    submit_assignment(assignment_id=row.pk, actor=world[who], acknowledged=["mask_outside_lung"])


def two_claims(world: World) -> tuple[Assignment, Assignment]:
    overlap(world.campaign)
    publish(world, to=None, size=2)
    return claim_assignment(actor=world["annotator"]), claim_assignment(actor=world["annotator2"])


def test_a_pair_is_measured_once_of_any_finding_and_by_class(world: World) -> None:
    one, other = two_claims(world)
    first = ball().astype(np.uint8)
    second = np.roll(first, 2, axis=2)
    second[second == 1] = np.where(np.arange((second == 1).sum()) % 2, 1, 4)
    draw(world, one, "annotator", first)
    assert measure_pairs() == 0
    draw(world, other, "annotator2", second, diagnosis="other_infection")
    assert (measure_pairs(), measure_pairs()) == (1, 0)
    rows = {row.segment: row for row in ReadingPair.objects.select_related("first__annotation", "second__annotation")}
    assert set(rows) == {0, 1, 4}
    flip = rows[0].first.annotation.reader > rows[0].second.annotation.reader
    assert not flip
    drawn = {one.reader: first, other.reader: second}
    expected = agree(drawn[1] > 0, drawn[2] > 0, SPACING)
    found = rows[0]
    assert (found.dice, found.surface_dice, found.hd95_mm, found.assd_mm, found.lesion_f1) == pytest.approx(
        (expected.dice, expected.surface_dice, expected.hd95_mm, expected.assd_mm, expected.lesions.f1)
    )
    assert (found.first_ml, found.second_ml) == pytest.approx((expected.first_ml, expected.second_ml))
    assert sorted(found.answers["diagnosis"]) == ["covid19", "other_infection"]
    only = rows[4]
    assert (only.dice, only.hd95_mm, only.answers) == (0.0, None, {})


def test_readers_who_agree_too_little_get_one_more_up_to_a_limit(world: World) -> None:
    world.people |= {person.username: person for person in invite_readers(world, 2)}
    one, other = two_claims(world)
    Campaign.objects.update(overlap_low_dice=0.8, overlap_most=3)
    world.campaign.refresh_from_db()
    draw(world, one, "annotator", ball().astype(np.uint8))
    draw(world, other, "annotator2", ball(radius=5.0).astype(np.uint8))
    assert (measure_pairs(), CampaignScan.objects.get(scan=one.scan).readers) == (1, 3)
    overlap(world.campaign, 0.0)
    third = create_batch(campaign=world.campaign, actor=world["coordinator"], size=1, assignee=world["reader0"])
    row = third.assignments.select_related("scan").get()
    assert (row.scan, row.reader, row.is_overlap) == (one.scan, 3, True)
    publish_batch(batch_id=third.pk, actor=world["coordinator"])
    draw(world, row, "reader0", ball(radius=3.0).astype(np.uint8))
    # Three is the most, however little they agree.
    assert (measure_pairs(), CampaignScan.objects.get(scan=one.scan).readers) == (2, 3)
    added = AuditEntry.objects.filter(action="campaign.reader_added")
    assert [entry.new for entry in added] == [{"scan": one.scan.code, "readers": 3}]


def test_two_empty_masks_agree_and_a_correction_changes_nothing(world: World) -> None:
    ((first, _),) = read_twice(world)
    found = ReviewRound.objects.get(annotation=first)
    assert measure_pairs() == 1
    assert ReadingPair.objects.get(segment=0).dice == 1.0
    assert found.masks.get().submitted is not None
    one, other = two_claims(world)
    for row, who in ((one, "annotator"), (other, "annotator2")):
        draw(world, row, who, np.zeros(SHAPE, np.uint8), diagnosis="no_signs", confirmed_empty=True)
    assert measure_pairs() == 1
    pair = ReadingPair.objects.get(first__annotation__scan=one.scan)
    assert (pair.segment, pair.dice, pair.surface_dice, pair.assd_mm) == (0, 1.0, 1.0, 0.0)
    shown = measure_agreement(world["coordinator"], world.campaign)
    assert (len(shown.pairs), shown.both_empty) == (2, 1)
    assert group_of("empty", [pair]).assd_mm is None  # no distance where nothing was drawn


def test_what_was_taken_back_counts_no_longer_and_is_measured_anew(world: World) -> None:
    ((first, _),) = read_twice(world)
    measure_pairs()
    who = first.person.username
    take_back_submission(assignment_id=first.pk, actor=world[who])
    assert measure_agreement(world["coordinator"], world.campaign).pairs == []
    submit_assignment(assignment_id=first.pk, actor=world[who], acknowledged=["mask_outside_lung"])
    assert measure_pairs() == 1
    assert len(measure_agreement(world["coordinator"], world.campaign).pairs) == 1


def test_a_person_who_reads_twice_is_on_the_diagonal_only(world: World) -> None:
    first = publish(world, size=1).assignments.select_related("scan", "campaign").get()
    label(world, first)
    approve(world, first)
    again = Assignment.objects.create(
        campaign=world.campaign, batch=first.batch, scan=first.scan, person=world["annotator"], reader=2
    )
    label(world, again)
    submit_assignment(assignment_id=again.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    assert measure_pairs() == 1
    found = measure_agreement(world["coordinator"], world.campaign)
    assert (found.pairs, found.readers) == ([], ["annotator"])
    ((_, (cell,)),) = found.matrix
    assert (cell.pairs, cell.dice) == (1, 1.0)


def test_figures_of_many_pairs(world: World) -> None:
    pairs = read_twice(world, scans=6)
    assert measure_pairs() == 6
    # As if the second reader had marked more on each.
    for number, row in enumerate(ReadingPair.objects.filter(segment=0).order_by("pk")):
        row.first_ml, row.second_ml, row.dice = 10.0 * number, 10.0 * number + 2 + number % 2, 0.5 + 0.05 * number
        row.save()
    found = measure_agreement(world["coordinator"], world.campaign)
    assert len(found.pairs) == len(pairs) == 6
    assert found.limits.bias.value == pytest.approx(-2.5)
    assert found.icc.value == pytest.approx(0.99, abs=0.01)
    assert [pair.dice for pair in found.least] == pytest.approx([0.5, 0.55, 0.6, 0.65, 0.7, 0.75])
    assert {row[0] for row in found.matrix} == {"annotator", "annotator2"}
    (_, one), (_, other) = found.matrix
    assert one[1].difference_ml == pytest.approx(-other[0].difference_ml)
    assert (one[0], other[1], one[1].pairs) == (None, None, 6)
    assert {group.name: group.pairs for group in found.sites} == {"Site a": 2, "Site b": 2, "Site c": 2}
    assert {question.text: question.alpha for question in found.questions}["Diagnosis class"] == 1.0
