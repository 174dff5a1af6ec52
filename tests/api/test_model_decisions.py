"""Decisions about a model over HTTP: refusals with a code, and what the answers say."""

from typing import Any

import pytest

from annotation.learning import deciding
from tests.factories.clients import logged_in
from tests.factories.evidence import FINE, UNSURE, measured, summary_of, two_models
from tests.factories.world import World

pytestmark = pytest.mark.django_db


def post(world: World, model: Any, what: str, **body: str) -> tuple[int, dict[str, Any]]:
    client = logged_in(world, "coordinator")
    answer = client.post(f"/api/v1/models/{model.pk}/{what}", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_an_undecided_model_needs_a_reason_either_way(world: World) -> None:
    model = two_models(world, UNSURE, FINE)
    status, said = post(world, model, "promote")
    assert (status, said["code"]) == (409, "reason_required")
    assert said["detail"] == "The gate left the decision about m2 to a person; give a reason for it."
    assert post(world, model, "reject")[0] == 422
    status, said = post(world, model, "reject", reason="It marks vessels.")
    assert (status, said["state"], said["promoted_at"]) == (200, "rejected", None)
    status, said = post(world, model, "promote", reason="They were vessels with haze.")
    assert (status, said["state"], said["replaced_at"]) == (200, "champion", None)


def test_a_roll_back_answers_with_the_version_that_serves(world: World) -> None:
    model = two_models(world, [dice + 0.1 for dice in FINE], FINE)
    status, said = post(world, model, "roll-back", reason="worse on the new scanner")
    assert (status, said["number"], said["state"]) == (200, 1, "champion")
    status, said = post(world, model, "roll-back", reason="again")
    assert (status, said["code"]) == (409, "nothing_to_roll_back")


def test_a_run_says_what_the_gate_said_whatever_was_decided(world: World) -> None:
    model, gate = measured(world, 1, summary_of([0.2] * 6))
    deciding.decide(model=model, gate=gate)
    post(world, model, "promote", reason="to begin somewhere")
    run = logged_in(world, "coordinator").get(f"/api/v1/training-runs/{model.run_id}/").json()
    assert (run["state"], run["gate"]["verdict"]) == ("promoted", "undecided")
    assert run["gate"]["rules"][1]["sentence"].startswith("It is the first: 0 of 6 hold-out scans reach a Dice of 0.5")
