"""Releases over HTTP: who sees them, makes them, freezes them and asks for exports."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.datasets.exporting import write_export
from annotation.datasets.verify import verify
from annotation.scans.models import SiteMembership
from tests.api.test_loop_over_http import log_in, post
from tests.factories.world import World, approve, label, publish
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(world: World) -> World:
    for assignment in publish(world, size=2).assignments.all():
        label(world, assignment)
        approve(world, assignment)
    return world


@pytest.fixture
def manager(approved: World) -> Client:
    return log_in(approved, "datamanager")


def made(client: Client, world: World, **fields: Any) -> dict[str, Any]:
    answer = post(client, "/releases/", {"campaign": str(world.campaign.pk), "name": "r1", **fields})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_make_freeze_export_verify(approved: World, manager: Client, settings: Any) -> None:
    release = made(manager, approved, licence="CC BY 4.0", notes="The first.")
    assert (release["state"], release["scans"]) == ("draft", {"train": {"a": 2}})
    frozen = post(manager, f"/releases/{release['id']}/freeze").json()
    assert (frozen["state"], len(frozen["manifest_hash"])) == ("frozen", 64)
    asked = post(manager, f"/releases/{release['id']}/export")
    assert asked.status_code == 202
    run(asked.json()["job"], write_export)
    told = manager.get(f"/api/v1/releases/{release['id']}/").json()["exports"][0]
    assert verify(settings.EXPORT_ROOT / "chest-ct-r1", seal=told["seal"]).is_proven
    assert post(manager, f"/releases/{release['id']}/publish").json()["state"] == "published"
    assert post(manager, f"/releases/{release['id']}/yank", {"reason": "replaced"}).json()["state"] == "yanked"
    assert [row["name"] for row in manager.get("/api/v1/releases/?state=yanked").json()["results"]] == ["r1"]


def test_days_and_sites_are_chosen(approved: World, manager: Client) -> None:
    tomorrow = str((now() + timedelta(days=1)).date())
    assert made(manager, approved, approved_from=tomorrow)["scans"] == {}
    assert made(manager, approved, name="r2", sites=["a"])["filters"]["sites"] == ["a"]
    refused = post(manager, "/releases/", {"campaign": str(approved.campaign.pk), "name": "r3", "sites": ["zz"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_site")


BAD: list[dict[str, Any]] = [
    {"campaign": None},
    {"campaign": "no"},
    {"name": None},
    {"name": "x" * 65},
    {"name": "…"},
    {"sites": "a"},
    {"approved_from": "yesterday"},
]


def test_bad_fields_are_told(approved: World, manager: Client) -> None:
    for change in BAD:
        refused = post(manager, "/releases/", {"campaign": str(approved.campaign.pk), "name": "r1", **change})
        assert refused.status_code == 422, change


def test_a_draft_is_not_exported_and_an_address_of_ones_own_is_refused(approved: World, manager: Client) -> None:
    release = made(manager, approved)
    assert post(manager, f"/releases/{release['id']}/export").json()["code"] == "not_frozen"
    post(manager, f"/releases/{release['id']}/freeze")
    body = {"destination": "s3://theirs/x?endpoint=http://169.254.169.254"}
    refused = post(manager, f"/releases/{release['id']}/export", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "bad_destination")
    assert not Job.objects.exists()


def test_an_export_holds_the_formats_that_are_named(approved: World, manager: Client) -> None:
    release = made(manager, approved)
    post(manager, f"/releases/{release['id']}/freeze")
    refused = post(manager, f"/releases/{release['id']}/export", {"formats": ["tiff"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_format")
    asked = post(manager, f"/releases/{release['id']}/export", {"formats": ["coco", "nnunet"]})
    assert asked.json()["formats"] == ["nifti", "dicom_seg", "nnunet", "coco"]


# Status for others: reading the release, every action, creating one.
ANSWERS = {
    "coordinator": (200, 403, 403),
    "admin": (200, 403, 403),
    "annotator": (404, 404, 403),
    "reviewer": (404, 404, 403),
    "outsider": (404, 404, 404),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_only_a_data_manager_acts_and_only_overseers_read(approved: World, manager: Client, name: str) -> None:
    draft, frozen = made(manager, approved), made(manager, approved, name="r2")
    post(manager, f"/releases/{frozen['id']}/freeze")
    client = log_in(approved, name)
    reading, acting, making = ANSWERS[name]
    assert client.get(f"/api/v1/releases/{frozen['id']}/").status_code == reading
    assert post(client, f"/releases/{draft['id']}/freeze").status_code == acting
    for action in ("publish", "yank", "export"):
        assert post(client, f"/releases/{frozen['id']}/{action}", {"reason": "x"}).status_code == acting
    body = {"campaign": str(approved.campaign.pk), "name": "theirs"}
    assert post(client, "/releases/", body).status_code == making
    listed = {row["id"] for row in client.get("/api/v1/releases/").json()["results"]}
    assert listed == {200: {draft["id"], frozen["id"]}, 404: set()}[reading]


def test_without_a_log_in_there_is_nothing(approved: World, manager: Client) -> None:
    release, anonymous = made(manager, approved), Client()
    assert anonymous.get("/api/v1/releases/").status_code == 401
    for action in ("freeze", "publish", "yank", "export"):
        assert anonymous.post(f"/api/v1/releases/{release['id']}/{action}").status_code == 401


def test_a_release_with_a_site_that_is_not_ones_own_is_not_there(approved: World, manager: Client) -> None:
    release = made(manager, approved)
    post(manager, f"/releases/{release['id']}/freeze")
    SiteMembership.objects.filter(user=approved["datamanager"], site__code="a").delete()
    for answer in (
        manager.get(f"/api/v1/releases/{release['id']}/"),
        post(manager, f"/releases/{release['id']}/export"),
        post(manager, f"/releases/{uuid4()}/freeze"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
