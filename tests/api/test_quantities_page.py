"""The page of quantities: model against reader on the scans that have both masks, and what it costs to ask."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.reporting.models import Measurement
from annotation.work.models import Batch
from tests.api.test_pauses import log_in
from tests.factories.phantoms import store_measurement
from tests.factories.world import World, approve, label, publish
from voxloop.volume.agreement import bland_altman, icc_a1

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/quantities/"
# mL that readers and the model marked on the same scans; the fourth has no lungs, and so no share of them.
READERS, MODELS = (10.0, 40.0, 0.0, 25.0, 80.0, 5.0), (12.0, 33.0, 1.5, 25.0, 95.0, 5.5)


@pytest.fixture
def measured(world: World) -> list[Measurement]:
    """Six approved scans with the quantities of both masks."""
    batch: Batch = publish(world, size=6)
    rows = []
    for number, row in enumerate(batch.assignments.select_related("scan", "campaign").order_by("position")):
        label(world, row)
        share = {"lungs": None, "percent": None} if number == 3 else {"lungs": 4000.0}
        found = store_measurement(approve(world, row), opacity=READERS[number], weight_g=READERS[number] * 0.9, **share)
        found.values |= {} if number == 3 else {"percent": READERS[number] / 40}
        found.model_values = found.values | {"opacity": MODELS[number], "weight_g": MODELS[number] * 0.9}
        found.model_values |= {} if number == 3 else {"percent": MODELS[number] / 40}
        found.save(update_fields=["values", "model_values"])
        rows.append(found)
    return rows


def shown(client: Client) -> Any:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return answer.context["found"].against, answer.content.decode()


def test_the_figures_are_those_of_the_pairs(world: World, measured: list[Measurement]) -> None:
    (opacity, share, weight), text = shown(log_in(world, "coordinator"))
    assert sorted(pair[1:] for pair in opacity.pairs) == sorted(zip(READERS, MODELS, strict=True))
    assert (len(share.pairs), len(weight.pairs)) == (5, 6), "no share without lungs"
    both = np.array([pair[1:] for pair in opacity.pairs])
    assert opacity.icc == icc_a1(both)
    assert opacity.pearson == pytest.approx(np.corrcoef(both.T)[0, 1])
    assert asdict(opacity.limits) == asdict(bland_altman(both[:, 1], both[:, 0]))
    assert opacity.limits.bias.value == pytest.approx(np.mean(MODELS) - np.mean(READERS))
    assert "6 CTs with an approved mask and one of a model" in text
    assert f"{opacity.icc.value:.3f}" in text
    assert f"{opacity.pearson:.3f}" in text
    codes = [row.scan.code for row in Measurement.objects.order_by("scan__code")]
    places = [text.index(f">{code}</a>") for code in codes]
    assert all(one < other for one, other in pairwise(places))


def test_few_or_equal_pairs_give_no_figures(world: World, measured: list[Measurement]) -> None:
    for row in measured:
        row.values |= {"opacity": 7.0}
        row.model_values = row.values
        row.save(update_fields=["values", "model_values"])
    (opacity, _, _), _ = shown(log_in(world, "coordinator"))
    assert opacity.pearson is None
    measured[0].delete()
    measured[1].delete()
    (opacity, share, _), text = shown(log_in(world, "coordinator"))
    assert (opacity.icc, opacity.limits, share.limits) == (None, None, None)
    assert "Figures from five scans on" in text


def test_the_page_asks_as_much_for_six_scans_as_for_two(world: World, measured: list[Measurement]) -> None:
    client = log_in(world, "coordinator")
    shown(client)
    counts = []
    for left in (6, 2):
        for row in measured[left:]:
            row.delete()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            shown(client)
        counts.append(len(asked))
    assert counts[0] == counts[1]
