"""Tokens: what each scope opens, what ends them, who sees them."""

from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from annotation.dicomweb import urls as dicomweb
from annotation.scans.services import set_site_membership
from annotation.work.campaigns import set_member
from annotation.work.people import invite_person
from tests.api.test_permissions import api_routes
from tests.factories.world import PASSWORD, World, first_of, publish
from voxloop.accounts.models import ApiToken, Scope, User
from voxloop.accounts.services import set_password
from voxloop.accounts.tokens import issue_token
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Invalid
from voxloop.project.scopes import CHANGES, scope_needed

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


def by_token(user: User, *scopes: str) -> Client:
    return Client(HTTP_AUTHORIZATION=f"Token {issue_token(user=user, scopes=scopes or Scope.values)[1]}")


def by_session(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def test_every_route_that_changes_something_says_which_scope_it_needs() -> None:
    changing = {name.removeprefix("api:") for name, method in api_routes() if method != "get"} - {"token"}
    storing = {str(one.name) for one in dicomweb.urls if hasattr(vars(one.callback)["view_class"], "post")}
    assert storing == {"dicom-studies", "dicom-study"}
    assert set(CHANGES) == changing | storing


def path_with(name: str, pk: str) -> str:
    """The address of a route that names no object, one, or two."""
    for count in range(3):
        with suppress(NoReverseMatch):
            return reverse(name, args=[pk] * count)
    raise NoReverseMatch(name)


@pytest.mark.parametrize("scope", Scope.values)
def test_a_scope_opens_its_routes_and_no_other(world: World, scope: str) -> None:
    """Every route × method, with an unknown object: 403 `scope_missing` comes before a 404."""
    client = by_token(world["coordinator"], scope)
    nothing = "00000000-0000-7000-8000-000000000000"
    for name, method in api_routes():
        if name == "api:token":
            continue
        path = path_with(name, nothing)
        for verb in {method, "head", "options"} if method == "get" else {method}:
            answer = getattr(client, verb)(path)
            refused = answer.status_code == 403 and b"scope_missing" in answer.content
            needed = scope_needed(verb.upper(), name.removeprefix("api:"))
            if verb == "head":
                refused = answer.status_code == 403
            assert refused == (needed != scope), f"{verb} {path} with {scope}: {answer.status_code}"


def test_a_read_only_token_reads_and_changes_nothing(world: World) -> None:
    work = first_of(publish(world))
    client = by_token(world["annotator"], "read")
    assert client.get(f"/api/v1/assignments/{work.pk}/").status_code == 200
    refused = client.post(f"/api/v1/assignments/{work.pk}/open")
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert "work" in refused.json()["detail"]
    assert by_token(world["annotator"], "work").get("/api/v1/me/").status_code == 403


def test_scopes_name_and_end_are_asked_for_with_the_token(world: World) -> None:
    body = {"username": "annotator", "password": PASSWORD, "name": "export", "scopes": ["read"], "days": 2}
    answer = Client().post("/api/v1/auth/token", body, "application/json")
    assert answer.json()["scopes"] == ["read"]
    token = ApiToken.objects.get()
    assert (token.name, timedelta(days=1, hours=23) < token.expiry - now() < timedelta(days=2)) == ("export", True)
    refused: tuple[dict[str, Any], ...] = (
        {"scopes": ["root"]},
        {"scopes": []},
        {"days": 0},
        {"days": 5000},
        {"name": "x" * 61},
    )
    for wrong in refused:
        assert Client().post("/api/v1/auth/token", body | wrong, "application/json").status_code == 422, wrong
    with pytest.raises(Invalid):
        issue_token(user=world["annotator"], scopes=[])


def test_ten_tokens_are_enough(world: World) -> None:
    for _ in range(10):
        issue_token(user=world["annotator"])
    with pytest.raises(Conflict):
        issue_token(user=world["annotator"])
    ApiToken.objects.filter(pk=ApiToken.objects.first().pk).update(expiry=now() - timedelta(days=1))
    issue_token(user=world["annotator"])


def end_by_page(world: World, client: Client) -> None:
    change = {"oldpassword": PASSWORD, "password1": "quite another one 4", "password2": "quite another one 4"}
    by_session(world["annotator"]).post("/accounts/password/change/", change)


def end_by_command(world: World, client: Client) -> None:

    with patch("getpass.getpass", return_value="quite another one 4"):
        call_command("changepassword", "annotator", verbosity=0)


ENDINGS: dict[str, Any] = {
    "a changed password": end_by_page,
    "a password changed on the command line": end_by_command,
    "a password set by an administrator": lambda world, client: set_password(
        person=world["annotator"], password="quite another one 4", actor=world["admin"]
    ),
    "a role taken away": lambda world, client: set_member(
        campaign=world.campaign, user=world["annotator"], role="annotator", is_member=False, actor=world["admin"]
    ),
    "a site taken away": lambda world, client: set_site_membership(
        user=world["annotator"], site=world.sites["a"], is_member=False, actor=world["admin"]
    ),
    "deactivation": lambda world, client: User.objects.filter(username="annotator").update(is_active=False),
    "an administrator, one": lambda world, client: by_session(world["admin"]).post(
        reverse("person_access", args=[world["annotator"].pk]),
        {"end": "token", "token_key": world["annotator"].auth_token_set.get().token_key},
    ),
    "an administrator, all": lambda world, client: by_session(world["admin"]).post(
        reverse("person_access", args=[world["annotator"].pk]), {"end": "tokens"}
    ),
    "its person": lambda world, client: by_session(world["annotator"]).post(
        reverse("token_revoke"), {"token_key": world["annotator"].auth_token_set.get().token_key}
    ),
}


@pytest.mark.parametrize("what", ENDINGS)
def test_what_ends_a_token(world: World, what: str, capsys: Any) -> None:
    client = by_token(world["annotator"])
    assert client.get("/api/v1/me/").status_code == 200
    ENDINGS[what](world, client)
    assert client.get("/api/v1/me/").status_code == 401
    if what != "deactivation":
        assert AuditEntry.objects.filter(action__in=["person.token_ended", "person.tokens_ended"]).count() == 1


def test_a_role_that_is_given_ends_none(world: World) -> None:
    client = by_token(world["annotator"])
    set_member(campaign=world.campaign, user=world["annotator"], role="reviewer", actor=world["admin"])
    assert client.get("/api/v1/me/").status_code == 200


def test_they_are_listed_for_their_person_and_for_administrators(world: World) -> None:
    token, text = issue_token(user=world["annotator"], name="nightly export", scopes=["read"])
    assert token.last_used_at is None
    Client(HTTP_AUTHORIZATION=f"Token {text}").get("/api/v1/me/")
    token.refresh_from_db()
    assert token.last_used_at is not None
    first = token.last_used_at
    Client(HTTP_AUTHORIZATION=f"Token {text}").get("/api/v1/me/")
    token.refresh_from_db()
    assert token.last_used_at == first, "written at most once a minute"
    own = by_session(world["annotator"]).get("/people/me/").content.decode()
    theirs = by_session(world["admin"]).get(reverse("person", args=[world["annotator"].pk])).content.decode()
    for page in (own, theirs):
        assert "nightly export" in page
        assert text not in page
    path = reverse("person_access", args=[world["annotator"].pk])
    assert by_session(world["coordinator"]).post(path, {"end": "tokens"}).status_code == 403


def test_another_persons_token_is_not_mine_to_end(world: World) -> None:
    token, _ = issue_token(user=world["annotator"])
    by_session(world["annotator2"]).post(reverse("token_revoke"), {"token_key": token.token_key})
    assert ApiToken.objects.count() == 1
    invite_person(username="second", password=PASSWORD, actor=world["admin"], is_administrator=True)
    wrong = reverse("person_access", args=[world["reviewer"].pk])
    by_session(world["admin"]).post(wrong, {"end": "token", "token_key": token.token_key})
    assert ApiToken.objects.count() == 1
