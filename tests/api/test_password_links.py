"""Links by which people choose their password: once, for three days, and nobody else learns it."""

import re
from datetime import timedelta

import pytest
from django.test import Client, override_settings

from tests.factories.world import PASSWORD, World
from voxloop.accounts.links import make_link
from voxloop.accounts.models import ApiToken, User
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Forbidden

pytestmark = pytest.mark.django_db
CHOSEN = "a sentence that nobody guesses 7"


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def choose(path: str, password: str = CHOSEN, again: str | None = None) -> tuple[int, str]:
    answer = Client().post(path, {"password": password, "again": password if again is None else again})
    return answer.status_code, answer.content.decode()


def can_log_in(name: str, password: str) -> bool:
    answer = Client().post("/accounts/login/", {"login": name, "password": password})
    return answer.status_code == 302


def link_on(page: str) -> str:
    found = re.search(r'<code id="link"[^>]*>http://testserver(/accounts/password/[^<]+)</code>', page)
    assert found, page
    return found[1]


def test_an_invited_person_chooses_the_first_password(world: World) -> None:
    form = {"username": "newcomer", "password": "", f"roles_{world.campaign.pk}": ["annotator"]}
    answer = client_of(world, "admin").post("/people/new/", form)
    assert answer["Cache-Control"] == "no-store"
    link = link_on(answer.content.decode())
    person = User.objects.get(username="newcomer")
    page = Client().get(link)
    assert "newcomer" in page.content.decode()
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert choose(link)[0] == 302
    assert can_log_in("newcomer", CHOSEN)
    person.refresh_from_db()
    assert not person.must_change_password
    actions = AuditEntry.objects.filter(object_id=str(person.pk)).order_by("id").values_list("action", "actor_name")
    assert [row for row in actions if row[0] in ("person.link_made", "person.password_chosen")] == [
        ("person.link_made", "admin"),
        ("person.password_chosen", "newcomer"),
    ]
    assert CHOSEN not in str(list(AuditEntry.objects.values_list("old", "new", "why")))


def test_a_link_works_once_and_ends_log_ins_and_tokens(world: World) -> None:
    client = client_of(world, "annotator")
    ApiToken.objects.create(user=world["annotator"], name="script", scopes=["read"])
    link = make_link(person=world["annotator"], actor=world["admin"])
    assert choose(link)[0] == 302
    assert client.get("/worklist/").status_code == 302, "the log-in has ended"
    assert not ApiToken.objects.filter(user=world["annotator"]).exists()
    assert not can_log_in("annotator", PASSWORD)
    status, page = choose(link, "another sentence that nobody guesses")
    assert (status, "This link has ended" in page) == (410, True)
    assert can_log_in("annotator", CHOSEN)


def test_a_log_in_or_three_days_end_a_link(world: World) -> None:
    link = make_link(person=world["annotator"], actor=world["admin"])
    with override_settings(PASSWORD_RESET_TIMEOUT=-1):
        assert Client().get(link).status_code == 410
    assert Client().get(link).status_code == 200
    world["annotator"].refresh_from_db()
    world["annotator"].last_login = world["annotator"].date_joined + timedelta(minutes=1)
    world["annotator"].save()
    answer = Client().get(link)
    assert (answer.status_code, answer["Voxloop-Code"]) == (410, "link_ended")


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("short", "short", "at least 12 characters"),
        (CHOSEN, CHOSEN + "x", "The two are not the same"),
        ("", "", "This field is required"),
    ],
)
def test_a_weak_or_mistyped_password_is_told_and_the_link_goes_on(
    world: World, password: str, again: str, says: str
) -> None:
    link = make_link(person=world["annotator"], actor=world["admin"])
    status, page = choose(link, password, again)
    assert (status, says in page) == (422, True), page
    world["annotator"].refresh_from_db()
    assert world["annotator"].check_password(PASSWORD)
    assert choose(link)[0] == 302


@pytest.mark.parametrize("key", ["", "AAAA", "////", "MTIz", "%00", "é"])
def test_made_up_links_say_the_same(world: World, key: str) -> None:
    answer = Client().get(f"/accounts/password/{key or 'x'}/abc-def/")
    assert answer.status_code in (404, 410)


def test_only_an_administrator_makes_links_and_not_for_themselves(world: World) -> None:
    with pytest.raises(Forbidden):
        make_link(person=world["annotator"], actor=world["coordinator"])
    with pytest.raises(Forbidden) as refused:
        make_link(person=world["admin"], actor=world["admin"])
    assert refused.value.code == "own_password"
    world["annotator"].is_active = False
    with pytest.raises(Conflict) as closed:
        make_link(person=world["annotator"], actor=world["admin"])
    assert closed.value.code == "account_closed"
    page = client_of(world, "admin").post(f"/people/{world['annotator2'].pk}/access/", {"end": "link"})
    assert Client().get(link_on(page.content.decode())).status_code == 200


def test_the_log_in_page_says_whom_to_ask(db: None) -> None:
    assert "who also helps when a password is lost" in Client().get("/accounts/login/").content.decode()
    with override_settings(CONTACT="the radiology desk, 4711"):
        page = " ".join(Client().get("/accounts/login/").content.decode().split())
    assert "Ask the radiology desk, 4711." in page
