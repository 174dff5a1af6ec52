"""How often the gate errs, by simulation, and that the simulation is the gate (docs/gate.md)."""

import numpy as np
import pytest

from benchmarks._gate_trials import Truth, draw, judge_all, judge_all_as_before, summary_of
from benchmarks.gate import HOLD_OUTS, LEAST_BETTER, MOST_WORSE, PROMISED, TRUTHS
from mlservice.contract import GatePolicy, Verdict
from mlservice.gate import judge

TRIALS, SEED = 6000, 770_001
POLICY = GatePolicy()


def share_promoted(truth: Truth) -> tuple[float, float]:
    """By the gate and by its predecessor, in %."""
    trials = draw(SEED, TRIALS, HOLD_OUTS[PROMISED], truth)
    promoted, _ = judge_all(trials, POLICY)
    return 100 * float(promoted.mean()), 100 * float(judge_all_as_before(trials).mean())


def test_a_worse_model_is_seldom_promoted_and_a_better_one_seldom_refused() -> None:
    worse, _ = share_promoted(TRUTHS["worse by .03"])
    much_worse, _ = share_promoted(TRUTHS["worse by .10"])
    better, before = share_promoted(TRUTHS["better by .05"])
    assert worse <= MOST_WORSE
    assert much_worse == 0
    assert better >= LEAST_BETTER > before


def test_a_model_that_is_worse_at_one_site_or_invents_more_is_held_back() -> None:
    assert share_promoted(TRUTHS["C -.10, others +.04"])[0] < 5
    assert share_promoted(TRUTHS["better by .05, mL x 2"])[0] < 20


def test_below_twelve_scored_scans_a_person_always_decides() -> None:
    trials = draw(SEED, 50, HOLD_OUTS["C, 10 + 3"], TRUTHS["better by .05"])
    promoted, asked = judge_all(trials, POLICY)
    assert not promoted.any()
    assert asked.all()


@pytest.mark.parametrize("truth", ["equal", "C -.10, others +.04", "better by .05, mL x 2"])
def test_the_simulation_says_what_the_gate_says(truth: str) -> None:
    trials = draw(SEED, 60, HOLD_OUTS[PROMISED], TRUTHS[truth])
    verdicts = [judge(summary_of(trials, k, 0), summary_of(trials, k, 1), POLICY).verdict for k in range(60)]
    promoted, asked = judge_all(trials, POLICY)
    assert np.array_equal(promoted, [verdict == Verdict.PROMOTE for verdict in verdicts])
    assert np.array_equal(asked, [verdict == Verdict.UNDECIDED for verdict in verdicts])
