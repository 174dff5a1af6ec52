"""What approved annotations took: which arm, against which model, how far from its mask."""

from uuid import UUID

import pytest

from annotation.learning.effort import measure_when_due
from annotation.learning.gains import measure_gains, visible_efforts
from annotation.learning.models import Effort
from annotation.masks.answers import save_answers
from annotation.masks.selectors import is_drawn, is_served_blank
from annotation.masks.services import begin, repeat_prediction, save_message
from annotation.work.erasing import erase
from annotation.work.models import Assignment, Campaign
from annotation.work.schema import parse_schema
from annotation.work.services import reclaim_assignment
from annotation.work.withdrawing import withdraw
from tests.db.test_learning import model_of
from tests.factories.effort import foresee, work
from tests.factories.world import World, approve, ball, first_of, label, publish
from voxloop.kernel.clock import now
from voxloop.volume.labelmap import encode_message

pytestmark = pytest.mark.django_db
VOXEL_ML = 0.0025  # 2.5 x 1 x 1 mm


def test_each_arm_is_told_and_measured_against_its_model(world: World) -> None:
    first, second = model_of(world, 1, "replaced"), model_of(world, 2, "champion")
    scans = world.scans
    drawn, small = int(ball().sum()), int(ball(radius=6.0).sum())
    nobody = work(world, scans[0], minutes=9)
    foresee(world, first, scans[1], radius=6.0)
    shown = work(world, scans[1], minutes=4)
    foresee(world, first, scans[3], radius=6.0)
    foresee(world, second, scans[3], radius=9.0)
    blank = work(world, scans[3], minutes=8, is_blank=True)
    assert measure_when_due() == 3
    assert measure_when_due() == 0
    got = {row.assignment_id: row for row in Effort.objects.all()}
    row = got[nobody.pk]
    assert (row.arm, row.model, row.added_ml, row.active_seconds, row.strokes) == ("none", None, None, 540, 1)
    assert row.drawn_ml == pytest.approx(drawn * VOXEL_ML)
    row = got[shown.pk]
    assert (row.arm, row.model, row.removed_ml) == ("shown", first, 0.0)
    assert row.added_ml == pytest.approx((drawn - small) * VOXEL_ML)
    # Every lesion of the model's mask is judged: the reader's own mask goes beyond it.
    volumes = [pytest.approx(n * VOXEL_ML, abs=1e-4) for n in (small, small, drawn)]
    assert row.lesions == [["changed", *volumes]]
    assert got[nobody.pk].lesions is None
    # Measured against the newest mask there was, although the reader did not see it.
    row = got[blank.pk]
    assert (row.arm, row.model, row.added_ml, row.removed_ml) == ("blank", second, 0.0, 0.0)


def test_what_was_grown_anew_is_told_also_of_what_was_measured_before(world: World) -> None:
    foresee(world, model_of(world, 1, "champion"), world.scans[0], radius=9.0)
    row = first_of(publish(world, size=1))
    begin(assignment_id=row.pk, actor=world["annotator"])
    head = row.heads.get()
    stroke = {"id": str(UUID(int=1)), "tool": "regrow", "ijk": [size // 2 for size in reversed(row.scan.shape_zyx)]}
    save_message(
        assignment_id=row.pk,
        layer="findings",
        message=encode_message("findings", tuple(row.scan.shape_zyx), {}, [stroke]),
        if_match=str(head.revision_id),
        key=UUID(int=2),
        actor=world["annotator"],
    )
    save_answers(assignment_id=row.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=world["annotator"])
    approve(world, row)
    assert measure_when_due() == 1
    (lesion,) = Effort.objects.get().lesions or []
    assert lesion[0] == "regrown"
    assert lesion[1] == lesion[2] == lesion[3] > 0
    Effort.objects.update(lesions=None)  # as one that was measured before lesions were judged
    assert (measure_when_due(), measure_when_due()) == (1, 0)
    assert Effort.objects.get().lesions == [lesion]


def test_an_older_models_mask_and_one_that_came_too_late(world: World) -> None:
    first, second = model_of(world, 1, "replaced"), model_of(world, 2, "champion")
    old = foresee(world, first, world.scans[0], radius=6.0)
    foresee(world, second, world.scans[0], radius=9.0)
    older = work(world, world.scans[0], minutes=5)
    older.heads.update(start=old.revision)  # as an arm of older models serves it
    early = work(world, world.scans[1], minutes=5)
    foresee(world, second, world.scans[1], radius=9.0)  # after it was opened
    Assignment.objects.filter(pk=older.pk).update(opened_at=now())
    assert measure_when_due() == 2
    arms = dict(Effort.objects.values_list("assignment_id", "arm"))
    assert arms == {older.pk: "older", early.pk: "none"}


def test_a_share_begins_from_the_model_before_and_is_its_own_arm(world: World) -> None:
    Campaign.objects.filter(pk=world.campaign.pk).update(older_share=1.0)
    world.campaign.refresh_from_db()
    first, second = model_of(world, 1, "replaced"), model_of(world, 2, "champion")
    old = foresee(world, first, world.scans[0], radius=6.0)
    foresee(world, second, world.scans[0], radius=9.0)
    both = work(world, world.scans[0], minutes=5)
    assert both.heads.get().start == old.revision
    # Only one model has seen the second scan: there is no mask of one before it.
    foresee(world, second, world.scans[1], radius=9.0)
    alone = work(world, world.scans[1], minutes=5)
    # A roll-back made the first model's mask the newest again: the second is not the one before it.
    again = foresee(world, first, world.scans[3], radius=6.0)
    foresee(world, second, world.scans[3], radius=9.0)
    assert again.revision is not None
    served = repeat_prediction(revision=again.revision, layer=parse_schema(world.campaign.schema.definition).layer())
    rolled_back = work(world, world.scans[3], minutes=5)
    assert rolled_back.heads.get().start == served
    # Who begins blank by the draw does so, whatever the other draw says.
    foresee(world, first, world.scans[4], radius=6.0)
    foresee(world, second, world.scans[4], radius=9.0)
    blank = work(world, world.scans[4], minutes=5, is_blank=True)
    assert measure_when_due() == 4
    arms = {row.assignment_id: (row.arm, row.model) for row in Effort.objects.all()}
    assert arms == {
        both.pk: ("older", first),
        alone.pk: ("shown", second),
        rolled_back.pk: ("shown", first),
        blank.pk: ("blank", second),
    }


def test_the_draw_is_seeded_and_of_about_the_share(world: World) -> None:
    world.campaign.blank_share, world.campaign.older_share = 0.1, 0.2
    drawn = []
    for number in range(400):
        row = Assignment(pk=UUID(int=number), campaign=world.campaign)
        drawn.append((is_served_blank(row), is_drawn(row, 0.2, of="older")))
        assert drawn[-1][1] == is_drawn(row, 0.2, of="older")
    blank, older, both = (sum(kind) for kind in zip(*[(b, o, b and o) for b, o in drawn], strict=True))
    assert (20 < blank < 60, 50 < older < 110, both < 25) == (True, True, True)


def test_a_line_of_work_counts_as_a_whole_and_is_measured_again_after_a_change(world: World) -> None:
    row = first_of(publish(world, size=1))
    label(world, row)
    Assignment.objects.filter(pk=row.pk).update(active_seconds=120)
    fresh = reclaim_assignment(assignment_id=row.pk, actor=world["coordinator"], why="away", person=world["annotator2"])
    begin(assignment_id=fresh.pk, actor=world["annotator2"])
    label(world, fresh, who="annotator2")
    approve(world, fresh, who="annotator2")
    Assignment.objects.filter(pk=fresh.pk).update(active_seconds=60)
    assert measure_when_due() == 1
    effort = Effort.objects.get()
    assert (effort.assignment_id, effort.active_seconds, effort.strokes) == (fresh.pk, 180, 2)
    Assignment.objects.filter(pk=fresh.pk).update(submitted_at=now())
    assert measure_when_due() == 1


def test_a_second_reading_is_compared_with_the_first(world: World) -> None:
    model = model_of(world, 1, "champion")
    first = work(world, world.scans[0], minutes=6)
    foresee(world, model, world.scans[0], radius=6.0)
    again = Assignment.objects.create(
        campaign=world.campaign, batch=first.batch, scan=first.scan, person=world["annotator2"], reader=2
    )
    label(world, again, who="annotator2")
    approve(world, again, who="annotator2")
    assert measure_when_due() == 2
    effort = Effort.objects.get(assignment=again)
    assert (effort.arm, effort.model, effort.repeat_dice) == ("repeat", model, 1.0)
    found = measure_gains(world.campaign, visible_efforts(world["coordinator"]))
    assert (len(found.repeats), found.repeat_dice.value if found.repeat_dice else None) == (1, 1.0)
    assert found.everything.blank == []  # a second reading knows the scan; it tells nothing of minutes saved


def test_minutes_saved_and_pull_with_intervals_and_for_whom(world: World) -> None:
    model = model_of(world, 1, "champion")
    for scan, minutes, is_blank in zip(
        world.scans, (10, 12, 4, 5, 6, 3), (True, True, False, False, False, False), strict=True
    ):
        foresee(world, model, scan, radius=9.0 if is_blank else 8.0)
        work(world, scan, minutes=minutes, is_blank=is_blank)
    assert measure_when_due() == 6
    found = measure_gains(world.campaign, visible_efforts(world["coordinator"]))
    assert [(group.name, len(group.shown), len(group.blank)) for group in found.models] == [("m1", 4, 2)]
    assert [group.name for group in found.sites] == ["Site a", "Site b", "Site c"]
    saved = found.everything.saved
    assert saved is not None
    assert saved.value == pytest.approx(11 - 4.5)
    assert saved.low is not None
    assert saved.high is not None
    assert saved.low < 6.5 < saved.high
    assert found.saved_hours is not None
    assert found.saved_hours.value == pytest.approx(6.5 * 4 / 60)
    assert found.everything.pull is not None
    assert found.everything.pull.value < 0  # blank masks equal the model's here: nobody was pulled
    # Who does not oversee the campaign, or is of no site, sees none of it.
    assert not visible_efforts(world["annotator"]).exists()
    assert not visible_efforts(world["outsider"]).exists()
    assert visible_efforts(world["admin"]).count() == 6


def test_a_withdrawn_scan_no_longer_counts_and_an_erased_one_is_gone(world: World) -> None:
    for scan in world.scans[:2]:
        work(world, scan, minutes=5)
    measure_when_due()
    withdraw(scan_id=world.scans[0].pk, actor=world["datamanager"], why="consent taken back")
    assert visible_efforts(world["coordinator"]).count() == 1
    scan = world.scans[1]
    assert scan.subject is not None
    erase(
        subject_id=scan.subject_id,
        actor=world["datamanager"],
        why="asked for",
        confirmation=scan.subject.pseudonym,
    )
    assert not Effort.objects.filter(assignment__scan=scan).exists()
    assert all(row.choice == {} for row in Assignment.objects.filter(scan=scan))
