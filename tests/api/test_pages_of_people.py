"""Pages about people: invitations, passwords, tokens, the theme."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.pages.selectors.setup import progress_file
from tests.api.test_pages import log_in, text
from tests.factories.world import PASSWORD, World
from voxloop.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_people_are_invited_with_roles_and_sites(world: World) -> None:
    client = log_in(world, "admin")
    field = f"roles_{world.campaign.pk}"
    answer = client.post(
        reverse("person_new"),
        {"username": "reader9", "password": PASSWORD, field: ["annotator"], "sites": [str(world.sites["a"].pk)]},
    )
    assert answer.status_code == 302
    assert "reader9" in text(client, "/people/")
    person = world.campaign.members.get(user__username="reader9").user
    client.post(reverse("person", args=[person.pk]), {field: ["reviewer"], "sites": []})
    assert [member.role for member in person.memberships.all()] == ["reviewer"]
    assert not person.site_memberships.exists()


def test_an_administrator_gives_a_new_password(world: World) -> None:
    client = log_in(world, "admin")
    path = reverse("person", args=[world["annotator"].pk])
    weak = client.post(path, {"password": "short"}, follow=True)
    assert "at least 12 characters" in weak.content.decode()
    assert world["annotator"].memberships.exists()
    client.post(path, {"password": "another long one 22"})
    login = {"login": "annotator", "password": "another long one 22"}
    assert Client().post("/accounts/login/", login).status_code == 302
    assert AuditEntry.objects.filter(action="person.password_set").exists()


def test_a_token_needs_the_password_and_is_shown_once(world: World) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "annotator", "password": PASSWORD})
    refused = client.post(reverse("token_new"), {"password": "not this one"}, follow=True)
    assert "That is not your password; nothing was changed." in refused.content.decode()
    page = client.post(
        reverse("token_new"), {"password": PASSWORD, "name": "script", "scopes": ["read"]}, follow=True
    ).content.decode()
    token = page.split('<code id="token">')[1].split("<")[0]
    assert Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Token {token}").status_code == 200
    assert token not in text(client, "/people/me/")
    client.post(reverse("token_revoke"), {"token_key": world["annotator"].auth_token_set.get().token_key})
    assert Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Token {token}").status_code == 401


def test_the_theme_is_remembered(world: World) -> None:
    client = log_in(world, "annotator")
    client.post(reverse("theme"), {"theme": "dark"})
    assert 'data-theme="dark"' in text(client, "/worklist/")


def test_what_is_not_there_and_what_is_not_allowed_are_told_plainly(world: World) -> None:
    client = log_in(world, "annotator")
    assert "There is no such page" in client.get("/nowhere/").content.decode()
    assert "Your role does not open this page" in client.get("/people/").content.decode()


def test_the_set_up_shows_its_progress_until_it_is_done(world: World) -> None:
    client = log_in(world, "annotator")
    assert "Set-up of the demonstration" not in text(client, "/worklist/")
    progress_file().write_text('{"running": true, "percent": 40, "message": "Importing scan 26 of 64"}')
    assert "Importing scan 26 of 64" in text(client, "/worklist/")
    assert 'aria-valuenow="40"' in text(client, "/setup/")
    progress_file().write_text('{"running": false, "percent": 100, "message": "Done"}')
    done = client.get("/setup/")
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")
