"""The page of gold scans and its forms: what it shows, what it refuses, and a constant number of queries."""

import csv
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.reviews.gold import measure_gold
from annotation.reviews.models import GoldScan, Trial
from annotation.work.gold import hide_gold
from annotation.work.models import CampaignMember
from tests.factories.clients import logged_in
from tests.factories.gold import approved, golden, read, set_policy
from tests.factories.world import World, publish

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/gold/"


def test_scans_are_made_gold_all_or_none(world: World) -> None:
    rows = approved(world, 2)
    client = logged_in(world, "coordinator")
    scans = [str(row.scan_id) for row in rows]
    made = client.post(f"{PAGE}make/", {"origin": "approved", "scans": scans, "certifies": "on"}, follow=True)
    assert "2 scans are gold now." in made.content.decode()
    assert GoldScan.objects.filter(certifies=True).count() == 2
    later = [str(row.scan_id) for row in approved(world, 1)]
    refused = [
        {"origin": "approved", "scans": []},
        {"origin": "guess", "scans": later},
        {"origin": "staple", "scans": later},  # read once
        {"origin": "approved", "scans": [*later, scans[0]]},  # one is gold already
        {"origin": "approved", "scans": ["no id"]},
    ]
    for body in refused:
        assert "gold now" not in client.post(f"{PAGE}make/", body, follow=True).content.decode()
    assert GoldScan.objects.count() == 2
    gold = GoldScan.objects.first()
    for change, holds in (("spare", (False, True)), ("retire", (False, False)), ("use", (False, True))):
        client.post(f"{PAGE}{gold.pk}/change/", {"change": change})
        gold.refresh_from_db()
        assert (gold.certifies, gold.retired_at is None) == holds
    client.post(f"{PAGE}{gold.pk}/change/", {"change": "else"})
    assert client.post("/campaigns/chest-ct/gold/01990000-0000-7000-8000-000000000000/change/").status_code == 404


def test_figures_are_the_readers_and_come_as_csv(world: World) -> None:
    golden(world, 2)
    batch = publish(world, to="annotator2", size=2)
    hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=2)
    client = logged_in(world, "coordinator")
    with CaptureQueriesContext(connection) as before:
        assert client.get(PAGE).status_code == 200
    for row in batch.assignments.filter(is_gold=True).select_related("scan", "campaign"):
        read(world, row, "annotator2", 7.0)
    assert measure_gold() == 2
    with CaptureQueriesContext(connection) as after:
        page = client.get(PAGE).content.decode()
    assert len(after) <= len(before)
    assert "annotator2, reading 2: Dice 0.6" in page
    lines = list(csv.DictReader(StringIO(client.get(f"{PAGE}readings.csv").content.decode())))
    assert [(line["person"], line["kind"], line["too_much_ml"]) for line in lines] == [
        ("annotator2", "hidden", "0.000")
    ] * 2


def test_a_newcomer_begins_from_the_list_and_a_coordinator_lets_work(world: World) -> None:
    golden(world, 1, certifies=True)
    client = logged_in(world, "annotator2")
    begin = "/campaigns/chest-ct/certification/begin/"
    assert client.post(begin).status_code == 302
    assert not Trial.objects.exists()  # the campaign asks for none
    set_policy(world.campaign, certifies=True)
    assert "Begin attempt 1" in client.get("/worklist/").content.decode()
    opened = client.post(begin)
    trial = Trial.objects.get()
    row = trial.batch.assignments.get()
    assert opened["Location"] == f"/view/{row.pk}/"
    assert f"Go on with {row.scan.code}" in client.get("/worklist/").content.decode()
    client.post(f"/api/v1/assignments/{row.pk}/open", content_type="application/json")
    told = client.post(f"/api/v1/assignments/{row.pk}/submit", {}, content_type="application/json")
    assert (told.status_code, told.json()["code"]) == (409, "interlocks")
    read(world, row, "annotator2", 3.0)
    assert "Try the" in client.get("/worklist/").content.decode()
    plain = publish(world, to="annotator2", size=1).assignments.get()
    closed = client.post(f"/api/v1/assignments/{plain.pk}/open", content_type="application/json")
    assert (closed.status_code, closed.json()["code"]) == (409, "not_certified")
    # The batch of an attempt is none of the campaign's work.
    coordinator = logged_in(world, "coordinator")
    assert trial.batch.name not in coordinator.get("/campaigns/chest-ct/batches/").content.decode()
    address = f"/campaigns/chest-ct/people/{world['annotator2'].pk}/let-work/"
    coordinator.post(address, {"reason": ""})
    assert CampaignMember.objects.get(user=world["annotator2"]).certified_at is None
    coordinator.post(address, {"reason": "made the references"})
    assert client.post(f"/api/v1/assignments/{plain.pk}/open", content_type="application/json").status_code == 200
