"""Pages say what is: minutes of short scans, one word a state, what cannot be undone."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from annotation.scans.models import Scan
from annotation.work.models import Assignment
from tests.api.test_pages import log_in, text
from tests.factories.world import World, approve, first_of, label, publish
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


def test_a_scan_of_some_seconds_has_its_time_on_every_page(world: World) -> None:
    row = first_of(publish(world))
    label(world, row)
    Assignment.objects.filter(pk=row.pk).update(opened_at=now() - timedelta(seconds=60))
    client = log_in(world, "annotator")
    told: Any = {"periods": [[40, 28], [30, 4]]}
    answer = client.post(f"/api/v1/assignments/{row.pk}/beat", told, "application/json")
    assert answer.status_code == 200
    assert answer.json()["active_seconds"] == 36
    approve(world, row)
    coordinator = log_in(world, "coordinator")
    page = text(coordinator, "/campaigns/chest-ct/")
    assert "Active minutes appear" not in page
    assert "0.6<small> min</small>" in page
    assert ">36 s</td>" in text(coordinator, reverse("batch", args=[row.batch_id]))
    assert "minutes you worked on each scan appear here" not in text(client, "/worklist/")


def test_a_review_has_the_word_of_its_verdict_and_a_description_is_said_once(world: World) -> None:
    row = first_of(publish(world))
    label(world, row)
    approve(world, row)
    Scan.objects.filter(pk=row.scan_id).update(description="CT")
    page = text(log_in(world, "coordinator"), reverse("scan", args=[row.scan_id]))
    assert page.count("</svg>Approved</span>") == 2
    assert "Submitted" not in page
    assert "CT, CT" not in page


def test_freezing_and_publishing_say_first_that_they_cannot_be_undone(world: World) -> None:
    row = first_of(publish(world))
    label(world, row)
    approve(world, row)
    client = log_in(world, "datamanager")
    address = client.post(reverse("release_new", args=["chest-ct"]), {"name": "2026.11"})["Location"]
    release = address.split("/")[2]
    for state, route, said in (
        ("freeze", "release_freeze", "Its list of 1 scan, the split by site and every hash are fixed for good"),
        ("publish", "release_publish", "told that this is the one to use"),
    ):
        page = text(client, address)
        dialog = page[page.index(f'<dialog class="dialog" id="{state}"') :]
        assert said in dialog
        assert "This cannot be undone." in dialog
        # The only form that does it lies in the dialog.
        assert page.count(f'action="{reverse(route, args=[release])}"') == 1
        assert f'data-opens="{state}"' in page
        client.post(reverse(route, args=[release]))
