"""The pages of models: verdict, evidence, decisions by a person, roll-back, pictures, card."""

import pytest
from django.urls import reverse

from annotation.learning import deciding
from annotation.work.withdrawing import withdraw
from tests.api.test_pages import log_in, text
from tests.factories.evidence import FINE, UNSURE, measured, summary_of, two_models
from tests.factories.world import World

pytestmark = pytest.mark.django_db


def test_the_model_page_compares_and_a_person_decides(world: World) -> None:
    client = log_in(world, "coordinator")
    assert "No model yet" in text(client, "/campaigns/chest-ct/models/")
    model = two_models(world, UNSURE, FINE)
    page = text(client, "/campaigns/chest-ct/models/")
    assert "Gate: a person decides. 3 rules hold, 1 is unclear" in page
    assert "m2 waits for a person" in page
    assert "a loss of 0.02 is not excluded, and a loss is not shown." in page
    assert "Until then m1 serves." in page
    assert 'aria-label="Training: loss and validation Dice by step"' in page
    assert "Share of findings that are found, by size" in page
    assert f"{world.scans[2].code}: reference and m1" in page
    assert "bound of the gate" in page
    sites = client.get(reverse("models_csv", args=["chest-ct", "sites"])).content.decode().splitlines()
    assert sites[0].endswith("change,low_95,high_95,bound,outcome")
    assert sites[1].endswith(",holds")
    assert "10 to 50,1.0,1.0,12" in client.get(reverse("models_csv", args=["chest-ct", "sizes"])).content.decode()
    # Without a reason it is refused, on the page it came from.
    answer = client.post(reverse("promote", args=[model.pk]), {"reason": " "}, follow=True)
    assert "left the decision about m2 to a person; give a reason" in answer.content.decode()
    done = client.post(reverse("promote", args=[model.pk]), {"reason": "better on my own scans"}, follow=True)
    page = done.content.decode()
    assert "better on my own scans" in page
    assert "Roll back to m1" in page
    assert "serves since" in page
    model.refresh_from_db()
    assert model.state == "champion"
    done = client.post(reverse("model_roll_back", args=[model.pk]), {"reason": "worse on yours"}, follow=True)
    assert "m1 serves pre-annotations from now on" in done.content.decode()
    page = text(client, "/campaigns/chest-ct/models/?model=2")
    assert "served until" in page
    assert "worse on yours" in page


def test_the_model_page_lets_a_person_reject(world: World) -> None:
    client = log_in(world, "coordinator")
    model = two_models(world, UNSURE, FINE)
    done = client.post(reverse("reject", args=[model.pk]), {"reason": "It marks vessels."}, follow=True)
    assert "m2 is rejected. Your reason is kept with it." in done.content.decode()
    assert "It marks vessels." in done.content.decode()
    model.refresh_from_db()
    assert model.state == "rejected"


def test_a_first_model_says_what_it_was_held_to(world: World) -> None:
    model, gate = measured(world, 1, summary_of(FINE))
    deciding.decide(model=model, gate=gate)
    page = text(log_in(world, "coordinator"), "/campaigns/chest-ct/models/")
    assert "Gate: m1 passed. 2 rules hold, 2 had nothing to compare" in page
    assert "12 of 12 hold-out scans reach a Dice of 0.5, 6 must." in page


def test_pictures_of_cases_are_served_while_the_scan_may_be_shown(world: World) -> None:
    client = log_in(world, "coordinator")
    model = two_models(world, FINE, FINE)
    picture = reverse("case_picture", args=[model.pk, world.scans[2].pk])
    answer = client.get(picture)
    assert (answer["Content-Type"], answer.content[:4]) == ("image/png", b"\x89PNG")
    assert client.get(reverse("case_picture", args=[model.pk, world.scans[0].pk])).status_code == 404
    withdraw(scan_id=world.scans[2].pk, actor=world["datamanager"], why="consent taken back")
    assert client.get(picture).status_code == 404
    assert world.scans[2].code not in text(client, "/campaigns/chest-ct/models/")


def test_the_card_of_a_model_as_page_and_files(world: World) -> None:
    client = log_in(world, "datamanager")
    model = two_models(world, FINE, FINE)
    page = text(client, reverse("model_card", args=[model.pk]))
    assert "It learned from site a only; other scanners may look different." in page
    plain = client.get(reverse("model_card_file", args=[model.pk, "md"]))
    assert plain["Content-Disposition"] == 'attachment; filename="chest-ct-m2-card.md"'
    assert plain.content.decode().startswith("# Model m2 of ")
    card = client.get(reverse("model_card_file", args=[model.pk, "json"])).json()
    assert (card["form"], card["name"], card["gate"]["verdict"]) == ("voxloop model card", "m2", "promote")
    assert client.get(reverse("model_card_file", args=[model.pk, "exe"])).status_code == 404
