"""The documents between the web and the stages."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlservice.contract import (
    AcquireRequest,
    AcquireScan,
    EvaluateRequest,
    Gate,
    GatePolicy,
    Outcome,
    PlanRequest,
    PredictRequest,
    Rule,
    ScanRef,
    TrainRequest,
    Verdict,
    profile,
    profile_names,
)
from tests.ml.bodies import OPACITY, bare_environment, tiny
from voxloop.child import ContractError, from_json, read_json, to_json, write_json

SCAN = ScanRef("s1", "A", "scans/s1", (4.0, 1.8, 1.8))
DOCUMENTS = [
    PlanRequest("demo", (SCAN,), (OPACITY,)),
    TrainRequest(tiny("demo"), (SCAN,), 7, "f" * 64),
    PredictRequest("model", (SCAN,)),
    EvaluateRequest((SCAN,), (1,), "ours", "theirs"),
    AcquireRequest((AcquireScan("s1", "A", (0.25,), uncertainty=0.5),), 1, 3),
    Gate(Verdict.HOLD_BACK, (Rule("mean_dice", Outcome.FAILS, 0.5, None, "It is lower."),), None, (), GatePolicy()),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: type(d).__name__)
def test_a_document_survives_json(document: Any, tmp_path: Path) -> None:
    write_json(tmp_path / "d.json", document)
    assert read_json(type(document), tmp_path / "d.json") == document
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


def break_version(document: dict[str, Any]) -> None:
    document["contract"] = 99


def break_field(document: dict[str, Any]) -> None:
    document["more"] = 1


def break_missing(document: dict[str, Any]) -> None:
    del document["seed"]


def break_type(document: dict[str, Any]) -> None:
    document["seed"] = "7"


def break_nested(document: dict[str, Any]) -> None:
    document["scans"][0]["spacing_mm_zyx"] = [1, 2]


def break_bool(document: dict[str, Any]) -> None:
    document["seed"] = True


def break_value(document: dict[str, Any]) -> None:
    document["scans"][0]["id"] = "../../etc"


@pytest.mark.parametrize(
    ("breaking", "code"),
    [
        (break_version, "bad_version"),
        (break_field, "bad_request"),
        (break_missing, "bad_request"),
        (break_type, "bad_request"),
        (break_nested, "bad_request"),
        (break_bool, "bad_request"),
        (break_value, "bad_request"),
    ],
)
def test_a_broken_document_is_refused(breaking: Any, code: str) -> None:
    document = json.loads(json.dumps(to_json(TrainRequest(tiny("demo"), (SCAN,), 7, "f" * 64))))
    breaking(document)
    with pytest.raises(ContractError) as refusal:
        from_json(TrainRequest, document)
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith(".")


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    document = json.loads(json.dumps(to_json(AcquireRequest((AcquireScan("s", "A", (0.5,)),), 1, 3))))
    document["random_share"] = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "out.json", AcquireScan("s", "A", (0.5,), extent_ml=float("nan")))
    (tmp_path / "in.json").write_text(json.dumps(document))
    with pytest.raises(ContractError):
        read_json(AcquireRequest, tmp_path / "in.json")


def test_every_profile_is_named_by_its_key() -> None:
    assert profile_names() == ("demo", "lesion-2d", "lesion-3d")
    assert [profile(name).profile for name in profile_names()] == list(profile_names())
    with pytest.raises(ContractError, match="no profile"):
        profile("magic")


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1.0},
        {"ema": 1.0},
        {"min_island_ml": -1.0},
        {"haze_share": 1.5},
        {"precision": "fp8"},
        {"lung_channel": False},  # lesions are laid inside the limit
        {"loss": "dice_ce"},  # haze has no class
        {"contrast": "bcet"},  # no HU any more
        {"noise": -0.1},
        {"zoom": float("nan")},
        {"learning_rate": 0.0},
        {"validation_share": 0.25},  # and when?
        {"validate_every": 10},  # and on what?
        {"patience": 2},
        {"validation_share": 0.6, "validate_every": 10},
    ],
    ids=str,
)
def test_a_profile_that_cannot_be_trained_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractError) as refusal:
        tiny("demo", **changes)
    assert refusal.value.code == "bad_request"


def test_nothing_frozen_can_be_changed() -> None:
    with pytest.raises(AttributeError):
        SCAN.site = "B"  # type: ignore[misc]  # what the test is about


def test_importing_the_contract_imports_no_torch() -> None:
    program = "import mlservice.contract, sys; print(sorted({'torch','monai','django','scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], env=bare_environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
