"""A refused form keeps what was typed, and the refusal stands at the field that it is about, which has the focus."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.datasets.services import create_release
from tests.factories.clients import logged_in
from tests.factories.world import World
from voxloop.accounts.models import User
from voxloop.kernel.errors import CODE_HEADER

pytestmark = pytest.mark.django_db


def marked(page: str) -> list[str]:
    """Names of the fields that are marked as wrong."""
    tags = re.findall(r"<(?:input|select|textarea)[^>]*>", page)
    return [re.findall(r' name="([^"]+)"', tag)[0] for tag in tags if 'aria-invalid="true"' in tag]


def refused(client: Client, path: str, body: dict[str, Any], field: str, code: str, kept: list[str]) -> str:
    answer = client.post(path, body)
    page = answer.content.decode()
    assert (answer.status_code, answer.get(CODE_HEADER)) == (422, code), page
    assert marked(page) == [field]
    for words in kept:
        assert f'value="{words}"' in page or f"{words}</textarea>" in page, words
    return page


def test_an_invitation_that_is_refused_is_not_emptied(world: World) -> None:
    client = logged_in(world, "admin")
    body = {"username": "annotator", "password": "a long enough secret", f"roles_{world.campaign.pk}": "annotator"}
    page = refused(client, "/people/new/", body, "username", "name_taken", ["annotator"])
    assert re.search(r'<input[^>]*value="annotator"[^>]*checked', page)
    refused(client, "/people/new/", {**body, "username": "ada", "password": "short"}, "password", "bad_person", ["ada"])
    refused(client, "/people/new/", {**body, "username": "a b!"}, "username", "bad_person", ["a b!"])
    assert not User.objects.filter(username="ada").exists()


def test_a_password_that_is_refused_changes_no_role(world: World) -> None:
    client = logged_in(world, "admin")
    path = f"/people/{world['reviewer'].pk}/"
    refused(client, path, {"password": "short"}, "password", "bad_person", [])
    assert world["reviewer"].memberships.exists()


def test_a_campaign_whose_name_or_short_name_is_taken(world: World) -> None:
    client = logged_in(world, "admin")
    body = {"name": "Another", "slug": world.campaign.slug, "planned_scans": "40", "schema": "chest-ct"}
    page = refused(client, "/campaigns/new/", body, "slug", "slug_taken", ["Another", "40"])
    assert "short name" in page
    refused(
        client,
        "/campaigns/new/",
        {**body, "name": world.campaign.name, "slug": "new"},
        "name",
        "campaign_taken",
        ["new"],
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("planned_scans", "99999999999999999999"),
        ("planned_until", "1999-01-01"),
        *(("slug", name) for name in ("Neu_UPPER", "a--b", "-a", "a b", "ä")),
    ],
)
def test_a_campaign_that_cannot_be_made_so_is_told_at_the_field(world: World, field: str, value: str) -> None:
    body = {"name": "Another", "slug": "another", "planned_scans": "40", "schema": "chest-ct", field: value}
    answer = logged_in(world, "admin").post("/campaigns/new/", body)
    assert (answer.status_code, marked(answer.content.decode())) == (422, [field])


def test_a_choice_of_notices_that_is_refused_stays_as_it_was_typed(world: World) -> None:
    client = logged_in(world, "annotator")
    body = {"email": "nobody", "wanted": ["comment:page"]}
    answer = client.post("/notices/choices/", body)
    page = answer.content.decode()
    assert (answer.status_code, answer.get(CODE_HEADER), page.count(" checked")) == (422, "bad_email", 1)
    assert 'value="nobody"' in page
    assert client.get("/notices/").content.decode().count(" checked") > 1, "nothing was kept"


def test_a_batch_without_scans_keeps_its_form(world: World) -> None:
    client = logged_in(world, "coordinator")
    world.campaign.campaign_scans.all().delete()
    body = {"chosen_by": "random", "size": "3", "review_policy": "all", "publish": "on"}
    page = refused(client, f"/campaigns/{world.campaign.slug}/batches/new/", body, "assignee", "no_scans_left", ["3"])
    assert re.search(r'<option value="random"\s+selected', page)


def test_a_release_whose_name_is_taken(world: World) -> None:
    create_release(campaign=world.campaign, name="r1", actor=world["datamanager"])
    client = logged_in(world, "datamanager")
    body = {"name": "R1", "notes": "all of June", "licence": "CC0"}
    path = f"/campaigns/{world.campaign.slug}/releases/new/"
    refused(client, path, body, "name", "release_taken", ["R1", "CC0"])


def test_a_site_whose_code_is_taken(world: World) -> None:
    body = {"code": "a", "name": "Another", "split": "train"}
    refused(logged_in(world, "admin"), "/sites/new/", body, "code", "site_taken", ["a", "Another"])


def test_an_upload_of_another_type_keeps_site_and_campaign(world: World) -> None:
    client = logged_in(world, "datamanager")
    site = str(world.sites["b"].pk)
    body = {"site": site, "campaign": str(world.campaign.pk), "file": SimpleUploadedFile("x.rar", b"x")}
    page = refused(client, "/scans/upload/", body, "file", "invalid", [])
    assert re.search(rf'<option value="{site}"\s+selected', page)


def test_a_file_that_has_to_be_chosen_again_is_told(world: World) -> None:
    client = logged_in(world, "datamanager")
    body = {"site": "", "campaign": str(world.campaign.pk), "file": SimpleUploadedFile("x.zip", b"x")}
    answer = client.post("/scans/upload/", body)
    assert answer.status_code == 422
    assert "Choose the file again" in answer.content.decode()
