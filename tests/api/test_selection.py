"""Scans selected in their table: a batch by hand, or a CSV."""

import csv
from typing import Any

import pytest
from django.test import Client, RequestFactory

from annotation.pages.views.selection import selection_csv
from annotation.work.models import Batch, Campaign
from tests.factories.world import World, publish
from voxloop.kernel.errors import Invalid

pytestmark = pytest.mark.django_db
BATCH, TABLE = "/campaigns/chest-ct/scans/batch/", "/campaigns/chest-ct/scans/selected.csv"


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_batch_is_made_of_the_selected_scans(world: World) -> None:
    client = client_of(world, "coordinator")
    wanted = [str(world.scans[n].pk) for n in (4, 1)]
    form = client.post(BATCH, {"scan": wanted})
    assert form.status_code == 200
    assert form.context["title"] == "New batch of 2 selected scans"
    assert not Batch.objects.exists(), "the form comes first"
    scans = form.context["form"]["scans"].initial
    assert sorted(scans) == sorted(wanted)
    answer = client.post(
        BATCH,
        {
            "scans": scans,
            "assignee": str(world["annotator"].pk),
            "publish": "on",
            "due_on": "",
            "review_policy": "sample",
        },
        follow=True,
    )
    assert "B-001 with 2 scans for annotator is published." in answer.content.decode()
    batch = Batch.objects.get()
    assert (batch.chosen_by, batch.state, batch.assignee) == ("hand", "published", world["annotator"])
    assert batch.review_policy == "sample", "of the form, not of the campaign"
    assert {str(row.scan_id) for row in batch.assignments.all()} == set(wanted)


def test_what_cannot_be_given_out_is_left_out_and_told(world: World) -> None:
    taken = publish(world, size=2).assignments.values_list("scan_id", flat=True)
    client = client_of(world, "coordinator")
    form = client.post(BATCH, {"all": "1"})
    assert form.context["title"] == "New batch of 4 selected scans"
    assert "2 selected scans are left out: in a batch already or not ready." in form.content.decode()
    told = client.post(BATCH, {"scan": [str(pk) for pk in taken]}, follow=True).content.decode()
    assert "Every selected scan is in a batch already or not ready" in told
    for nothing in ({}, {"scan": ["no id"]}, {"all": "1", "q": "nothing like it"}):
        assert "Select at least one scan." in client.post(BATCH, nothing, follow=True).content.decode()
    Campaign.objects.update(batch_size=3)
    told = client.post(BATCH, {"all": "1"}, follow=True).content.decode()
    assert "A batch holds 1 to 3 scans; 4 of the selected are free." in told
    assert Batch.objects.count() == 1


def test_a_scan_that_was_taken_meanwhile_is_told(world: World) -> None:
    client = client_of(world, "coordinator")
    scans = client.post(BATCH, {"all": "1"}).context["form"]["scans"].initial
    publish(world, size=1)
    answer = client.post(BATCH, {"scans": scans, "assignee": str(world["annotator"].pk)})
    assert answer.status_code == 422
    assert answer["Voxloop-Code"] == "scan_taken"
    assert answer.context["form"]["assignee"].value() == str(world["annotator"].pk), "what was typed stays"
    assert Batch.objects.count() == 1


def test_all_found_are_those_of_the_filter(world: World) -> None:
    client = client_of(world, "coordinator")
    form = client.post(BATCH, {"all": "1", "site": "a"})
    codes = {scan.code for scan in world.scans if str(scan.pk) in form.context["form"]["scans"].initial}
    assert codes == {scan.code for scan in world.scans if scan.site.code == "a"}


def test_the_selection_is_exported(world: World) -> None:
    client = client_of(world, "datamanager")
    page = client.get("/campaigns/chest-ct/scans/").content.decode()
    assert "Make batch" not in page
    assert page.count("data-select ") == len(world.scans)
    wanted = [world.scans[n] for n in (0, 3)]
    answer = client.post(TABLE, {"scan": [str(scan.pk) for scan in wanted], "sort": "-code"})
    rows = list(csv.DictReader(answer.content.decode().splitlines()))
    assert [row["scan"] for row in rows] == sorted((scan.code for scan in wanted), reverse=True)
    assert len(client.post(TABLE, {"all": "1", "site": "a"}).content.decode().splitlines()) == 1 + sum(
        scan.site.code == "a" for scan in world.scans
    )
    empty = client.post(TABLE, {})
    assert (empty.status_code, Batch.objects.count()) == (302, 0)


def test_an_empty_selection_is_refused_with_its_code(world: World) -> None:
    request: Any = RequestFactory().post(TABLE)
    request.user = world["datamanager"]
    with pytest.raises(Invalid) as refused:
        selection_csv(request, world.campaign)
    assert refused.value.code == "nothing_selected"
