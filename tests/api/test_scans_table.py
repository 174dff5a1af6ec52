"""The tables of scans and people: filtered, sorted, exported, all by the address."""

import csv

import pytest
from django.test import Client

from annotation.scans.services import withdraw_scan
from tests.factories.world import World, label, publish

pytestmark = pytest.mark.django_db
PAGE, TABLE = "/campaigns/chest-ct/scans/", "/campaigns/chest-ct/scans.csv"


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def codes(client: Client, **wanted: str) -> list[str]:
    answer = client.get(PAGE, wanted)
    assert answer.status_code == 200
    return [scan.code for scan, _ in answer.context["rows"]]


def test_scans_are_found_sorted_and_kept_in_the_address(world: World) -> None:
    client = client_of(world, "coordinator")
    everything = sorted(scan.code for scan in world.scans)
    assert codes(client) == everything
    assert codes(client, sort="-code") == everything[::-1]
    assert codes(client, sort="no such column; drop") == everything
    by_site = codes(client, sort="-site")
    assert by_site[0].startswith("VX-C")
    assert by_site[-1].startswith("VX-A")
    assert codes(client, q=everything[0].lower()) == everything[:1]
    assert codes(client, q="ct CHEST") == everything
    withdraw_scan(scan_id=world.scans[0].pk, actor=world["datamanager"], why="consent")
    assert codes(client, state="withdrawn") == [world.scans[0].code]
    page = client.get(PAGE, {"q": "nothing like it", "site": "a", "sort": "-came"}).content.decode()
    assert "No scan matches" in page
    assert '<input type="hidden" name="site" value="a">' in page
    head = client.get(PAGE, {"sort": "-site", "site": "a"}).content.decode()
    assert 'aria-sort="descending"' in head
    assert "?sort=site&amp;site=a" in head, "the next click turns the order and keeps the filter"


def test_the_table_of_the_filter_is_exported(world: World) -> None:
    first = publish(world, size=1).assignments.select_related("scan").get()
    label(world, first)
    client = client_of(world, "datamanager")
    rows = list(csv.DictReader(client.get(TABLE, {"q": first.scan.code}).content.decode().splitlines()))
    [row] = rows
    assert (row["scan"], row["work"], row["person"]) == (first.scan.code, "open", "annotator")
    assert (row["slices"], row["rows"], row["columns"], row["slice_mm"]) == ("40", "48", "56", "2.5")
    assert len(client.get(TABLE).content.decode().splitlines()) == 1 + len(world.scans)


def test_people_are_sorted(world: World) -> None:
    client = client_of(world, "admin")

    def shown(**query: str) -> list[str]:
        return [one.username for one in client.get("/people/", query).context["page"]]

    names = shown()
    assert names == sorted(names)
    assert shown(sort="-name") == names[::-1]
    assert client.get("/people/", {"sort": "-log-in"}).context["page"][0].last_login is not None
