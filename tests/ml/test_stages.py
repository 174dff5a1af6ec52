"""The stages as their caller runs them: processes, folders, exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from scipy import ndimage

from mlservice.contract import (
    EvaluateRequest,
    EvaluateResult,
    PlanRequest,
    PlanResult,
    PredictRequest,
    PredictResult,
    ScanRef,
    TrainRequest,
    TrainResult,
    Verdict,
)
from mlservice.fitting import one_cycle
from mlservice.networks import build_network
from mlservice.predict import coarsen, mean_top_entropy, predict
from mlservice.train import train
from mlservice.weights import load_model
from tests.ml.bodies import NODULE, OPACITY, SHAPE, ask, bare_environment, lines, make_scan, run, tiny
from voxloop.child import read_json
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.child.protocol import END_WITH_STDIN


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four labelled scans of two sites and a demo model that learned from them in 40 steps."""
    folder = tmp_path_factory.mktemp("learnt")
    scans = tuple(make_scan(folder, f"t{n}", n, site="AB"[n % 2]) for n in range(4))
    request = TrainRequest(tiny("demo", steps=40, batch=6), scans, 1, "c0ffee")
    assert run_inside(TrainRequest, train, [str(ask(folder / "train", request))]) == 0
    return folder, scans


def test_the_demo_profile_learns(learnt: Any, tmp_path: Path) -> None:
    folder, _ = learnt
    held_out = tuple(make_scan(tmp_path, f"h{n}", 50 + n, site="C", lesions=3 * (n < 3)) for n in range(4))
    job = ask(tmp_path / "predict", PredictRequest(str(folder / "train" / "model"), held_out))
    assert run_inside(PredictRequest, predict, [str(job)]) == 0
    judged = ask(tmp_path / "judge", EvaluateRequest(held_out, (OPACITY.id,), str(job / "predictions")))
    assert run("evaluate", judged).returncode == 0
    result = read_json(EvaluateResult, judged / "result.json")
    assert result.challenger.mean_dice > 0.6
    assert result.challenger.empty == 1
    # Three scored scans: whether the first model may serve is for a person to say.
    assert result.gate.verdict == Verdict.UNDECIDED
    assert [case.scan for case in result.cases][:3] == sorted(
        ("h0", "h1", "h2"), key=lambda name: next(s.dice for s in result.challenger.scans if s.id == name)
    )
    assert all(case.champion is None and case.reference and case.window[2] > 0 for case in result.cases[:3])
    assert sum(size.lesions for size in result.challenger.sizes) >= 3
    curve = read_json(TrainResult, folder / "train" / "result.json").curve
    assert curve[-1].loss < 0.8 * curve[0].loss
    assert [line["losses"]["train"] for line in lines(folder / "train") if line["losses"]] == [p.loss for p in curve]


def test_a_prediction_lies_on_the_scans_own_grid(learnt: Any, tmp_path: Path) -> None:
    folder, scans = learnt
    without = make_scan(tmp_path, "nolungs", 7, lungs=False)
    job = ask(tmp_path / "job", PredictRequest(str(folder / "train" / "model"), (scans[0], without)))
    done = run("predict", job)
    assert done.returncode == 0, done.stderr
    for prediction in read_json(PredictResult, job / "result.json").predictions:
        labels = np.load(job / prediction.folder / "labels.npy")
        coarse = np.load(job / prediction.folder / "probability.npy")
        assert (labels.shape, labels.dtype, coarse.dtype) == (SHAPE, np.uint8, np.uint8)
        assert set(np.unique(labels)) <= {0, OPACITY.id}
        assert coarse.shape == tuple(-(-n // s) for n, s in zip(SHAPE, prediction.step_zyx, strict=True))
        assert 0 <= prediction.uncertainty <= 1
        assert prediction.extent_ml == pytest.approx((labels > 0).sum() * 4 * 1.8 * 1.8 / 1000)


def test_findings_of_two_classes_are_told_apart(tmp_path: Path) -> None:
    """Dense lesions are nodules here, hazy ones opacities."""

    def with_nodules(name: str, seed: int) -> ScanRef:
        scan = make_scan(tmp_path, name, seed, lesions=4)
        volume, labels = (np.load(Path(scan.folder) / f"{kind}.npy") for kind in ("volume", "labels"))
        labels[(labels > 0) & (ndimage.gaussian_filter(volume.astype(np.float32), 1) > -310)] = NODULE.id
        np.save(Path(scan.folder) / "labels.npy", labels)
        return scan

    scans, held_out = [with_nodules(f"t{n}", n) for n in range(4)], with_nodules("h0", 60)
    config = tiny("demo", steps=240, batch=6, classes=(OPACITY, NODULE))
    job = ask(tmp_path / "train", TrainRequest(config, tuple(scans), 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 0
    asked = ask(tmp_path / "predict", PredictRequest(str(job / "model"), (held_out,)))
    assert run_inside(PredictRequest, predict, [str(asked)]) == 0
    labels, truth = np.load(asked / "predictions/h0/labels.npy"), np.load(Path(held_out.folder) / "labels.npy")
    both = (labels > 0) & (truth > 0)
    assert both.sum() > 0.5 * (truth > 0).sum()
    assert (labels == truth)[both].mean() > 0.8
    (found,) = read_json(PredictResult, asked / "result.json").predictions
    assert min(found.extent_ml_by_class.values()) > 0


def test_the_weights_kept_are_averaged_and_the_card_says_what_was_used(tmp_path: Path) -> None:
    scans = tuple(make_scan(tmp_path, f"s{n}", n) for n in range(2))
    steps = {}
    for ema in (0.0, 0.98):
        job = ask(tmp_path / f"ema{ema}", TrainRequest(tiny("demo", steps=6, ema=ema), scans, 5, "c0ffee"))
        assert run_inside(TrainRequest, train, [str(job)]) == 0
        network, card = load_model(job / "model")
        assert card.config.ema == ema
        assert card.config.precision in {"fp32", "bf16"}
        torch.manual_seed(5)
        before = build_network(card.config).state_dict()
        after = network.state_dict()
        weights = [name for name in after if name.endswith("weight")]
        steps[ema] = sum(float((after[name] - before[name]).square().sum()) for name in weights)
    assert 0 < steps[0.98] < steps[0.0]


@pytest.mark.parametrize("name", ["demo", "lesion-2d", "lesion-3d"])
def test_every_profile_trains_and_predicts(name: str, tmp_path: Path) -> None:
    scans = tuple(make_scan(tmp_path, f"s{n}", n) for n in range(2))
    job = ask(tmp_path / "train", TrainRequest(tiny(name), scans, 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 0
    result = read_json(TrainResult, job / "result.json")
    assert len(result.curve) == 2
    asked = ask(tmp_path / "predict", PredictRequest(str(job / "model"), scans[:1]))
    assert run_inside(PredictRequest, predict, [str(asked)]) == 0
    assert np.load(asked / "predictions" / "s0" / "labels.npy").shape == SHAPE


def test_the_same_request_gives_the_same_weights(tmp_path: Path) -> None:
    scans = tuple(make_scan(tmp_path, f"s{n}", n) for n in range(2))
    hashes = []
    for attempt, seed in enumerate([5, 5, 6]):
        job = ask(tmp_path / f"job{attempt}", TrainRequest(tiny("demo", steps=4), scans, seed, "c0ffee"))
        assert run_inside(TrainRequest, train, [str(job)]) == 0
        hashes.append(read_json(TrainResult, job / "result.json").weights_sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def test_planning_takes_classes_with_enough_labels(tmp_path: Path) -> None:
    scans = tuple(make_scan(tmp_path, f"s{n}", n) for n in range(2))
    labels = np.load(tmp_path / "scans" / "s0" / "labels.npy")
    labels[0, 0, :9] = NODULE.id
    np.save(tmp_path / "scans" / "s0" / "labels.npy", labels)
    job = ask(tmp_path / "plan", PlanRequest("demo", scans, (OPACITY, NODULE), steps=7))
    assert run("plan", job).returncode == 0
    result = read_json(PlanResult, job / "result.json")
    assert result.config.classes == (OPACITY,)
    assert result.config.steps == 7
    assert result.voxels[NODULE.key] == 9
    assert any(NODULE.key in note for note in result.notes)


def test_planning_moves_the_3d_grid_to_the_sites_median(tmp_path: Path) -> None:
    scan = make_scan(tmp_path, "s0", 0)
    thin = msgspec.structs.replace(scan, spacing_mm_zyx=(1.0, 0.7, 0.7))
    for given, expected in ((scan, (5.0, 1.25, 1.25)), (thin, (1.0, 0.7, 0.7))):
        job = ask(tmp_path / "plan", PlanRequest("lesion-3d", (given,), (OPACITY,)))
        assert run("plan", job).returncode == 0
        assert read_json(PlanResult, job / "result.json").config.spacing_mm_zyx == expected


def test_planning_without_lungs_learns_without_their_limit(tmp_path: Path) -> None:
    """Findings may lie anywhere then: nothing is cut off at a limit, and none is laid inside one."""
    within, without = (make_scan(tmp_path, f"s{n}", n, lungs=n == 0) for n in range(2))
    for scans, takes_limit in (((within, without), True), ((without,), False)):
        job = ask(tmp_path / "plan", PlanRequest("demo", scans, (OPACITY,)))
        assert run("plan", job).returncode == 0
        result = read_json(PlanResult, job / "result.json")
        assert result.config.lung_channel == takes_limit
        assert result.config.makes_lesions == takes_limit
        assert any("without their limit" in note for note in result.notes) != takes_limit


def refusal(folder: Path) -> Any:
    return json.loads((folder / "result.json").read_text())["error"]


def test_nothing_to_learn_is_said(tmp_path: Path) -> None:
    scan = make_scan(tmp_path, "s0", 0, lesions=0)
    job = ask(tmp_path / "plan", PlanRequest("demo", (scan,), (OPACITY,)))
    assert run("plan", job).returncode == 1
    assert refusal(job)["code"] == "nothing_to_learn"


def test_a_bad_request_is_exit_code_2(tmp_path: Path) -> None:
    job = tmp_path / "job"
    job.mkdir()
    (job / "request.json").write_text("{")
    assert run("plan", job).returncode == 2
    assert refusal(job)["code"] == "bad_request"
    assert run("plan", tmp_path / "nowhere").returncode == 2


@pytest.mark.parametrize("spoil", ["missing", "float", "shape", "erased", "pickle"])
def test_a_bad_scan_is_told_in_one_sentence(spoil: Any, tmp_path: Path) -> None:
    scan = make_scan(tmp_path, "s0", 0)
    scan_folder = tmp_path / "scans" / "s0"
    volume, labels = np.load(scan_folder / "volume.npy"), np.load(scan_folder / "labels.npy")
    if spoil == "missing":
        (scan_folder / "volume.npy").unlink()
    if spoil == "float":
        np.save(scan_folder / "volume.npy", volume.astype(np.float32))
    if spoil == "shape":
        np.save(scan_folder / "labels.npy", labels[1:])
    if spoil == "erased":
        labels[0, 0, 0] = 255
        np.save(scan_folder / "labels.npy", labels)
    if spoil == "pickle":
        np.save(scan_folder / "volume.npy", np.array([{}], dtype=object), allow_pickle=True)
    job = ask(tmp_path / "job", TrainRequest(tiny("demo"), (scan,), 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 1
    assert refusal(job)["code"] == "bad_scan"
    assert refusal(job)["sentence"].count(".") >= 1


def start_long(tmp_path: Path, **more: Any) -> Any:
    scans = (make_scan(tmp_path, "s0", 0),)
    job = ask(tmp_path / "job", TrainRequest(tiny("demo", steps=5000), scans, 1, "c0ffee"))
    command = [sys.executable, "-m", "mlservice.train", str(job)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **{"env": bare_environment(), **more})
    until = time.monotonic() + 240
    while not (job / "progress.jsonl").exists() or lines(job)[-1]["step"] < 1:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    return job, process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_stage_leaves_no_result_and_a_rerun_starts_clean(number: int, tmp_path: Path) -> None:
    job, process = start_long(tmp_path)
    process.send_signal(number)
    process.wait(timeout=60)
    assert not (job / "result.json").exists()
    assert not (job / "model").exists()
    ask(job, TrainRequest(tiny("demo"), (make_scan(tmp_path, "s1", 1),), 1, "c0ffee"))
    assert run_inside(TrainRequest, train, [str(job)]) == 0
    assert max(line["step"] for line in lines(job)) == 2


def test_a_stage_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """kill -9 of the worker closes the pipe to the stage's stdin, which ends the training."""
    read, write = os.pipe()
    job, process = start_long(tmp_path, stdin=read, env={**bare_environment(), END_WITH_STDIN: "1"})
    os.close(read)
    os.close(write)
    assert process.wait(timeout=60) != 0
    assert not (job / "result.json").exists()


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [one_cycle(step, 120) for step in range(1, 121)]
    assert max(rates) == pytest.approx(1, abs=1e-3)
    assert 0.04 <= rates[0] < 0.1
    assert rates[-1] < 0.01
    assert all(0 < one_cycle(step, steps) <= 1 for steps in (1, 2, 3) for step in range(1, steps + 1))


def test_uncertainty_is_the_entropy_of_the_most_unsure() -> None:
    share = np.zeros(1000, np.float32)
    assert mean_top_entropy(share) == pytest.approx(0, abs=1e-6)
    share[:5] = 0.5
    assert mean_top_entropy(share) == pytest.approx(1)
    share[:5] = 0.9
    assert mean_top_entropy(share) == pytest.approx(0.469, abs=1e-3)


def test_the_coarse_map_is_the_mean_of_blocks() -> None:
    share = np.random.default_rng(0).random((2, 200, 130), dtype=np.float32)
    coarse, step = coarsen(share)
    assert step == (1, 2, 2)
    assert coarse.shape == (2, 100, 65)
    assert coarse[1, 3, 4] == round(float(share[1, 6:8, 8:10].mean()) * 255)


def test_progress_is_readable_while_it_grows(tmp_path: Path) -> None:
    job = ChildFolder(tmp_path)
    job.report(1, 2, "One", {"train": 0.5})
    job.report(2, 2, "Two")
    assert [line["sentence"] for line in lines(tmp_path)] == ["One", "Two"]
