"""Learning from few masks: the profile `demo` against plain supervised learning with the same network, through the
stages themselves, and against a plain MONAI script for the same CPU time. 16 masks of sites A and B by simulated
readers (`annotation.demonstration.reading`), 36 others of sites A, B and C, one thread. The seeds were used for no
choice: tune the profile on seeds below 800,000. CPU seconds are those of the stage `train`, with its start, its
preparation and its calibration. One run of each: on other seeds mean Dice moves by a few hundredths."""

import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import mlservice
import voxloop
from annotation.demonstration.reading import read_like_a_person
from benchmarks._plain_monai import label, learn
from benchmarks._rows import least_row, plain_row, ratio_row
from mlservice.contract import (
    EvaluateRequest,
    EvaluateResult,
    PlanRequest,
    PlanResult,
    PredictRequest,
    PredictResult,
    ScanRef,
    Segment,
    Summary,
    TrainingConfig,
    TrainRequest,
    TrainResult,
)
from voxloop.child.inside import ChildFolder
from voxloop.child.outside import bare_environment, run_child
from voxloop.volume.growing import lung_limit
from voxloop.volume.phantom import make_phantom

SHAPE_ZYX = (64, 192, 192)
# Site, first seed, scans.
LEARNED = (("A", 853_001, 8), ("B", 854_001, 8))
HELD_OUT = (("A", 953_001, 12), ("B", 954_001, 12), ("C", 955_001, 12))
KEYS = ("opacity", "tree_in_bud", "cavity", "nodule", "atelectasis", "other")
SEGMENTS = tuple(Segment(number, key) for number, key in enumerate(KEYS, start=1))
SEED = 0
# The profile as it was before it learned from few masks: labels alone, every class on its own.
PLAIN: dict[str, Any] = {
    "patch_zyx": (1, 96, 96),
    "loss": "dice_ce",
    "steps": 400,
    "batch": 8,
    "foreground_share": 0.5,
    "precision": "fp32",
    "min_island_ml": 0.5,
    "lung_channel": False,
    "channels_last": False,
    "ema": 0.0,
    "threshold": 0.5,
    "paste_share": 0.0,
    "haze_share": 0.0,
    "consolidation_share": 0.0,
    "sure": 0.0,
    "learning_rate": 2e-3,
    "calibrate": False,
}
MOST_CPU = 1.0  # ours over the peer's
MOST_FALSE_ML = 5.0  # a reader deletes false positives one by one


def run() -> Iterator[dict[str, Any]]:
    """Rows of Dice, of false positives and of CPU seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learned = tuple(lay_out(folder, *scan, is_read=True) for scan in _scans(LEARNED))
        held_out = tuple(lay_out(folder, *scan, is_read=False) for scan in _scans(HELD_OUT))
        planned = stage("plan", PlanRequest("demo", learned, SEGMENTS, cpu_threads=1), PlanResult, folder / "plan")
        plain = msgspec.structs.replace(planned.config, **PLAIN)
        ours, our_seconds = _learn(planned.config, learned, held_out, folder / "ours")
        theirs, their_seconds = _learn(plain, learned, held_out, folder / "plain")
        yield plain_row("learning", "16 masks: held-out scans with a Dice", ours.scored, "")
        yield plain_row("learning", "16 masks: held-out scans without a finding", ours.empty, "")
        yield from _against(ours, theirs, "plain")
        yield ratio_row("learning", "16 masks: training, one thread", our_seconds, their_seconds, "CPU s", MOST_CPU)
        script = _learn_by_script(plain, learned, held_out, folder / "script", our_seconds)
        yield from _against(ours, script, "plain MONAI script")


def _against(ours: Summary, theirs: Summary, peer: str) -> Iterator[dict[str, Any]]:
    case = f"16 masks: mean Dice, {{}}; peer: {peer}"
    yield plain_row("learning", case.format("the peer's"), _known(theirs.mean_dice), "")
    yield least_row("learning", case.format("all sites"), _known(ours.mean_dice), "", _known(theirs.mean_dice))
    for site, other in zip(ours.sites, theirs.sites, strict=True):
        each = case.format(f"site {site.site}")
        yield ratio_row("learning", each, _known(site.mean_dice), _known(other.mean_dice), "")
    case = f"16 masks: false positives, empty scans; peer: {peer}"
    false_ml, other_ml = _known(ours.false_positive_ml_on_empty), _known(theirs.false_positive_ml_on_empty)
    yield plain_row("learning", case.replace("; peer", ", the peer's; peer"), other_ml, "mL")
    yield plain_row("learning", case, false_ml, "mL", min(MOST_FALSE_ML, other_ml))


def _scans(groups: tuple[tuple[str, int, int], ...]) -> Iterator[tuple[str, int]]:
    for site, first, count in groups:
        for seed in range(first, first + count):
            yield site, seed


def lay_out(folder: Path, site: str, seed: int, *, is_read: bool) -> ScanRef:
    """Write a phantom's folder: the labels are a reader's, or the truth."""
    phantom = make_phantom(seed, site, SHAPE_ZYX)
    spacing = phantom.geometry.spacing_mm_zyx
    truth = phantom.findings_zyx.astype(np.uint8)
    scan_folder = folder / "scans" / f"{site}{seed}"
    scan_folder.mkdir(parents=True)
    np.save(scan_folder / "volume.npy", phantom.hu_zyx)
    np.save(scan_folder / "labels.npy", read_like_a_person(truth, spacing, seed) if is_read else truth)
    limit, _ = lung_limit(phantom.hu_zyx, spacing)
    if limit is not None:
        np.save(scan_folder / "lungs.npy", limit.astype(np.uint8))
    return ScanRef(scan_folder.name, site, str(scan_folder), spacing)


def _learn(
    config: TrainingConfig, learned: tuple[ScanRef, ...], held_out: tuple[ScanRef, ...], folder: Path
) -> tuple[Summary, float]:
    """Figures on the held-out scans, and the CPU seconds of the training."""
    before = _children_seconds()
    stage("train", TrainRequest(config, learned, SEED, "bench"), TrainResult, folder / "train")
    seconds = _children_seconds() - before
    request = PredictRequest(str(folder / "train" / "model"), held_out, cpu_threads=1)
    stage("predict", request, PredictResult, folder / "predict")
    return _judge(held_out, folder / "predict" / "predictions", folder), seconds


def _learn_by_script(
    config: TrainingConfig, learned: tuple[ScanRef, ...], held_out: tuple[ScanRef, ...], folder: Path, seconds: float
) -> Summary:
    """Figures of the script after the same CPU seconds, on the one class \"any finding\"."""
    job = ChildFolder(folder)
    folder.mkdir()
    for scan in learned:  # one class: any finding
        labels = np.load(Path(scan.folder) / "labels.npy")
        np.save(Path(scan.folder) / "labels.npy", (labels > 0).astype(np.uint8))
    config = msgspec.structs.replace(config, classes=SEGMENTS[:1])
    network = learn(config, learned, job, seconds)
    predictions = label(network, config, held_out, job)
    return _judge(held_out, predictions, folder)


def _judge(held_out: tuple[ScanRef, ...], predictions: Path, folder: Path) -> Summary:
    segments = tuple(segment.id for segment in SEGMENTS)
    judged = EvaluateRequest(held_out, segments, str(predictions))
    result = stage("evaluate", judged, EvaluateResult, folder / "evaluate")
    challenger: Summary = result.challenger
    return challenger


def stage(name: str, request: Any, kind: Any, folder: Path) -> Any:
    environment = bare_environment((mlservice, voxloop), OMP_NUM_THREADS="1")
    return run_child(
        f"mlservice.{name}", request, kind, folder=folder, environment=environment, on_look=lambda lines: None
    )


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _known(figure: float | None) -> float:
    if figure is None:
        raise RuntimeError("no held-out scan could be measured")
    return figure
