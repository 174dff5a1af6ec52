"""The page of agreement: empty with what to do, full with its figures, and its files."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.reviews.agreement import measure_pairs
from tests.api.test_pages import log_in, text
from tests.factories.overlap import overlap, read_twice
from tests.factories.world import World, publish

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/agreement/"


def test_an_empty_page_says_what_to_do(world: World) -> None:
    assert "No scan has several readers. An administrator sets" in text(log_in(world, "coordinator"), PAGE)
    overlap(world.campaign)
    assert "drawn when the next batch is made" in text(log_in(world, "coordinator"), PAGE)
    publish(world, to=None, size=4)
    assert "2 scans with several readers, 0 readings handed in." in text(log_in(world, "coordinator"), PAGE)


def test_the_page_of_a_new_batch_says_what_it_begins_with(world: World) -> None:
    client = log_in(world, "coordinator")
    assert "owed" not in text(client, "/campaigns/chest-ct/batches/new/")
    overlap(world.campaign, readers=3)
    publish(world, size=1)
    assert "2 readings of scans with several readers are owed" in text(client, "/campaigns/chest-ct/batches/new/")


def test_a_full_page_and_its_files(world: World) -> None:
    read_twice(world, scans=5)
    measure_pairs()
    client = log_in(world, "coordinator")
    page = text(client, PAGE)
    assert "5 pairs of readings" in page
    assert "Surface Dice at 2 mm" in page
    assert "by area of the surfaces, not by count of voxels" in page
    assert 'aria-label="Difference of two readers' in page
    assert page.count("/scans/") >= 5
    assert "How far readers agree" not in text(client, "/campaigns/chest-ct/")
    assert f'href="{PAGE}"' in text(client, "/campaigns/chest-ct/")
    lines = client.get(reverse("agreement_csv", args=["chest-ct", "pairs"])).content.decode().splitlines()
    assert len(lines) == 11  # a head, five of any finding and five of the class
    assert "surface_dice_by_area" in lines[0]
    burn_up = client.get(reverse("dashboard_csv", args=["chest-ct", "burn-up"])).content.decode().splitlines()
    assert burn_up[-1].endswith(",5")  # ten readings handed in, of five scans
    assert "5 scans in 10 readings;" in text(client, "/campaigns/chest-ct/batches/")
    coverage = client.get(reverse("dashboard_csv", args=["chest-ct", "coverage"])).content.decode().splitlines()
    assert [line.split(",")[0::2] for line in coverage[1:]] == [["a", "2", "0"], ["b", "2", "0"], ["c", "2", "1"]]
    readers = client.get(reverse("agreement_csv", args=["chest-ct", "readers"])).content.decode().splitlines()
    assert readers[1:] == [
        "annotator,annotator2,5,1.0000,1.0000,0.00",
        "annotator2,annotator,5,1.0000,1.0000,0.00",
    ]
    assert client.get(reverse("agreement_csv", args=["chest-ct", "people"])).status_code == 404


def test_it_takes_as_many_queries_for_five_scans_as_for_one(world: World) -> None:
    counts = []
    for scans in (1, 5):
        read_twice(world, scans=scans)
        measure_pairs()
        client = log_in(world, "coordinator")
        # The frame of every page looks at the health of the machine now and then.
        counts.append(min(queries_of(client) for _ in range(4)))
    assert counts[0] == counts[1]


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(connection) as found:
        client.get(PAGE)
    return len(found)
