"""The documents between the web and the stages."""

import dataclasses
import json
import subprocess
import sys

import pytest

from mlservice.contract import (
    PROFILES,
    AcquireRequest,
    AcquireScan,
    ContractError,
    EvaluateRequest,
    Gate,
    PlanRequest,
    PredictRequest,
    Rule,
    ScanRef,
    TrainRequest,
    from_json,
    profile,
    read_json,
    to_json,
    write_json,
)
from tests.ml.bodies import OPACITY, bare_environment, tiny

SCAN = ScanRef("s1", "A", "scans/s1", (4.0, 1.8, 1.8))
DOCUMENTS = [
    PlanRequest("demo", (SCAN,), (OPACITY,)),
    TrainRequest(tiny("demo"), (SCAN,), 7, "f" * 64),
    PredictRequest("model", (SCAN,)),
    EvaluateRequest((SCAN,), (1,), "ours", "theirs"),
    AcquireRequest((AcquireScan("s1", "A", "scans/s1", uncertainty=0.5),), 1, 3),
    Gate(False, (Rule("mean_dice", False, 0.5, None, "It is lower."),)),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: type(d).__name__)
def test_a_document_survives_json(document, tmp_path):
    write_json(tmp_path / "d.json", document)
    assert read_json(type(document), tmp_path / "d.json") == document
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


def break_version(document):
    document["contract"] = 99


def break_field(document):
    document["more"] = 1


def break_missing(document):
    del document["seed"]


def break_type(document):
    document["seed"] = "7"


def break_nested(document):
    document["scans"][0]["spacing_mm_zyx"] = [1, 2]


def break_bool(document):
    document["seed"] = True


def break_value(document):
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
def test_a_broken_document_is_refused(breaking, code):
    document = json.loads(json.dumps(to_json(TrainRequest(tiny("demo"), (SCAN,), 7, "f" * 64))))
    breaking(document)
    with pytest.raises(ContractError) as refusal:
        from_json(TrainRequest, document)
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith(".")


def test_a_number_that_is_none_is_refused():
    document = json.loads(json.dumps(to_json(AcquireRequest((AcquireScan("s", "A", "f"),), 1, 3))))
    document["random_share"] = float("nan")
    with pytest.raises(ContractError):
        from_json(AcquireRequest, document)


def test_every_profile_is_named_by_its_key():
    assert {name: config.profile for name, config in PROFILES.items()} == {name: name for name in PROFILES}
    assert set(PROFILES) == {"demo", "lesion-2d", "lesion-3d"}
    with pytest.raises(ContractError, match="no profile"):
        profile("magic")


def test_nothing_frozen_can_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SCAN.site = "B"


def test_importing_the_contract_imports_no_torch():
    program = "import mlservice.contract, sys; print(sorted({'torch','monai','django','scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], env=bare_environment(), capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
