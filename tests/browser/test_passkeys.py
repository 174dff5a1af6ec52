"""Passkeys with Chromium's own virtual authenticator: added, asked for as second factor, and in place of a password."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser.test_pages import faults
from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD, World
from voxloop.audit.models import AuditEntry

ODD = '{"id": "a", "rawId": "b", "response": {"userHandle": "////"}, "type": "public-key"}'


@pytest.fixture
def page(live_world: World, browser: Any, live_server: Any, watched: Watched) -> Any:
    """A browser with a virtual authenticator that confirms everything: resident keys, user verified."""
    context = open_context(browser, live_server.url, watched)
    found = context.new_page()
    line = context.new_cdp_session(found)
    line.send("WebAuthn.enable")
    line.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield found
    context.close()


def add_passkey(page: Page, *, alone: bool) -> None:
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name of it").fill("my phone")
    if alone:
        page.get_by_label("Logs in without the password").check()
    assert not faults(page)
    shoot(page, "passkey-add")
    page.get_by_role("button", name="Add passkey").click()
    page.wait_for_url("**/2fa/recovery-codes/")
    page.goto("/accounts/2fa/")
    expect(page.get_by_role("link", name="my phone")).to_be_visible()
    assert not faults(page)
    shoot(page, "passkey-index")


def log_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Log out").last.click()
    page.wait_for_url("**/accounts/login/**")


def test_a_passkey_is_a_second_factor(page: Page, live_world: World) -> None:
    log_in(page, "reviewer", PASSWORD)
    add_passkey(page, alone=False)
    log_out(page)
    page.get_by_label("Name").fill("reviewer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/2fa/authenticate/")
    assert not faults(page)
    shoot(page, "passkey-second-factor")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/reviews/**")
    body = {"username": "reviewer", "password": PASSWORD}
    refused = Client().post("/api/v1/auth/token", body, "application/json")
    assert refused.json()["code"] == "second_factor_required", "a passkey is a second factor for the token route, too"
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Remove").click()
    if "reauthenticate" in page.url:
        page.goto("/accounts/2fa/webauthn/reauthenticate/?next=/accounts/2fa/")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/accounts/2fa/")
        page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    page.goto("/accounts/2fa/")
    expect(page.get_by_text("No passkey yet.")).to_be_visible()
    told = list(AuditEntry.objects.filter(action__startswith="person.factor").values_list("action", "new"))
    assert ("person.factor_added", {"kind": "webauthn", "name": "my phone"}) in told
    assert ("person.factor_removed", {"kind": "webauthn", "name": "my phone"}) in told


def test_a_passkey_in_place_of_the_password(page: Page, live_world: World) -> None:
    log_in(page, "reviewer", PASSWORD)
    add_passkey(page, alone=True)
    log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/reviews/**")


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["", "x", "[]", "{}", "null", '{"response": []}', ODD])
def test_what_is_no_passkey_opens_nothing_and_is_no_fault(world: World, sent: str) -> None:
    client = Client()
    client.get("/accounts/2fa/webauthn/login/", headers={"X-Requested-With": "XMLHttpRequest"})
    answer = client.post("/accounts/2fa/webauthn/login/", {"credential": sent})
    assert answer.status_code in (200, 302)
    assert "_auth_user_id" not in client.session
