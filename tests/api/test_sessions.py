"""Log-ins: listed, ended by hand, by a new password, by a deactivation, and when idle."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.masks.services import begin
from tests.factories.world import PASSWORD, World, first_of, publish
from voxloop.accounts import sessions
from voxloop.accounts.models import User
from voxloop.accounts.services import set_password
from voxloop.accounts.sessions import device_words
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140"


def log_in(name: str, agent: str = FIREFOX) -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    assert "_auth_user_id" in client.session
    return client


def leave_idle(minutes: float) -> None:
    """Simulate that much idle time, in every process."""
    UserSession.objects.update(last_seen_at=now() - timedelta(minutes=minutes))
    sessions._seen.clear()


def is_in(client: Client) -> bool:
    return client.get("/people/me/").status_code == 200


def test_they_are_listed_with_device_and_address(world: World) -> None:
    here, _there = log_in("annotator"), log_in("annotator", EDGE)
    log_in("reviewer")
    page = here.get("/people/me/")
    rows = [(device, is_here) for _, device, is_here in page.context["sessions"]]
    assert rows == [
        ("Edge on Windows", False),
        ("Firefox on Linux", True),
    ]
    assert page.content.decode().count("127.0.0.1") == 2
    assert here.session.session_key not in page.content.decode()


def test_one_is_ended_from_the_list_and_only_ones_own(world: World) -> None:
    here, there, stranger = log_in("annotator"), log_in("annotator", EDGE), log_in("reviewer")
    path = reverse("sessions_end")
    row = UserSession.objects.get(session_key=there.session.session_key)
    stranger.post(path, {"which": str(row.pk)})
    assert is_in(there)
    here.post(path, {"which": str(row.pk)})
    assert (is_in(there), is_in(here)) == (False, True)
    entry = AuditEntry.objects.get(action="person.sessions_ended")
    assert entry.old == {"sessions": [{"from": "127.0.0.1", "with": "Edge on Windows"}]}
    for odd in ("", "x", "-1", "9" * 14, "²"):
        assert here.post(path, {"which": odd}).status_code == 302


@pytest.mark.parametrize(("which", "stays"), [("others", True), ("all", False)])
def test_log_out_everywhere(world: World, which: str, stays: bool) -> None:
    here, there = log_in("annotator"), log_in("annotator", EDGE)
    here.post(reverse("sessions_end"), {"which": which})
    assert (is_in(there), is_in(here)) == (False, stays)


def test_a_new_password_ends_those_elsewhere(world: World) -> None:
    here, there = log_in("annotator"), log_in("annotator", EDGE)
    body = {"oldpassword": PASSWORD, "password1": "quite another one 5", "password2": "quite another one 5"}
    here.post("/accounts/password/change/", body)
    assert (is_in(there), is_in(here)) == (False, True)
    assert len(here.get("/people/me/").context["sessions"]) == 1
    set_password(person=world["annotator"], password="and one more here 6", actor=world["admin"])
    assert not is_in(here)
    assert not UserSession.objects.filter(user=world["annotator"]).exists()


@pytest.mark.fault("an account is switched off in the middle")
def test_a_deactivated_account_is_out_at_once(world: World) -> None:
    here = log_in("annotator")
    User.objects.filter(username="annotator").update(is_active=False)
    assert not is_in(here)
    assert here.get("/api/v1/me/").status_code == 401


def test_an_administrator_logs_somebody_out(world: World) -> None:
    here = log_in("annotator")
    log_in("admin").post(reverse("person_access", args=[world["annotator"].pk]), {"end": "sessions"})
    assert not is_in(here)
    assert AuditEntry.objects.get(action="person.sessions_ended").actor_name == "admin"


def test_an_idle_log_in_ends(world: World) -> None:
    client = log_in("annotator")
    leave_idle(59)
    assert is_in(client)
    leave_idle(61)
    assert client.get("/worklist/")["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session
    assert AuditEntry.objects.get(action="person.sessions_ended").why == "idle for 60 minutes"


@pytest.mark.fault("a log-in ends by idling")
def test_an_idle_log_in_is_a_401_for_the_viewer(world: World) -> None:
    work = begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
    client = log_in("annotator")
    leave_idle(61)
    answer = client.put(f"/api/v1/assignments/{work.pk}/mask", b"{}", "application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_what_machines_ask_does_not_keep_a_log_in_alive_but_drawing_does(world: World) -> None:
    work = begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
    client = log_in("annotator")
    beat = f"/api/v1/assignments/{work.pk}/beat"

    def quiet() -> Any:
        client.get("/setup/", headers={"HX-Request": "true"})
        client.get("/jobs/", headers={"HX-Request": "true"})
        return client.post(beat, {"active_seconds": 0}, "application/json")

    leave_idle(40)
    assert quiet().status_code == 200
    seen = UserSession.objects.get().last_seen_at
    assert now() - seen > timedelta(minutes=39), "an open page that nobody sits at is no use of it"
    assert client.post(beat, {"active_seconds": 20}, "application/json").status_code == 200
    assert now() - UserSession.objects.get().last_seen_at < timedelta(minutes=1)
    leave_idle(61)
    assert quiet().status_code == 401


@override_settings(IDLE_LASTS=None)
def test_without_a_limit_none_ends(world: World) -> None:
    client = log_in("annotator")
    leave_idle(600)
    assert is_in(client)


def test_a_request_writes_when_it_was_seen_once_a_minute_at_most(world: World) -> None:
    client = log_in("annotator")
    leave_idle(2)
    client.get("/api/v1/me/settings")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/api/v1/me/settings")
    assert not [query for query in asked.captured_queries if "usersessions" in query["sql"]]


def test_a_session_from_before_the_list_is_taken_into_it(world: World) -> None:
    client = log_in("annotator")
    UserSession.objects.all().delete()
    sessions._seen.clear()
    assert is_in(client)
    assert UserSession.objects.get().user == world["annotator"]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (EDGE, "Edge on Windows"),
        ("", "Unknown"),
        ("curl/8.5", "curl/8.5"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604", "Safari on iPad"),
        ("<script>alert(1)</script>", "scriptalert1/script"),
    ],
)
def test_devices_in_words(agent: str, words: str) -> None:
    assert device_words(agent) == words
