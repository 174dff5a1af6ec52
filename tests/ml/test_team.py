"""Several processes train one network: with the weights of one, and nothing is left of them when the job is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import torch

from mlservice.contract import ScanRef, TrainRequest, TrainResult
from mlservice.weights import load_model, named_tensors
from tests.ml.bodies import ask, bare_environment, lines, make_scan, run, tiny
from voxloop.child import read_json


@pytest.fixture(scope="module")
def request_of_two(tmp_path_factory: pytest.TempPathFactory) -> TrainRequest:
    folder = tmp_path_factory.mktemp("scans")
    scans: tuple[ScanRef, ...] = tuple(make_scan(folder, f"s{number}", number) for number in range(3))
    # Every patch counts alone: instance norm, a mean over voxels, patches of one size within the scans.
    config = tiny("lesion-3d", loss="bce", deep_supervision=False, batch=2, steps=20, precision="fp32")
    return TrainRequest(config, scans, 3, "c0ffee", processes=2)


def trained(folder: Path, request: TrainRequest) -> TrainResult:
    done = run("train", ask(folder, request))
    assert done.returncode == 0, done.stderr
    return read_json(TrainResult, folder / "result.json")


def members(folder: Path) -> set[int]:
    """Processes that work in this folder."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words and b"mlservice.train" in words:
            found.add(int(path.parent.name))
    return found


def test_two_learn_what_one_learns_and_go_on_when_killed(request_of_two: TrainRequest, tmp_path: Path) -> None:
    alone = msgspec.structs.replace(request_of_two, processes=1)
    one = trained(tmp_path / "one", alone)
    folder = ask(tmp_path / "two", request_of_two)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlservice.train", str(folder)], env=bare_environment(), stderr=subprocess.DEVNULL
    )
    while not (folder / "checkpoint.safetensors").exists():
        assert process.poll() is None, "it ended before its first checkpoint"
        time.sleep(0.02)
    assert len(members(folder)) == 3  # torchrun, which has the stage's process id, and two that train
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 20
    while members(folder):
        assert time.monotonic() < end, "a process went on without the job"
        time.sleep(0.05)
    two = trained(folder, request_of_two)
    assert any(line["sentence"].startswith("Continued after step") for line in lines(folder))
    ours, theirs = (named_tensors(load_model(tmp_path / name / "model")[0]) for name in ("one", "two"))
    for name, tensor in ours.items():
        assert torch.allclose(tensor, theirs[name], atol=1e-4), name
    for point, other in zip(one.curve, two.curve, strict=True):
        assert point.loss == pytest.approx(other.loss, abs=1e-3)


def test_a_refusal_of_the_first_ends_all(request_of_two: TrainRequest, tmp_path: Path) -> None:
    missing = ScanRef("none", "A", str(tmp_path / "none"), (4.0, 1.8, 1.8))
    folder = ask(tmp_path / "job", msgspec.structs.replace(request_of_two, scans=(missing,)))
    assert run("train", folder).returncode != 0
    assert '"bad_scan"' in (folder / "result.json").read_text()
    assert members(folder) == set()
