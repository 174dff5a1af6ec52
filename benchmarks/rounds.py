"""The loop by a simulated reader: from no label on, rounds of ten scans are read, a model learns from all of them,
and pre-annotates the next ten. Every scan is read twice by the same reader (`benchmarks/_reader.py`), from the model's
mask and from blank, so that the difference is that of the mask alone. Through the stages, with the profile `demo`, one
thread. `VOXLOOP_BENCH_PLOT` names a file for the plot, an SVG."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from annotation.demonstration.reading import read_like_a_person
from annotation.learning.estimates import Estimate, mean_of
from benchmarks._reader import Case, Read, read
from benchmarks._rounds_plot import draw
from benchmarks._rows import plain_row
from benchmarks.learning import SEED, SEGMENTS, lay_out, stage
from mlservice.contract import (
    PlanRequest,
    PlanResult,
    PredictRequest,
    PredictResult,
    ScanRef,
    TrainRequest,
    TrainResult,
)
from voxloop.volume.growing import lung_limit

ROUNDS, OF_A_ROUND = 4, 10
FIRST_SEED = 863_001
SITES = "AB"


def run() -> Iterator[dict[str, Any]]:
    """Rows of acts a scan, by round."""
    shown: list[list[Read]] = []
    blank: list[list[Read]] = []
    with tempfile.TemporaryDirectory() as name:
        folder, learned = Path(name), list[ScanRef]()
        for number in range(ROUNDS):
            first = FIRST_SEED + 100 * number
            scans = [lay_out(folder, SITES[at % len(SITES)], first + at, is_read=False) for at in range(OF_A_ROUND)]
            masks = _label(tuple(learned), tuple(scans), folder / f"round-{number}") if learned else None
            cases = [_case(scan) for scan in scans]
            blank.append([read(case, None) for case in cases])
            shown.append(
                [read(case, np.load(masks / scan.id / "labels.npy")) for case, scan in zip(cases, scans, strict=True)]
                if masks
                else blank[-1]
            )
            yield from _rows(number, shown[-1], blank[-1])
            for scan in scans:
                _hand_in(scan)
            learned += scans
    if path := os.environ.get("VOXLOOP_BENCH_PLOT"):
        acts = [[[one.acts for one in reads] for reads in arm] for arm in (blank, shown)]
        Path(path).write_text(draw([mean_of(of) for of in acts[0]], [mean_of(of) for of in acts[1]]), "utf-8")


def _rows(number: int, shown: list[Read], blank: list[Read]) -> Iterator[dict[str, Any]]:
    case = f"round {number + 1}, from {OF_A_ROUND * number} masks"
    yield plain_row("rounds", f"{case}: acts a scan, blank", _mean([one.acts for one in blank]).value, "")
    if not number:
        return
    yield plain_row("rounds", f"{case}: acts a scan, from the mask", _mean([one.acts for one in shown]).value, "")
    saved = _mean([float(b.acts - s.acts) for b, s in zip(blank, shown, strict=True)])
    for name, value in (("", saved.value), (", 95 % from", saved.low), (", 95 % to", saved.high)):
        if value is not None:
            yield plain_row("rounds", f"{case}: acts saved{name}", value, "")
    share = 1 - sum(one.acts for one in shown) / max(1, sum(one.acts for one in blank))
    yield plain_row("rounds", f"{case}: share saved", share, "")


def _mean(values: list[Any]) -> Estimate:
    found = mean_of(values)
    if found is None:
        raise RuntimeError("no scan was read")
    return found


def _hand_in(scan: ScanRef) -> None:
    """From now on the scan's mask is a reader's, with a reader's errors."""
    path = Path(scan.folder) / "labels.npy"
    np.save(path, read_like_a_person(np.load(path), scan.spacing_mm_zyx, int(scan.id[1:])))


def _case(scan: ScanRef) -> Case:
    """The phantom as the reader sees it."""
    hu, truth = (np.load(Path(scan.folder) / name) for name in ("volume.npy", "labels.npy"))
    limit, background_hu = lung_limit(hu, scan.spacing_mm_zyx)
    return Case(hu, truth > 0, scan.spacing_mm_zyx, limit, background_hu)


def _label(learned: tuple[ScanRef, ...], scans: tuple[ScanRef, ...], folder: Path) -> Path:
    """Masks of a model that learned from these; returns the folder of predictions."""
    planned = stage("plan", PlanRequest("demo", learned, SEGMENTS, cpu_threads=1), PlanResult, folder / "plan")
    config = msgspec.structs.replace(planned.config, cpu_threads=1)
    stage("train", TrainRequest(config, learned, SEED, "bench"), TrainResult, folder / "train")
    request = PredictRequest(str(folder / "train" / "model"), scans, cpu_threads=1)
    stage("predict", request, PredictResult, folder / "predict")
    return folder / "predict" / "predictions"
