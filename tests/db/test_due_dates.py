"""A due date ends at the end of that day where the person is: west and east of UTC, and when clocks change."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from annotation.pages.forms import BatchForm
from annotation.pages.selectors.batches import Card
from annotation.work.batches import create_batch
from annotation.work.models import Batch
from tests.factories.world import World, publish
from voxloop.accounts.zones import list_zones, set_time_zone, today_of, zone_of
from voxloop.kernel import clock
from voxloop.kernel.errors import Invalid

pytestmark = pytest.mark.django_db


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment.astimezone(UTC))


@pytest.fixture
def batch(world: World) -> Batch:
    made = publish(world, size=1)
    return Batch.objects.select_related("assignee", "created_by").get(pk=made.pk)


# Zone, due date; the second and third pairs are the days on which clocks go forward and back.
DAYS = [
    ("America/Los_Angeles", date(2026, 6, 10)),
    ("America/Los_Angeles", date(2026, 3, 8)),
    ("America/Los_Angeles", date(2026, 11, 1)),
    ("Europe/Berlin", date(2026, 6, 10)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Pacific/Auckland", date(2026, 4, 5)),
    ("Pacific/Auckland", date(2026, 9, 27)),
    ("UTC", date(2026, 6, 10)),
]


@pytest.mark.parametrize(("zone", "due"), DAYS)
def test_a_batch_is_late_when_the_day_has_ended_where_its_annotator_is(
    world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch, zone: str, due: date
) -> None:
    set_time_zone(user=world["annotator"], name=zone)
    batch.refresh_from_db()
    batch.due_on = due
    card = Card(batch, Counter())
    midnight = datetime(due.year, due.month, due.day, tzinfo=ZoneInfo(zone)) + timedelta(days=1)
    midnight = midnight.astimezone(UTC)
    told = []
    for moment in (
        datetime(due.year, due.month, due.day, 17, 30, tzinfo=ZoneInfo(zone)),
        midnight - timedelta(seconds=1),
        midnight,
    ):
        at(monkeypatch, moment)
        told.append(card.days_late)
    assert told == [0, 0, 1]


def test_of_a_batch_in_the_pool_the_day_is_the_coordinators(
    world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_time_zone(user=world["coordinator"], name="Pacific/Honolulu")
    batch.refresh_from_db()
    batch.assignee, batch.due_on = None, date(2026, 6, 10)
    at(monkeypatch, datetime(2026, 6, 11, 9, 59, tzinfo=UTC))
    assert Card(batch, Counter()).days_late == 0
    at(monkeypatch, datetime(2026, 6, 11, 10, 0, tzinfo=UTC))
    assert Card(batch, Counter()).days_late == 1


@pytest.mark.parametrize(("zone", "first"), [("Pacific/Honolulu", date(2026, 6, 9)), ("Asia/Tokyo", date(2026, 6, 10))])
def test_today_can_be_chosen_where_the_coordinator_is(
    world: World, monkeypatch: pytest.MonkeyPatch, zone: str, first: date
) -> None:
    set_time_zone(user=world["coordinator"], name=zone)
    at(monkeypatch, datetime(2026, 6, 9, 20, 0, tzinfo=UTC))
    for day, is_taken in ((first, True), (first - timedelta(days=1), False)):
        data = {"chosen_by": "order", "size": "1", "review_policy": "all", "due_on": day.isoformat()}
        form = BatchForm(data, campaign=world.campaign, free=2, actor=world["coordinator"])
        assert form.is_valid() is is_taken, form.errors
    assert create_batch(campaign=world.campaign, actor=world["coordinator"], size=1, due_on=first).due_on == first
    with pytest.raises(Invalid, match="past"):
        create_batch(campaign=world.campaign, actor=world["coordinator"], size=1, due_on=first - timedelta(days=1))


def test_the_zone_is_chosen_or_the_browsers_or_the_servers(world: World, client: Client, settings: Any) -> None:
    person = world["annotator"]
    settings.DEFAULT_ZONE = "Europe/Berlin"
    assert zone_of(person).key == zone_of(None).key == "Europe/Berlin"
    client.force_login(person)
    client.cookies["zone"] = "America%2FNew_York"
    page = client.get("/people/me/").content.decode()
    assert "As my browser says (America/New_York)" in page
    person.refresh_from_db()
    assert zone_of(person).key == "America/New_York"
    client.cookies["zone"] = "Mars/Olympus"
    client.get("/people/me/")
    person.refresh_from_db()
    assert zone_of(person).key == "America/New_York"
    client.post("/people/me/time-zone/", {"time_zone": "Asia/Tokyo"})
    person.refresh_from_db()
    assert zone_of(person).key == "Asia/Tokyo"
    refused = client.post("/people/me/time-zone/", {"time_zone": "Mars/Olympus"}, follow=True)
    assert "There is no such time zone" in refused.content.decode()
    with pytest.raises(Invalid) as told:
        set_time_zone(user=person, name="Mars/Olympus")
    assert told.value.code == "bad_time_zone"
    person.refresh_from_db()
    assert zone_of(person).key == "Asia/Tokyo"
    client.post("/people/me/time-zone/", {"time_zone": ""})
    person.refresh_from_db()
    assert zone_of(person).key == "America/New_York"


def test_dates_of_people_apart_differ(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 6, 9, 11, 30, tzinfo=UTC))
    for name, zone in (("annotator", "Pacific/Honolulu"), ("annotator2", "Pacific/Auckland")):
        set_time_zone(user=world[name], name=zone)
    assert today_of(world["annotator2"]) - today_of(world["annotator"]) == timedelta(days=0)
    at(monkeypatch, datetime(2026, 6, 9, 12, 30, tzinfo=UTC))
    assert today_of(world["annotator2"]) - today_of(world["annotator"]) == timedelta(days=1)


def test_there_are_zones_to_choose_from() -> None:
    assert {"UTC", "Europe/Berlin", "America/Los_Angeles"} <= set(list_zones())
