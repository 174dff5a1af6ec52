"""The style of an annotator: measured once as handed in first, beside gold and other readers, told to coordinators."""

import csv
from io import StringIO

import pytest
from scipy.stats import ttest_1samp

from annotation.pages.selectors.style import ENOUGH, style_of, style_readings
from annotation.reviews.models import StyleReading
from annotation.reviews.style import measure_styles
from annotation.work.gold import hide_gold
from annotation.work.models import Assignment
from tests.factories.clients import logged_in
from tests.factories.gold import golden, read
from tests.factories.overlap import claim_all, overlap, read_twice
from tests.factories.world import SHAPE, World, ball, invite_readers, publish, volume_of
from voxloop.kernel.clock import now
from voxloop.volume.agreement import border_offset_mm, hu_range

pytestmark = pytest.mark.django_db
SPACING = (2.5, 1.0, 1.0)


def read_gold(world: World, radius: float) -> Assignment:
    """`annotator2` reads one hidden gold scan as a ball of this radius; the reference is one of 9."""
    golden(world, 1)
    batch = publish(world, to="annotator2", size=1)
    hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=1)
    row = batch.assignments.select_related("scan", "campaign").get(is_gold=True)
    read(world, row, "annotator2", radius)
    return row


def test_a_gold_reading_is_measured_once_with_its_sign(world: World) -> None:
    row = read_gold(world, 11.0)
    assert (measure_styles(), measure_styles()) == (1, 0)
    found = StyleReading.objects.get()
    assert (found.assignment_id, found.against) == (row.pk, "gold")
    larger, reference = ball(SHAPE, 11.0), ball()
    expected = [mask.sum() * 2.5 / 1000 for mask in (larger, reference)]
    assert [found.drawn_ml, found.reference_ml] == pytest.approx(expected)
    assert found.offset_mm == pytest.approx(border_offset_mm(larger, reference, SPACING))
    assert found.offset_mm > 1
    assert found.hu[0] < found.reference_hu[0] - 300  # the rim of the larger ball is air
    assert found.answers == {"diagnosis": ["covid19", "covid19"], "quality": ["good", "good"]}


def test_an_independent_reading_is_measured_when_all_are_handed_in(world: World) -> None:
    overlap(world.campaign, 1.0, 3)
    world.people |= {person.username: person for person in invite_readers(world, 1)}
    publish(world, to=None, size=3)
    rows = {name: claim_all(world[name])[0] for name in ("annotator", "annotator2", "reader0")}
    read(world, rows["annotator"], "annotator", 9.0)
    read(world, rows["annotator2"], "annotator2", 9.0)
    assert measure_styles() == 0  # one is missing
    read(world, rows["reader0"], "reader0", 7.0)
    assert measure_styles() == 3
    found = {one.assignment.person.username: one for one in StyleReading.objects.select_related("assignment__person")}
    assert {one.against for one in found.values()} == {"consensus"}
    # Two that disagree have no majority where only one of them marked.
    small = ball(SHAPE, 7.0).sum() * 2.5 / 1000
    assert found["annotator"].reference_ml == pytest.approx(small)
    assert found["reader0"].reference_ml == pytest.approx(ball().sum() * 2.5 / 1000)
    assert found["reader0"].offset_mm < -1


def test_two_readers_are_measured_beside_each_other(world: World) -> None:
    read_twice(world)
    assert measure_styles() == 2
    assert {(one.against, one.offset_mm) for one in StyleReading.objects.all()} == {("reader", 0.0)}


def made(world: World, apart_ml: list[float]) -> None:
    """Measured readings of `annotator` that mark so much more than the panel."""
    batch = publish(world, size=1)
    for number, more in enumerate(apart_ml):
        row = Assignment.objects.create(
            campaign=world.campaign,
            batch=batch,
            scan=world.scans[number % 3],
            person=world["annotator"],
            reader=100 + number,
            state="skipped",
        )
        StyleReading.objects.create(
            assignment=row,
            campaign=world.campaign,
            against="gold",
            drawn_ml=20 + more,
            reference_ml=20,
            offset_mm=more / 10,
            hu=[-500 + more, -200, 40],
            reference_hu=[-450, -200, 40 + more / 100],
            answers={"diagnosis": ["covid19", "covid19" if number else "no_signs"]},
            handed_in_at=now(),
        )


def test_the_profile_speaks_from_ten_scans_on(world: World) -> None:
    apart = [3.0, 4.0, 5.0, 3.5, 4.5, 5.5, 2.5, 4.0, 4.2]
    made(world, apart)
    client = logged_in(world, "coordinator")
    address = f"/campaigns/chest-ct/readers/{world['annotator'].pk}/"
    early = client.get(address).content.decode()
    assert "1 more scan until this is a style" in early
    assert "Marks more than the panel" not in early
    StyleReading.objects.all().delete()
    Assignment.objects.filter(reader__gte=100).delete()
    made(world, [*apart, 3.8])
    found = style_of(world.campaign, style_readings(world["coordinator"], world.campaign, world["annotator"]))
    assert len(found.readings) == ENOUGH
    assert found.volume_ml.value == pytest.approx(4.0)
    expected = ttest_1samp([*apart, 3.8], 0).confidence_interval()
    assert (found.volume_ml.low, found.volume_ml.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.words[0] == "Marks more than the panel: 4.0 mL on average."
    assert found.words[1].startswith("Draws outside the panel's border: 0.4 mm")
    assert found.words[2] == "The faintest that is marked is 46 HU lower than the panel's."
    (question,) = found.questions
    assert (question.same, question.asked, question.kappa) == (9, 10, 0.0)
    page = client.get(address).content.decode()
    assert "enough for a profile" in page
    assert found.words[0] in page
    lines = list(csv.DictReader(StringIO(client.get(f"{address}style.csv").content.decode())))
    assert [line["difference_ml"] for line in lines][:2] == ["3.000", "4.000"]


def test_only_a_coordinator_reads_it_and_only_of_annotators(world: World) -> None:
    address = f"/campaigns/chest-ct/readers/{world['annotator'].pk}/"
    for name, status in (("coordinator", 200), ("annotator", 403), ("reviewer", 403), ("datamanager", 403)):
        assert logged_in(world, name).get(address).status_code == status, name
    assert "Nothing is measured yet" in logged_in(world, "coordinator").get(address).content.decode()
    other = f"/campaigns/chest-ct/readers/{world['reviewer'].pk}/"
    assert logged_in(world, "coordinator").get(other).status_code == 404


def test_the_range_is_that_of_the_scan(world: World) -> None:
    row = read_gold(world, 9.0)
    measure_styles()
    number = world.scans.index(next(one for one in world.scans if one.pk == row.scan_id))
    assert StyleReading.objects.get().hu == pytest.approx(list(hu_range(ball(), volume_of(number))))
