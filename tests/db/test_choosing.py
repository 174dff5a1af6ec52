"""Which scans a batch gets: the first one too, by scores, with second readings, and why is kept."""

from collections import Counter
from typing import Any

import pytest
from django.conf import settings

from annotation.learning.choosing import choose_next, choose_when_due
from annotation.learning.manifest import approved_rounds, freeze_manifest
from annotation.learning.models import ScanEmbedding
from annotation.masks.services import begin
from annotation.work.batches import cancel_batch, create_batch, publish_batch
from annotation.work.choosing import mix_of, say_why
from annotation.work.models import Batch, ScanScore
from annotation.work.services import reclaim_assignment
from tests.db.test_learning import model_of
from tests.db.test_preannotation import keep_prediction
from tests.factories.files import file_of
from tests.factories.world import World, approve, build_world, label, make_scan
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.kernel.errors import Conflict

pytestmark = pytest.mark.django_db


def chosen(world: World) -> Job:
    """Carry out the choice that waits."""
    job = Job.objects.get(kind=Job.Kind.CHOOSE_SCANS, state="queued")
    run(job.pk, choose_next)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    return job


def batch_of(world: World, way: str, size: int) -> Batch:
    return create_batch(campaign=world.campaign, actor=world["coordinator"], size=size, chosen_by=way)


def test_the_first_batch_is_chosen_without_a_model_or_an_order() -> None:
    world = build_world(scans=12)
    assert choose_when_due() == 1
    assert choose_when_due() == 0  # one job at a time
    assert chosen(world).result["scans"] == 12
    # Sites a and b are described by their voxels; of site c, which is held out, nothing is looked at.
    assert {row.scan.site.code for row in ScanEmbedding.objects.select_related("scan__site")} == {"a", "b"}
    assert choose_when_due() == 0
    assert set(ScanScore.objects.values_list("strategy", flat=True)) == {"hybrid", "random"}
    batch = batch_of(world, "hybrid", 6)
    rows = list(batch.assignments.select_related("scan__site"))
    assert Counter(row.scan.site.code for row in rows) == {"a": 2, "b": 2, "c": 2}
    assert {(row.scan.site.code, row.choice["why"]) for row in rows} == {
        ("a", "diverse"),
        ("b", "diverse"),
        ("c", "held_out"),
    }
    # A new scan asks for a new order, in which site a, given out least, is not forgotten.
    make_scan(world, "a", seed=77)
    assert choose_when_due() == 1
    assert chosen(world).result["scans"] == 7
    # Scans of a batch that is cancelled had no score meanwhile: they are ordered again.
    cancel_batch(batch_id=batch.pk, actor=world["coordinator"])
    assert choose_when_due() == 1


def test_without_scores_a_batch_is_in_order_and_says_so() -> None:
    world = build_world(scans=3)
    batch = batch_of(world, "hybrid", 2)
    assert batch.chosen_by == "order"
    assert [row.choice for row in batch.assignments.all()] == [{"why": "order"}] * 2


@pytest.mark.fault("the choice of the next scans meets a damaged volume")
def test_a_damaged_scan_is_left_out_of_the_choice(world: World) -> None:
    path = file_of(settings.STORAGE_URL, world.scans[0].pack_key)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 4]))
    assert choose_when_due() == 1
    assert chosen(world).result["scans"] == 5
    assert choose_when_due() == 0  # again and again would not mend it


def test_second_readings_start_blank_and_teach_nothing(approved: World) -> None:
    campaign = approved.campaign
    campaign.repeat_share = 0.5
    campaign.save()
    model = model_of(approved, 1, "champion")
    for scan in approved.scans[:6]:
        keep_prediction(approved, model, scan, 1)
    batch = create_batch(
        campaign=campaign, actor=approved["coordinator"], size=4, chosen_by="random", assignee=approved["annotator2"]
    )
    again = list(batch.assignments.filter(reader=2).select_related("scan", "campaign"))
    assert (batch.assignments.count(), len(again)) == (4, 2)
    assert {row.choice["why"] for row in again} == {"repeat"}
    assert {row.scan_id for row in again} <= {scan.pk for scan in approved.scans[:6]}
    publish_batch(batch_id=batch.pk, actor=approved["coordinator"])
    before = set(approved_rounds(campaign).values_list("pk", flat=True))
    for row in again:
        opened = begin(assignment_id=row.pk, actor=approved["annotator2"])
        assert (opened.starts_from, opened.heads.count()) == ("blank", 0)
        label(approved, row, who="annotator2")
        approve(approved, row, who="annotator2", reviewer="reviewer2")
    assert set(approved_rounds(campaign).values_list("pk", flat=True)) == before
    assert len(freeze_manifest(campaign, profile="demo", seed=1)["items"]) == 6
    # No scan is read a third time, and second readings alone are no batch.
    campaign.repeat_share = 0.5
    other = batch_of(approved, "random", 4)
    assert not {row.scan_id for row in other.assignments.filter(reader=2)} & {row.scan_id for row in again}
    with pytest.raises(Conflict, match="No scan is left"):
        batch_of(approved, "random", 4)


def test_why_stays_when_a_scan_is_passed_on(world: World) -> None:
    ScanScore.objects.create(
        campaign=world.campaign, scan=world.scans[0], strategy="hybrid", score=1.0, why="uncertain", surer=0.87
    )
    batch = create_batch(
        campaign=world.campaign, actor=world["coordinator"], size=1, chosen_by="hybrid", assignee=world["annotator"]
    )
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    row = batch.assignments.get()
    assert row.choice == {"why": "uncertain", "strategy": "hybrid", "surer": 0.87}
    fresh = reclaim_assignment(assignment_id=row.pk, actor=world["coordinator"], why="away", person=world["annotator2"])
    assert fresh.choice == row.choice


def test_the_mix_of_a_batch_and_why_in_words() -> None:
    rows: list[tuple[str, dict[str, Any]]] = [
        ("a", {"why": "uncertain", "model": "m3", "surer": 0.874, "extent_ml": 61.0, "finding": "opacity"}),
        ("a", {"why": "random", "extent_ml": 0.2, "finding": ""}),
        ("b", {"why": "repeat"}),
        ("b", {}),
    ]
    mix = mix_of(rows)
    assert (mix.scans, mix.repeats, mix.by_site) == (4, 1, {"a": 2, "b": 2})
    assert mix.by_finding == {"opacity": 1, "nothing": 1, "not known": 2}
    assert mix.by_extent == {"nothing": 1, "50 mL and more": 1, "not known": 2}
    assert mix.by_why == {"uncertain": 1, "random": 1, "repeat": 1, "not known": 1}
    assert say_why(rows[0][1], "a") == "m3 is surer of 87 % of the scans it was chosen from."
    assert say_why({"why": "uncertain", "model": "m3"}, "a").startswith("m3 has not seen it yet")
    assert say_why({"why": "held_out"}, "c").startswith("Site c is held out")
    assert say_why({}, "a") == ""
