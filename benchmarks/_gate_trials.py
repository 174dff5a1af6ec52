"""Made-up scores of two models, and what the gate and its predecessor say of them.

The Dice of a scan is drawn round a true mean with the spread of real lesion Dice (sd .20, topff2023) and a correlation
between the models; empty scans get log-normal mL. The gate's own functions judge all trials at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlservice.contract import GatePolicy, ScanScore
from mlservice.contract.results import Summary
from mlservice.evaluate import summarise
from mlservice.gate import invents_more, is_not_worse, is_worse, site_lost

SD, CORRELATION, MEAN_DICE, FALSE_ML = 0.20, 0.80, 0.60, 10.0
FALSE_SPREAD, FALSE_NOISE = 0.8, 0.4  # of the logarithm: between scans, between models
MOST_DICE = 0.97
OLD_SITE_LOSS = 0.02

Scores = npt.NDArray[np.float64]  # trials × scans
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """How the challenger truly differs: Dice at every site, or by site, and the ratio of false mL."""

    gain: float = 0.0
    false_ratio: float = 1.0
    by_site: tuple[tuple[str, float], ...] = ()

    def at(self, site: str) -> float:
        return dict(self.by_site).get(site, self.gain)


@dataclass(frozen=True)
class Trials:
    """Challenger and champion: Dice of the scored scans, and mL on the empty ones, by site."""

    dice: Mapping[str, tuple[Scores, Scores]]
    false_ml: Mapping[str, tuple[Scores, Scores]]

    @property
    def gains(self) -> dict[str, Scores]:
        return {site: ours - theirs for site, (ours, theirs) in self.dice.items()}


def draw(
    seed: int, trials: int, sites: Mapping[str, tuple[int, int]], truth: Truth, correlation: float = CORRELATION
) -> Trials:
    """`sites`: scored and empty scans by site."""
    rng = np.random.default_rng(seed)
    dice, false_ml = {}, {}
    for site, (scored, empty) in sites.items():
        common = MEAN_DICE + rng.normal(0, SD * correlation**0.5, (trials, scored))
        own = [rng.normal(0, SD * (1 - correlation) ** 0.5, (trials, scored)) for _ in range(2)]
        ours, theirs = common + own[0] + truth.at(site), common + own[1]
        dice[site] = (np.clip(ours, 0, MOST_DICE), np.clip(theirs, 0, MOST_DICE))
        amount = FALSE_ML * np.exp(rng.normal(0, FALSE_SPREAD, (trials, empty)))
        noise = [np.exp(rng.normal(0, FALSE_NOISE, (trials, empty))) for _ in range(2)]
        false_ml[site] = (amount * truth.false_ratio * noise[0], amount * noise[1])
    return Trials(dice, false_ml)


def judge_all(trials: Trials, policy: GatePolicy) -> tuple[Bools, Bools]:
    """By trial: promoted, left to a person."""
    gains = np.concatenate(list(trials.gains.values()), axis=1)
    ours_ml, theirs_ml = (np.concatenate([pair[k] for pair in trials.false_ml.values()], axis=1) for k in (0, 1))
    fails = is_worse(gains, policy) | invents_more(ours_ml, theirs_ml, policy)
    for site in trials.gains.values():
        fails = fails | site_lost(site, policy)
    if gains.shape[1] < policy.least_scored:
        return np.zeros(len(gains), bool), np.ones(len(gains), bool)
    holds = is_not_worse(gains, policy)
    return holds & ~fails, ~holds & ~fails


def judge_all_as_before(trials: Trials) -> Bools:
    """The rules before: mean Dice not lower, no site loses more than .02, mL on empty scans not higher."""
    gains = trials.gains
    everywhere = np.concatenate(list(gains.values()), axis=1).mean(axis=1) >= 0
    sites = np.all([site.mean(axis=1) >= -OLD_SITE_LOSS for site in gains.values()], axis=0)
    ours_ml, theirs_ml = (np.concatenate([pair[k] for pair in trials.false_ml.values()], axis=1) for k in (0, 1))
    promoted: Bools = everywhere & sites & (ours_ml.mean(axis=1) <= theirs_ml.mean(axis=1))
    return promoted


def summary_of(trials: Trials, trial: int, side: int) -> Summary:
    """One trial as the evaluation would report it; `side` 0 is the challenger."""
    scores: list[Any] = []
    for site, pair in trials.dice.items():
        for number, dice in enumerate(pair[side][trial]):
            scores.append(ScanScore(f"{site}{number}", site, float(dice), 5000, 50.0, 50.0, 1.0))
    for site, pair in trials.false_ml.items():
        for number, ml in enumerate(pair[side][trial]):
            scores.append(ScanScore(f"{site}-empty{number}", site, None, 0, 0.0, float(ml), float(ml)))
    return summarise(tuple(scores))
