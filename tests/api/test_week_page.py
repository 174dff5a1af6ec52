"""The weekly summary: what it counts, of which week, and for whom."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest

from annotation.datasets.models import Release
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.pages.selectors.week import monday_of, week_of
from annotation.reviews.models import ReviewRound
from annotation.work.models import Assignment
from tests.api.test_pages import log_in, text
from tests.factories.overlap import read_twice
from tests.factories.world import World, approve, first_of, label, publish
from voxloop.accounts.zones import today_of
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/week/"


def figures(world: World, monday: date) -> dict[str, float | None]:
    return {one.words: one.value for one in week_of(world["coordinator"], world.campaign, monday).figures}


def this_monday(world: World) -> date:
    return monday_of(today_of(world["coordinator"]))


def test_a_week_counts_what_was_done_in_it_and_compares_with_the_one_before(world: World) -> None:
    batch = publish(world, size=3)
    first, second, third = batch.assignments.order_by("position")
    for row in (first, second):
        label(world, row)
        approve(world, row)
    Assignment.objects.filter(pk__in=[first.pk, second.pk]).update(active_seconds=120)
    Assignment.objects.filter(pk=third.pk).update(state="blocked", reason="burnt-in text", person=world["annotator"])
    # The first was done a week earlier.
    week = timedelta(days=7)
    ReviewRound.objects.filter(annotation=first).update(created_at=now() - week, ended_at=now() - week)
    Assignment.objects.filter(pk=first.pk).update(submitted_at=now() - week, active_seconds=300)
    monday = this_monday(world)
    found = week_of(world["coordinator"], world.campaign, monday)
    told = {one.words: (one.value, one.before) for one in found.figures}
    assert told["Scans handed in"] == told["Scans approved"] == (1, 1)
    assert told["First-pass acceptance"] == (100, 100)
    assert told["Median time per scan"] == (2, 5)
    assert told["Returned"] == (0, 0)
    assert [(one.name, one.handed_in, one.approved, one.verdicts) for one in found.people] == [
        ("annotator", 1, 1, 0),
        ("reviewer", 0, 0, 1),
    ]
    assert found.sites == [(second.scan.site.code, 1, 1)]
    assert sum(handed for _, handed, _ in found.days) == sum(approved for *_, approved in found.days) == 1
    assert found.waiting is not None
    assert (found.waiting.for_review, found.waiting.blocked, found.waiting.late) == (0, 1, [])
    assert week_of(world["coordinator"], world.campaign, monday - week).waiting is None
    assert figures(world, monday - 2 * week)["Scans handed in"] == 0

    client = log_in(world, "coordinator")
    page = text(client, PAGE)
    assert "1 scan is blocked until somebody answers" in " ".join(page.split())
    assert "5.0 min the week before" in page
    rows = list(csv.reader(StringIO(client.get("/campaigns/chest-ct/week.csv").content.decode())))
    assert rows[0] == ["of", "figure", "unit", "week", "week_before"]
    assert ["campaign", "Median time per scan", "min", "2.0", "5.0"] in rows
    assert ["reviewer", "Verdicts", "count", "1", ""] in rows
    assert [f"site {second.scan.site.code}", "Approved", "count", "1", ""] in rows
    assert len(rows) == 1 + 7 + 2 * 5 + 2 + 2 * 7


def test_models_and_releases_of_the_week_are_told(world: World) -> None:
    run = TrainingRun.objects.create(campaign=world.campaign, number=1, seed=1, manifest={}, manifest_hash="0" * 64)
    ModelVersion.objects.create(
        campaign=world.campaign,
        number=4,
        run=run,
        weights_key="weights/4",
        config={},
        metrics={},
        state="champion",
        promoted_at=now(),
    )
    Release.objects.create(
        campaign=world.campaign, name="2026.11", state="frozen", manifest_hash="0" * 64, frozen_at=now()
    )
    Release.objects.create(campaign=world.campaign, name="draft")
    happened = week_of(world["coordinator"], world.campaign, this_monday(world)).happened
    assert [words for _, words in happened] == ["Model m4 began to serve.", "Release 2026.11 was frozen."]
    assert "Release 2026.11 was frozen." in text(log_in(world, "coordinator"), PAGE)


def test_a_scan_that_several_read_counts_once_and_its_readers_each(world: World) -> None:
    read_twice(world, scans=2)
    found = week_of(world["coordinator"], world.campaign, this_monday(world))
    assert found.figures[0].value == 2
    assert [(one.name, one.handed_in) for one in found.people] == [("annotator", 2), ("annotator2", 2)]


def test_gold_readings_are_no_work_of_the_week(world: World) -> None:
    row = first_of(publish(world, size=1))
    label(world, row)
    Assignment.objects.filter(pk=row.pk).update(is_gold=True, is_overlap=True, reader=100)
    approve(world, row)
    found = week_of(world["coordinator"], world.campaign, this_monday(world))
    assert not found.people
    assert not any(one.value for one in found.figures if one.words != "Scans taken in")


@pytest.mark.parametrize("asked", ["", "2026-13-45", "next", "9999-01-01", "0001-01-01"])
def test_an_odd_week_is_the_running_one(world: World, asked: str) -> None:
    page = text(log_in(world, "coordinator"), PAGE, of=asked)
    assert 'aria-current="true">This week' in page
    assert "Week after" not in page


def test_a_week_without_work_says_so(world: World) -> None:
    page = text(log_in(world, "coordinator"), PAGE, of="2020-01-01")
    assert "Nothing happened in this week" in page
    assert "Week after" in page
