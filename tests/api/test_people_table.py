"""The table of people: searched, filtered, sorted, selected and exported, all by the address."""

import csv
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from annotation.pages.views import people as view
from annotation.work.campaigns import create_campaign, set_member
from annotation.work.pausing import pause_person
from annotation.work.people import close_account, invite_person
from tests.factories.world import PASSWORD, World
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

pytestmark = pytest.mark.django_db
PEOPLE, CSV, SELECTED = "/people/", "/people.csv", "/people/selected.csv"


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def names(client: Client, **wanted: str) -> list[str]:
    return [one.username for one in client.get(PEOPLE, wanted).context["page"]]


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(answer.content.decode().splitlines()))


@pytest.fixture
def client(world: World) -> Client:
    invite_person(
        username="newcomer",
        password=PASSWORD,
        actor=world["admin"],
        roles=[(world.campaign, Role.ANNOTATOR)],
        sites=[world.sites["b"]],
    )
    close_account(person=world["annotator2"], actor=world["admin"], why="left")
    pause_person(campaign=world.campaign, person_id=world["reviewer"].pk, actor=world["admin"], why="=SUM(1;2)")
    return client_of(world, "admin")


def test_people_are_searched_filtered_and_sorted(world: World, client: Client) -> None:
    everybody = sorted(User.objects.values_list("username", flat=True))
    assert names(client) == everybody
    assert names(client, sort="-name") == everybody[::-1]
    assert names(client, q="REVIEW") == ["reviewer", "reviewer2"]
    assert names(client, role="data_manager") == ["datamanager"]
    assert names(client, role="administrator") == ["admin"]
    assert names(client, site="b", role="annotator", q="new") == ["newcomer"]
    assert names(client, state="off") == ["annotator2"]
    assert names(client, state="paused") == ["reviewer"]
    User.objects.exclude(username="newcomer").update(last_login=now())
    assert names(client, state="never") == ["newcomer"]
    assert "newcomer" in names(client, state="active", sort="-log-in")[-1], "who never logged in comes last"
    for odd in ({"role": "drop"}, {"state": "x"}, {"sort": "password"}):
        assert names(client, **odd) == everybody
    assert names(client, site="nowhere") == []
    page = client.get(PEOPLE, {"q": "nobody like it", "sort": "-name"}).content.decode()
    assert "No person matches" in page
    assert '<input type="hidden" name="sort" value="-name">' in page
    head = client.get(PEOPLE, {"role": "annotator", "sort": "account"}).content.decode()
    assert "?role=annotator&amp;sort=-account" in head, "the next click turns the order and keeps the filter"
    assert '<option value="annotator" selected>' in head


def test_people_are_exported_as_filtered_and_as_selected(world: World, client: Client) -> None:
    [row] = rows_of(client.get(CSV, {"q": "reviewer", "state": "paused"}))
    assert (row["person"], row["account"], row["roles"]) == ("reviewer", "active", "reviewer in Chest CT")
    assert row["paused"] == "Chest CT: =SUM(1;2)"
    [off] = rows_of(client.get(CSV, {"state": "off"}))
    assert off["account"] == "switched off"
    chosen = [str(world[name].pk) for name in ("reviewer", "annotator")]
    told = client.post(SELECTED, {"person": [*chosen, "no id"], "sort": "-name"})
    assert [row["person"] for row in rows_of(told)] == ["reviewer", "annotator"]
    assert len(rows_of(client.post(SELECTED, {"all": "1", "role": "annotator"}))) == len(
        names(client, role="annotator")
    )
    refused = client.post(SELECTED, {}, follow=True)
    assert "Select at least one person." in refused.content.decode()


def test_a_coordinator_sees_and_exports_only_members_of_the_own_campaigns(world: World, client: Client) -> None:
    other = create_campaign(
        name="Other", slug="other", definition=world.campaign.schema.definition, actor=world["admin"]
    )
    set_member(campaign=other, user=world["outsider"], role=Role.ANNOTATOR, actor=world["admin"])
    coordinator = client_of(world, "coordinator")
    assert "outsider" in names(client)
    assert "outsider" not in names(coordinator)
    assert "outsider" not in [row["person"] for row in rows_of(coordinator.get(CSV))]
    refused = coordinator.post(SELECTED, {"person": [str(world["outsider"].pk)]}, follow=True)
    assert "Select at least one person." in refused.content.decode()


def test_the_page_asks_the_same_number_of_queries_for_any_number_of_people(world: World, client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(PEOPLE)
        return len(found)

    client.get(PEOPLE)
    few = queries()
    for n in range(4):
        invite_person(
            username=f"more{n}",
            password=PASSWORD,
            actor=world["admin"],
            roles=[(world.campaign, Role.ANNOTATOR)],
            sites=[world.sites["a"]],
        )
    assert queries() == few


def test_many_people_go_over_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "PAGE_SIZE", 3)
    first, second = names(client, sort="-name"), names(client, sort="-name", page="2")
    assert (len(first), len(second)) == (3, 3)
    assert not set(first) & set(second)
    page = client.get(PEOPLE, {"sort": "-name"}).content.decode()
    assert "?sort=-name&amp;page=2" in page
    assert "Select all" in page
