"""With a second factor the password alone is never enough."""

import json
import time
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axes.models import AccessAttempt
from axes.utils import reset
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import submit_assignment
from tests.factories.factors import App
from tests.factories.world import PASSWORD, World, add_role, first_of, label, publish
from voxloop.accounts.models import ApiToken, User
from voxloop.accounts.services import confirm_signature, set_password
from voxloop.accounts.tokens import issue_token
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Forbidden
from voxloop.project.environment import roles

pytestmark = pytest.mark.django_db
NEW = "quite another long one 3"


def ask_token(name: str, **more: Any) -> Any:
    return Client().post("/api/v1/auth/token", {"username": name, "password": PASSWORD, **more}, "application/json")


def log_in(name: str, app: App | None = None, password: str = PASSWORD) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": name, "password": password})
    if app is not None:
        assert answer["Location"] == "/accounts/2fa/authenticate/"
        assert client.post("/accounts/2fa/authenticate/", {"code": app.code()}).status_code == 302
    assert "_auth_user_id" in client.session
    return client


def by_token(user: User, **more: Any) -> Client:
    return Client(HTTP_AUTHORIZATION=f"Token {issue_token(user=user, **more)[1]}")


def test_a_token_is_never_given_for_the_password_alone(world: World) -> None:
    app = App(world["reviewer"])
    refused = ask_token("reviewer")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    wrong = ask_token("reviewer", code=app.wrong_code())
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_code")
    assert not ApiToken.objects.exists()
    code = app.code()
    assert ask_token("reviewer", code=code).status_code == 200
    again = ask_token("reviewer", code=code)
    assert again.json()["code"] == "wrong_code", "a code works once"
    recovery = app.recovery_codes[0]
    assert ask_token("reviewer", code=recovery).status_code == 200
    assert ask_token("reviewer", code=recovery).json()["code"] == "wrong_code"
    assert ApiToken.objects.count() == 2
    assert ask_token("annotator").status_code == 200, "an account without one is asked for none"


@pytest.mark.parametrize("door", ["token", "page", "mixed"])
def test_five_wrong_codes_lock_the_name_on_every_door(world: World, door: str) -> None:
    app = App(world["reviewer"])
    page = Client()
    page.post("/accounts/login/", {"login": "reviewer", "password": PASSWORD})
    for n in range(5):
        if door == "token" or (door == "mixed" and n % 2):
            last = ask_token("reviewer", code=app.wrong_code())
        else:
            last = page.post("/accounts/2fa/authenticate/", {"code": app.wrong_code()})
    assert last.status_code == 429
    assert ask_token("reviewer", code=app.code()).status_code == 429
    assert page.post("/accounts/2fa/authenticate/", {"code": app.code()}).status_code == 429
    assert "_auth_user_id" not in page.session
    assert AuditEntry.objects.filter(action="person.login_failed").count() >= 5


def test_a_code_is_in_no_log_of_failures(world: World) -> None:
    app = App(world["reviewer"])
    page = Client()
    page.post("/accounts/login/", {"login": "reviewer", "password": PASSWORD})
    wrong = app.wrong_code()
    page.post("/accounts/2fa/authenticate/", {"code": wrong})
    assert wrong not in json.dumps(list(AccessAttempt.objects.values()), default=str)


def test_a_code_of_the_page_is_no_code_for_the_token(world: World) -> None:
    app = App(world["reviewer"])
    code = app.code()
    page = Client()
    page.post("/accounts/login/", {"login": "reviewer", "password": PASSWORD})
    page.post("/accounts/2fa/authenticate/", {"code": code})
    assert "_auth_user_id" in page.session
    assert ask_token("reviewer", code=code).json()["code"] == "wrong_code"


def verdict(world: World, client: Client, **body: Any) -> Any:
    work = first_of(publish(world))
    label(world, work)
    found = submit_assignment(assignment_id=work.pk, actor=world["annotator"])
    claim_round(round_id=found.pk, actor=world["reviewer"])
    return client.post(f"/api/v1/reviews/{found.pk}/approve", body, "application/json")


def test_a_signature_by_token_needs_the_code_too(world: World) -> None:
    app = App(world["reviewer"])
    client = by_token(world["reviewer"])
    assert verdict(world, client, password=PASSWORD).json()["code"] == "second_factor_required"
    where = f"/api/v1/reviews/{ReviewRound.objects.get().pk}/approve"
    wrong = client.post(where, {"password": PASSWORD, "code": app.wrong_code()}, "application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_code")
    assert client.post(where, {"password": PASSWORD, "code": app.code()}, "application/json").status_code == 200


def test_a_signature_in_a_session_opened_with_it_needs_the_password_only(world: World) -> None:
    app = App(world["reviewer"])
    client = log_in("reviewer", app)
    assert verdict(world, client, password=PASSWORD).status_code == 200


def test_a_session_opened_without_it_signs_nothing_by_the_password_alone(world: World) -> None:
    client = log_in("reviewer")
    App(world["reviewer"])  # set up elsewhere, during this session
    assert verdict(world, client, password=PASSWORD).json()["code"] == "second_factor_required"


def test_a_token_of_the_page_needs_it_where_the_session_has_not_passed_it(world: World) -> None:
    client = log_in("reviewer")
    app = App(world["reviewer"])
    body = {"password": PASSWORD, "name": "script", "scopes": ["read"]}
    assert "asks_code" in client.get("/people/me/").context
    client.post(reverse("token_new"), body)
    assert not ApiToken.objects.exists()
    client.post(reverse("token_new"), body | {"code": app.code()})
    assert ApiToken.objects.get().scopes == ["read"]


def test_guessing_in_an_open_session_locks_the_name(world: World) -> None:
    """Password change, confirmations and codes: no unlimited guessing in an open session."""
    App(world["annotator"])
    for path, body in (
        ("/accounts/password/change/", {"oldpassword": "guess", "password1": NEW, "password2": NEW}),
        ("/accounts/reauthenticate/", {"password": "guess"}),
        ("/accounts/2fa/reauthenticate/", {"code": "000000"}),
        ("/people/me/tokens/", {"password": "guess"}),
    ):
        reset(username="annotator")
        client = Client()
        client.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
        assert [client.post(path, body).status_code for _ in range(5)][-1] == 429, path


# Who must have one ---------------------------------------------------------------------------------------------------


@override_settings(REQUIRE_TOTP=frozenset({"reviewer", "administrator"}))
def test_who_must_have_one_is_led_to_set_one_up_and_nothing_else_opens(world: World) -> None:
    client = log_in("reviewer")
    for path in ("/", "/reviews/", "/people/me/", "/find/?q=x", "/accounts/password/set/"):
        assert (client.get(path).status_code, client.get(path)["Location"]) == (302, "/accounts/2fa/"), path
    for path in ("/accounts/2fa/", "/accounts/password/change/", "/accounts/logout/", "/healthz?live"):
        assert client.get(path).status_code == 200, path
    refused = client.get("/api/v1/me/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_setup_required")
    assert log_in("admin").get("/people/")["Location"] == "/accounts/2fa/"
    assert log_in("annotator").get("/worklist/").status_code == 200
    app = App(world["reviewer"])
    assert log_in("reviewer", app).get("/reviews/").status_code == 200
    assert client.get("/reviews/").status_code == 200


@override_settings(REQUIRE_TOTP=frozenset({"reviewer"}))
def test_it_holds_for_tokens_and_signatures(world: World) -> None:
    assert ask_token("reviewer").json()["code"] == "second_factor_setup_required"
    client = by_token(world["reviewer"])
    refused = client.get("/api/v1/me/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_setup_required")
    assert by_token(world["annotator"]).get("/api/v1/me/").status_code == 200
    app = App(world["reviewer"])
    assert client.get("/api/v1/me/").status_code == 200
    app.remove()
    assert client.get("/api/v1/me/").status_code == 403
    session = Client()
    session.force_login(world["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    request = RequestFactory().post("/")
    request.user, request.session = world["reviewer"], session.session
    with pytest.raises(Forbidden, match="second factor"):
        confirm_signature(request=request, password=PASSWORD)


def test_a_role_that_is_given_later_brings_the_duty_with_it(world: World) -> None:
    with override_settings(REQUIRE_TOTP=frozenset({"reviewer"})):
        client = log_in("outsider")
        assert client.get("/people/me/").status_code == 200
        add_role(world, "outsider", "reviewer")
        assert client.get("/people/me/")["Location"] == "/accounts/2fa/"


def test_the_setting_namesroles(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, named in (
        ("", set()),
        ("0", set()),
        ("1", {"reviewer", "arbitrator", "coordinator", "administrator"}),
        ("reviewer, data_manager", {"reviewer", "data_manager"}),
    ):
        monkeypatch.setenv("VOXLOOP_REQUIRE_TOTP", text)
        assert roles("VOXLOOP_REQUIRE_TOTP") == named
    monkeypatch.setenv("VOXLOOP_REQUIRE_TOTP", "reviewr")
    with pytest.raises(ImproperlyConfigured, match="reviewr"):
        roles("VOXLOOP_REQUIRE_TOTP")


# Passwords that an administrator has made ----------------------------------------------------------------------------


def test_a_password_of_an_administrator_opens_only_the_page_to_change_it(world: World) -> None:
    app = App(world["reviewer"])
    before = log_in("reviewer", app)
    token = by_token(world["reviewer"])
    set_password(person=world["reviewer"], password=NEW, actor=world["admin"])
    assert before.get("/reviews/").status_code == 302
    assert token.get("/api/v1/me/").status_code == 401
    body = {"username": "reviewer", "password": NEW}
    assert Client().post("/api/v1/auth/token", body, "application/json").json()["code"] == "second_factor_required"
    asked = Client().post("/api/v1/auth/token", body | {"code": app.recovery_codes[0]}, "application/json")
    assert asked.json()["code"] == "password_change_required"
    client = Client()
    client.post("/accounts/login/", {"login": "reviewer", "password": NEW})
    client.post("/accounts/2fa/authenticate/", {"code": app.recovery_codes[1]})
    assert client.get("/reviews/")["Location"] == "/accounts/password/change/"
    assert client.get("/api/v1/me/").json()["code"] == "password_change_required"
    same = {"oldpassword": NEW, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", same).status_code == 200
    other = same | {"password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/password/change/", other).status_code == 302
    assert client.get("/reviews/").status_code == 200
    assert {"person.password_set", "person.password_changed", "person.tokens_ended", "person.sessions_ended"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


def test_who_is_invited_chooses_a_password_of_their_own(world: World) -> None:
    log_in("admin").post(reverse("person_new"), {"username": "newcomer", "password": NEW})
    assert log_in("newcomer", password=NEW).get("/people/me/")["Location"] == "/accounts/password/change/"


def test_an_administrator_changes_the_own_password_where_the_old_one_is_asked(world: World) -> None:
    client = log_in("admin")
    client.post(reverse("person", args=[world["admin"].pk]), {"password": NEW})
    assert User.objects.get(username="admin").check_password(PASSWORD)


def test_a_lost_second_factor_is_taken_off_by_an_administrator_with_a_reason(world: World) -> None:
    app = App(world["reviewer"])
    before = log_in("reviewer", app)
    path = reverse("person_access", args=[world["reviewer"].pk])
    admin = log_in("admin")
    admin.post(path, {"end": "factor"})
    assert before.get("/reviews/").status_code == 200, "no reason, nothing done"
    admin.post(path, {"end": "factor", "why": "phone stolen; asked in person"})
    assert before.get("/reviews/").status_code == 302
    assert log_in("reviewer").get("/reviews/").status_code == 200
    entry = AuditEntry.objects.get(action="person.second_factor_removed")
    assert (entry.actor_name, entry.why, entry.old) == (
        "admin",
        "phone stolen; asked in person",
        {"kinds": ["recovery_codes", "totp"]},
    )
    App(world["admin"])
    mine = reverse("person_access", args=[world["admin"].pk])
    admin.post(mine, {"end": "factor", "why": "me"})
    assert Authenticator.objects.filter(user=world["admin"]).exists()


def test_what_a_factor_does_is_written_down(live_world: World) -> None:
    client = log_in("annotator")
    elsewhere = log_in("annotator")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    client.post("/accounts/2fa/totp/activate/", {"code": code})
    assert elsewhere.get("/worklist/").status_code == 302, "a log-in that has not passed the new factor ends"
    assert any(row["method"] == "mfa" for row in client.session[AUTHENTICATION_METHODS_SESSION_KEY])
    client.post("/accounts/2fa/recovery-codes/generate/")
    client.post("/accounts/2fa/totp/deactivate/")
    actions = list(AuditEntry.objects.filter(object_id=str(live_world["annotator"].pk)).values_list("action", "new"))
    assert ("person.factor_added", {"kind": "totp"}) in actions
    assert ("person.recovery_codes_made", {"kind": "recovery_codes"}) in actions
    assert ("person.factor_removed", {"kind": "totp"}) in actions
