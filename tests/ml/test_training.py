"""What a training survives, and what it keeps."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mlservice.contract import PredictRequest, ScanRef, TrainRequest, TrainResult
from mlservice.held import set_aside
from mlservice.predict import predict
from mlservice.train import train
from mlservice.weights import load_model
from tests.ml.bodies import NODULE, OPACITY, ask, bare_environment, lines, make_scan, tiny
from voxloop.child import read_json
from voxloop.child.inside import run_inside


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> tuple[ScanRef, ...]:
    """Three scans with lesions and one without."""
    folder = tmp_path_factory.mktemp("scans")
    return tuple(make_scan(folder, f"s{n}", n, lesions=3 * (n < 3)) for n in range(4))


def trained(folder: Path, request: TrainRequest) -> TrainResult:
    """Train in a folder that may hold what a killed attempt left."""
    assert run_inside(TrainRequest, train, [str(ask(folder, request))]) == 0
    return read_json(TrainResult, folder / "result.json")


def refusal(folder: Path) -> dict[str, str]:
    error: dict[str, str] = json.loads((folder / "result.json").read_text())["error"]
    return error


def kill_after(folder: Path, request: TrainRequest, step: int) -> None:
    """Start the stage and kill -9 it once its progress has reached a step."""
    command = [sys.executable, "-m", "mlservice.train", str(ask(folder, request))]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=bare_environment())
    until = time.monotonic() + 120
    while not (folder / "progress.jsonl").exists() or lines(folder)[-1]["step"] < step:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert not (folder / "result.json").exists()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("demo", {"steps": 120, "calibrate": True}),
        ("demo", {"steps": 100, "validation_share": 0.34, "validate_every": 20}),
        ("lesion-3d", {"steps": 40}),  # SGD, and a network with layers of two names
    ],
    ids=["average", "validation", "sgd"],
)
def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(
    name: str, changes: dict[str, Any], scans: tuple[ScanRef, ...], tmp_path: Path
) -> None:
    request = TrainRequest(tiny(name, **changes), scans, 3, "c0ffee")
    undisturbed = trained(tmp_path / "undisturbed", request)
    folder = tmp_path / "killed"
    kill_after(folder, request, request.config.steps // 3)
    result = trained(folder, request)
    assert any(line["sentence"].startswith("Continued after step") for line in lines(folder))
    assert result.weights_sha256 == undisturbed.weights_sha256
    assert result.curve == undisturbed.curve
    assert load_model(folder / "model")[1] == load_model(tmp_path / "undisturbed" / "model")[1]
    # Whoever watches the second attempt sees the whole curve.
    assert [line["losses"]["train"] for line in lines(folder) if line["losses"]] == [p.loss for p in result.curve]


@pytest.mark.parametrize("spoil", ["other request", "half a file", "after the last step"])
def test_a_checkpoint_is_continued_only_where_it_belongs(
    spoil: str, scans: tuple[ScanRef, ...], tmp_path: Path
) -> None:
    request = TrainRequest(tiny("demo", steps=4), scans[:2], 3, "c0ffee")
    fresh = trained(tmp_path / "fresh", request)
    folder = tmp_path / "again"
    trained(folder, request if spoil != "other request" else msgspec.structs.replace(request, seed=4))
    checkpoint = folder / "checkpoint.safetensors"
    if spoil == "half a file":
        checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    (folder / ".checkpoint.safetensors.1.tmp").write_bytes(b"of an attempt that was killed while it wrote")
    assert trained(folder, request).weights_sha256 == fresh.weights_sha256
    went_on = any(line["sentence"].startswith("Continued after step 4") for line in lines(folder))
    assert went_on == (spoil == "after the last step")
    assert not list(folder.glob(".*.tmp"))


def test_a_loss_that_is_no_number_ends_the_training_with_its_reason(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    config = tiny(
        "demo", steps=50, learning_rate=1e30, loss="bce", paste_share=0.0, haze_share=0.0, consolidation_share=0.0
    )
    job = ask(tmp_path / "job", TrainRequest(config, scans[:1], 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 1
    assert refusal(job)["code"] == "not_finite"
    assert "after step" in refusal(job)["sentence"]
    assert not (job / "model").exists()


def test_it_learns_a_phantom_by_heart(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    """The whole chain can represent what a reader drew: nothing is shifted, mirrored or lost on the way."""
    still = {
        "rotate_deg": 0.0,
        "zoom": 0.0,
        "lighting": 0.0,
        "noise": 0.0,
        "paste_share": 0.0,
        "haze_share": 0.0,
        "consolidation_share": 0.0,
    }
    config = tiny("demo", steps=160, batch=8, min_island_ml=0.0, threshold=0.5, calibrate=False, **still)
    job = ask(tmp_path / "train", TrainRequest(config, scans[:1], 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 0
    asked = ask(tmp_path / "predict", PredictRequest(str(job / "model"), scans[:1]))
    assert run_inside(PredictRequest, predict, [str(asked)]) == 0
    said = np.load(asked / "predictions/s0/labels.npy") > 0
    truth = np.load(Path(scans[0].folder) / "labels.npy") > 0
    assert 2 * (said & truth).sum() / (said.sum() + truth.sum()) > 0.95


def test_an_empty_scan_and_a_class_in_one_scan_can_be_learned_from(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    folder = tmp_path / "with nodule"
    only = make_scan(folder, "n0", 9)
    labels = np.load(Path(only.folder) / "labels.npy")
    labels[labels > 0] = NODULE.id
    np.save(Path(only.folder) / "labels.npy", labels)
    config = tiny("demo", steps=3, classes=(OPACITY, NODULE), calibrate=True)
    result = trained(tmp_path / "train", TrainRequest(config, (scans[0], scans[3], only), 1, "c0ffee"))
    assert np.isfinite(result.curve[-1].loss)


def test_only_empty_scans_are_nothing_to_learn(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    job = ask(tmp_path / "job", TrainRequest(tiny("demo"), scans[3:], 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 1
    assert refusal(job)["code"] == "nothing_to_learn"


def test_the_best_validated_weights_are_kept_and_patience_ends(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    """With a learning rate that ruins the network, the first validations are the best."""
    ruin = {"learning_rate": 0.5, "ema": 0.0, "validation_share": 0.34, "validate_every": 5, "threshold": 0.5}
    request = TrainRequest(tiny("demo", steps=200, patience=4, **ruin), scans, 1, "c0ffee")
    result = trained(tmp_path / "patient", request)
    card = load_model(tmp_path / "patient" / "model")[1]
    scores = {point.step: point.validation for point in result.curve if point.validation is not None}
    assert all(step % 5 == 0 for step in scores)
    assert card.metrics["validation_score"] == max(scores.values())
    assert scores[int(card.metrics["best_step"])] == card.metrics["validation_score"]
    assert max(scores) == card.metrics["best_step"] + 4 * 5 < 200
    # The weights kept are those of that step: a training that ends there has the same.
    shown = [line["losses"]["validation"] for line in lines(tmp_path / "patient") if "validation" in line["losses"]]
    assert shown == list(scores.values())


def test_scans_set_aside_hold_both_kinds_and_teach_nothing(tmp_path: Path) -> None:
    folders = []
    for number in range(10):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        np.save(folder / "labels.npy", np.full((2, 2, 2), number % 2, np.uint8))
        folders.append(folder)
    learned, held = set_aside(folders, 0.4, 1)
    assert sorted(learned + held) == folders
    assert len(held) == 4
    assert sum(int(folder.name[1:]) % 2 for folder in held) == 2
    assert set_aside(folders, 0.4, 1) == (learned, held)
    assert {tuple(set_aside(folders, 0.4, seed)[1]) for seed in range(5)} != {tuple(held)}
    assert set_aside(folders[:2], 0.4, 1) == (folders[:2], [])
    assert set_aside(folders, 0.0, 1) == (folders, [])
