"""Pauses as programs set and read them, and as the viewer tells them."""

from datetime import datetime

import pytest

from annotation.work.pausing import pause_person
from tests.api.test_pauses import WHY, halt, log_in, page_of
from tests.factories.world import World, label, publish
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


def test_programs_pause_and_read_pauses(world: World) -> None:
    batch, coordinator = publish(world, size=1), log_in(world, "coordinator")
    campaign, annotator = world.campaign, world["annotator"]
    member = f"/api/v1/campaigns/{campaign.pk}/people/{annotator.pk}"
    for path in (f"/api/v1/batches/{batch.pk}", f"/api/v1/campaigns/{campaign.pk}", member):
        reader = log_in(world, "annotator")
        assert reader.get(f"{path}/pause").json() == {"is_paused": False, "reason": "", "since": None}
        assert coordinator.post(f"{path}/pause", {"reason": " "}, "application/json").status_code == 422
        started = now()
        told = coordinator.post(f"{path}/pause", {"reason": WHY}, "application/json")
        assert (told.status_code, told.json()["is_paused"], told.json()["reason"]) == (200, True, WHY)
        assert started <= datetime.fromisoformat(told.json()["since"]) <= now()
        assert reader.get(f"{path}/pause").json() == told.json()
        twice = coordinator.post(f"{path}/pause", {"reason": WHY}, "application/json")
        assert (twice.status_code, twice.json()["code"]) == (409, "paused")
        assert reader.post(f"{path}/resume").status_code == 403
        ended = coordinator.post(f"{path}/resume")
        assert ended.json() == {"is_paused": False, "reason": "", "since": None}
        assert coordinator.post(f"{path}/resume").json()["code"] == "not_paused"
    stranger = f"/api/v1/campaigns/{campaign.pk}/people/{world['outsider'].pk}/pause"
    assert coordinator.post(stranger, {"reason": WHY}, "application/json").status_code == 404


def test_the_viewer_is_told_what_is_paused_and_since_when(world: World) -> None:
    batch = publish(world, size=2)
    row = batch.assignments.order_by("position")[0]
    label(world, row)
    reader = log_in(world, "annotator")
    assert reader.get(f"/api/v1/assignments/{row.pk}/").json()["pauses"] == []
    halt(world, batch)
    pause_person(campaign=world.campaign, person_id=world["annotator"].pk, actor=world["admin"], why="Away.")
    told = reader.get(f"/api/v1/assignments/{row.pk}/").json()
    assert [(one["what"], one["why"]) for one in told["pauses"]] == [
        ("B-001 is paused.", WHY),
        ("Your work in Chest CT is paused.", "Away."),
    ]
    assert told["can"]["edit"], "what is open goes on"
    batch.refresh_from_db()
    assert datetime.fromisoformat(told["pauses"][0]["since"]) == batch.paused_at
    # The coordinator who looks on reads of the batch, not of the annotator's holiday.
    others = log_in(world, "coordinator").get(f"/api/v1/assignments/{row.pk}/").json()["pauses"]
    assert [one["what"] for one in others] == ["B-001 is paused."]
    assert "Paused <time" in page_of(world, "annotator", "/worklist/")
    assert "Paused <time" in page_of(world, "coordinator", f"/batches/{batch.pk}/")
