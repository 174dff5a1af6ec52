"""Requests and configurations that are refused before a stage does anything, each in one sentence."""

from typing import Any

import msgspec
import pytest

from mlservice.contract import (
    AcquireRequest,
    AcquireScan,
    EvaluateRequest,
    PlanRequest,
    PredictRequest,
    ScanRef,
    Segment,
    TrainRequest,
    profile,
)
from tests.ml.bodies import NODULE, OPACITY, tiny
from voxloop.child import ContractError

SCAN = ScanRef("s1", "A", "scans/s1", (4.0, 1.8, 1.8))
KNOWN = AcquireScan("s1", "A", (0.0,))


def refused(make: Any) -> str:
    with pytest.raises(ContractError) as refusal:
        make()
    assert refusal.value.code == "bad_request"
    assert refusal.value.sentence.endswith(".")
    return refusal.value.sentence


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "a/", "../x"])
def test_a_scan_whose_id_is_no_name_of_a_folder(name: str) -> None:
    assert "folder name" in refused(lambda: ScanRef(name, "A", "f", (1.0, 1.0, 1.0)))


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, 1000.0), (float("nan"), 1.0, 1.0)])
def test_a_scan_of_impossible_spacing(spacing: Any) -> None:
    assert "spacing" in refused(lambda: ScanRef("s", "A", "f", spacing))


@pytest.mark.parametrize("number", [0, 255, 256, -1])
def test_a_segment_that_no_labelmap_can_hold(number: int) -> None:
    assert "1…254" in refused(lambda: Segment(number, "x"))


@pytest.mark.parametrize("number", [1, 254])
def test_a_segment_at_the_edge(number: int) -> None:
    assert Segment(number, "x").id == number


BROKEN_CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "network": {"network": "transformer"},
    "loss": {"loss": "focal"},
    "contrast": {"contrast": "clahe"},
    "optimiser": {"optimiser": "lion"},
    "precision": {"precision": "fp8"},
    "window": {"window_hu": (250.0, 250.0)},
    "patch": {"patch_zyx": (0, 64, 64)},
    "no step": {"steps": 0},
    "no patch": {"batch": 0},
    "no thread": {"cpu_threads": 0},
    "share above 1": {"foreground_share": 1.01},
    "share below 0": {"foreground_share": -0.01},
    "overlap of 1": {"overlap": 1.0},
    "segment twice": {"classes": (OPACITY, Segment(OPACITY.id, "again"))},
}


@pytest.mark.parametrize("changes", BROKEN_CONFIGURATIONS.values(), ids=BROKEN_CONFIGURATIONS.keys())
def test_a_configuration_that_cannot_be_trained(changes: dict[str, Any]) -> None:
    refused(lambda: tiny("demo", **changes))


@pytest.mark.parametrize(
    "changes", [{"foreground_share": 1.0}, {"foreground_share": 0.0}, {"overlap": 0.0}, {"classes": (OPACITY, NODULE)}]
)
def test_a_configuration_at_the_edge(changes: dict[str, Any]) -> None:
    config = tiny("demo", **changes)
    assert {name: getattr(config, name) for name in changes} == changes


@pytest.mark.parametrize(
    ("name", "is_flat", "channels"), [("demo", True, 1), ("lesion-2d", True, 1), ("lesion-3d", False, 1)]
)
def test_a_profile_has_no_class_before_planning(name: str, is_flat: bool, channels: int) -> None:
    assert (profile(name).is_flat, profile(name).channels) == (is_flat, channels)
    assert msgspec.structs.replace(profile(name), classes=(OPACITY, NODULE)).channels == 3


TWICE = (SCAN, msgspec.structs.replace(SCAN, site="B"))
BROKEN_REQUESTS: dict[str, tuple[Any, str]] = {
    "plan: no scan": (lambda: PlanRequest("demo", (), (OPACITY,)), "no scan to plan for"),
    "plan: twice": (lambda: PlanRequest("demo", TWICE, (OPACITY,)), "listed twice"),
    "plan: no segment": (lambda: PlanRequest("demo", (SCAN,), ()), "no segment"),
    "train: no scan": (lambda: TrainRequest(tiny("demo"), (), 1, "c0"), "no scan to learn from"),
    "train: twice": (lambda: TrainRequest(tiny("demo"), TWICE, 1, "c0"), "listed twice"),
    "train: not planned": (lambda: TrainRequest(tiny("demo", classes=()), (SCAN,), 1, "c0"), "plan first"),
    "train: seed below 0": (lambda: TrainRequest(tiny("demo"), (SCAN,), -1, "c0"), "32 bits"),
    "train: seed of 33 bits": (lambda: TrainRequest(tiny("demo"), (SCAN,), 2**32, "c0"), "32 bits"),
    "predict: no scan": (lambda: PredictRequest("model", ()), "no scan to label"),
    "predict: twice": (lambda: PredictRequest("model", TWICE), "listed twice"),
    "evaluate: twice": (lambda: EvaluateRequest(TWICE, (1,), "ours"), "listed twice"),
    "evaluate: no segment": (lambda: EvaluateRequest((SCAN,), (), "ours"), "no segment"),
    "acquire: unknown": (lambda: AcquireScan("s1", "A"), "has no embedding"),
    "acquire: a leak": (
        lambda: AcquireScan("v1", "V", uncertainty=0.4, is_held_out=True),
        "of a hold-out site: no model may say",
    ),
    "acquire: none asked": (lambda: AcquireRequest((KNOWN,), 0, 1), "at least one"),
    "acquire: twice": (lambda: AcquireRequest((KNOWN, KNOWN), 1, 1), "listed twice"),
    "acquire: random share": (lambda: AcquireRequest((KNOWN,), 1, 1, random_share=1.1), "between 0 and 1"),
    "acquire: strategy": (lambda: AcquireRequest((KNOWN,), 1, 1, strategies=("best",)), "no strategy best"),
    "acquire: lengths": (
        lambda: AcquireRequest((KNOWN, AcquireScan("s2", "A", (1.0, 2.0))), 1, 1),
        "of one length",
    ),
}


@pytest.mark.parametrize(("make", "words"), BROKEN_REQUESTS.values(), ids=BROKEN_REQUESTS.keys())
def test_a_request_that_no_stage_can_answer(make: Any, words: str) -> None:
    assert words in refused(make)


def test_requests_at_the_edge() -> None:
    assert TrainRequest(tiny("demo"), (SCAN,), 2**32 - 1, "c0").seed == 2**32 - 1
    assert EvaluateRequest((), (1,), "ours").scans == ()  # no hold-out yet: the gate says so
    assert AcquireRequest((), 1, 1).scans == ()  # none left to choose from
