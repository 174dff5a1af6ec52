"""How often the gate errs, by simulation: share of challengers that are promoted, by what is true (docs/gate.md).
The peer is the gate's predecessor on the same trials. `bench gate` reports on seeds that were not used to choose the
limits; VOXLOOP_BENCH_GATE_SEED sets others."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks._gate_trials import MEAN_DICE, SD, Truth, draw, judge_all, judge_all_as_before
from benchmarks._rows import least_row, plain_row
from mlservice.contract import GatePolicy
from mlservice.student import two_sided

TRIALS = 20_000
CHOOSING, REPORTING = 1_000, 500_000  # first seeds
HOLD_OUTS = {
    "C, 10 + 3": {"C": (10, 3)},
    "2 x (6 + 3)": dict.fromkeys("CD", (6, 3)),
    "3 x (4 + 1)": dict.fromkeys("ABC", (4, 1)),
    "3 x (10 + 3)": dict.fromkeys("ABC", (10, 3)),
    "3 x (30 + 8)": dict.fromkeys("ABC", (30, 8)),
}
TRUTHS = {
    "equal": Truth(),
    "worse by .03": Truth(-0.03),
    "worse by .05": Truth(-0.05),
    "worse by .10": Truth(-0.10),
    "C -.10, others +.04": Truth(0.04, by_site=(("C", -0.10),)),
    "better by .03": Truth(0.03),
    "better by .05": Truth(0.05),
    "better by .05, mL x 2": Truth(0.05, false_ratio=2.0),
}
PROMISED = "3 x (10 + 3)"
MOST_WORSE, LEAST_BETTER = 3.0, 85.0  # % promoted: worse by .03, better by .05
LOOSER = 0.60  # correlation of two models that differ more
RESAMPLES = 1000


def run(trials: int = TRIALS, first_seed: int = 0) -> Iterator[dict[str, Any]]:
    """Rows of shares in %."""
    seed = first_seed or int(os.environ.get("VOXLOOP_BENCH_GATE_SEED", REPORTING))
    policy = GatePolicy()
    for name, sites in HOLD_OUTS.items():
        for what, truth in TRUTHS.items():
            if truth.by_site and len(sites) < 3:
                continue
            seed += 1
            found = draw(seed, trials, sites, truth)
            promoted, asked = judge_all(found, policy)
            case = f"{name}, {what}"
            before = float(judge_all_as_before(found).mean())
            yield _share(f"{case}: promoted", promoted, before, name == PROMISED, what)
            yield plain_row("gate", f"{case}: asked", 100 * float(asked.mean()), "%")
    for what in ("worse by .03", "better by .05"):
        seed += 1
        promoted, _ = judge_all(draw(seed, trials, HOLD_OUTS[PROMISED], TRUTHS[what], LOOSER), policy)
        yield plain_row("gate", f"{what}, correlation {LOOSER:g}: promoted", 100 * float(promoted.mean()), "%")
    yield from _coverage(seed + 1)


def _share(case: str, promoted: Any, before: float, is_promised: bool, what: str) -> dict[str, Any]:
    share = 100 * float(promoted.mean())
    if is_promised and what == "better by .05":
        row = least_row("gate", case, share, "%", LEAST_BETTER)
    else:
        row = plain_row("gate", case, share, "%", MOST_WORSE if is_promised and what == "worse by .03" else None)
    return {**row, "peer": round(100 * before, 3)}


def _coverage(seed: int, samples: int = 1000) -> Iterator[dict[str, Any]]:
    """How often a 95 % interval of the mean holds the truth: Student's t, and the percentile bootstrap as peer."""
    rng = np.random.default_rng(seed)
    for count in (3, 6, 10, 30):
        held = [0, 0]
        for _ in range(samples):
            values = rng.normal(MEAN_DICE, SD, count)
            means = values[rng.integers(count, size=(RESAMPLES, count))].mean(axis=1)
            for k, interval in enumerate((two_sided(values), np.percentile(means, [2.5, 97.5]))):
                held[k] += interval is not None and interval[0] <= MEAN_DICE <= interval[1]
        row = plain_row("gate", f"95 % interval over {count} scans holds the mean", 100 * held[0] / samples, "%")
        yield {**row, "peer": round(100 * held[1] / samples, 3)}
