"""The probability map of a prediction: in the context, served immutably, gone with its scan."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client

from annotation.masks.services import begin, store_prediction
from annotation.scans.services import withdraw_scan
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.factories.probability import decode_probability
from tests.factories.world import SHAPE, World, ball, first_of, publish
from voxloop.volume.probability import ProbabilityEntry

pytestmark = pytest.mark.django_db
STEP = (1, 2, 2)
VALUES = ball(SHAPE)[:, ::2, ::2].astype(np.uint8) * np.uint8(230)


@pytest.fixture
def client(world: World) -> Client:
    found = Client()
    found.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    return found


def started(world: World, **with_map: Any) -> Assignment:
    """An assignment that started from a prediction."""
    assignment = first_of(publish(world))
    layer = parse_schema(world.campaign.schema.definition).layer("findings")
    store_prediction(
        scan=assignment.scan,
        layer=layer,
        labels_zyx=ball(SHAPE).astype(np.uint8),
        model_id=uuid4(),
        model_name="m1",
        **with_map,
    )
    return begin(assignment_id=assignment.pk, actor=world["annotator"])


def test_the_context_names_the_map_and_the_route_serves_it(world: World, client: Client) -> None:
    assignment = started(world, probability=(VALUES, STEP), segment=1)
    facts = client.get(f"/api/v1/assignments/{assignment.pk}/").json()["probability"]
    assert {name: facts[name] for name in ("layer", "segment", "model")} == {
        "layer": "findings",
        "segment": 1,
        "model": "m1",
    }
    answer = client.get(facts["url"])
    data = answer.getvalue()
    assert np.array_equal(decode_probability(data, ProbabilityEntry.from_json(facts)), VALUES)
    assert answer["Cache-Control"] == "no-store"
    assert client.get(facts["url"], HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304


def test_an_older_prediction_has_none(world: World, client: Client) -> None:
    assignment = started(world)
    context = client.get(f"/api/v1/assignments/{assignment.pk}/").json()
    assert context["probability"] is None
    prediction = context["overlays"][0]["revision"]
    refused = client.get(f"/api/v1/revisions/{prediction}/probability")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


def test_the_map_of_a_withdrawn_scan_is_gone(world: World, client: Client) -> None:
    assignment = started(world, probability=(VALUES, STEP))
    facts = client.get(f"/api/v1/assignments/{assignment.pk}/").json()["probability"]
    withdraw_scan(scan_id=assignment.scan_id, actor=world["datamanager"], why="consent withdrawn")
    assert client.get(facts["url"]).status_code == 404
