"""Stage `evaluate`: score predictions of hold-out scans and decide whether a challenger may replace the champion."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mlservice.contract.requests import EvaluateRequest, ScanRef
from mlservice.contract.results import EvaluateResult, Interval, ScanScore, SiteScore, Summary
from mlservice.gate import judge
from mlservice.job import Job, run_stage
from mlservice.scans import Labels, load_labelmap, load_labels, load_volume, volume_ml

# topff2023: Dice says little on a reference smaller than this.
LEAST_REFERENCE_VOXELS = 1000


def evaluate(request: EvaluateRequest, job: Job) -> EvaluateResult:
    """Score both models on the same scans and apply the gate. Raises ContractError `bad_scan`."""
    ours, theirs = [], []
    for position, scan in enumerate(request.scans, start=1):
        shape = load_volume(scan, job).shape
        reference = load_labels(scan, job, shape)
        ours.append(_score_one(scan, reference, job.path(request.challenger), request.segments))
        if request.champion:
            theirs.append(_score_one(scan, reference, job.path(request.champion), request.segments))
        job.report(position, len(request.scans), f"Measured scan {position} of {len(request.scans)}")
    challenger = summarise(tuple(ours))
    champion = summarise(tuple(theirs)) if request.champion else None
    difference = compare(challenger, champion, request.resamples, request.seed) if champion else None
    return EvaluateResult(challenger, champion, difference, judge(challenger, champion))


def score_scan(scan: ScanRef, reference: Labels, predicted: Labels, segments: tuple[int, ...]) -> ScanScore:
    """Compare two labelmaps of one grid; every segment of `segments` counts as a finding."""
    is_finding = np.zeros(256, bool)
    is_finding[list(segments)] = True
    truth, said = is_finding[reference], is_finding[predicted]
    size, guess, both = int(truth.sum()), int(said.sum()), int((truth & said).sum())
    return ScanScore(
        id=scan.id,
        site=scan.site,
        dice=2 * both / (size + guess) if size >= LEAST_REFERENCE_VOXELS else None,
        reference_voxels=size,
        reference_ml=volume_ml(size, scan.spacing_mm_zyx),
        predicted_ml=volume_ml(guess, scan.spacing_mm_zyx),
        false_positive_ml=volume_ml(guess - both, scan.spacing_mm_zyx),
    )


def summarise(scores: tuple[ScanScore, ...]) -> Summary:
    """One model's figures over all scans and by site."""
    sites = []
    for site in sorted({score.site for score in scores}):
        here = [score for score in scores if score.site == site]
        sites.append(SiteScore(site, len(here), _mean_dice(here), _false_positives(here)))
    return Summary(
        mean_dice=_mean_dice(scores),
        scored=sum(score.dice is not None for score in scores),
        empty=sum(score.reference_voxels == 0 for score in scores),
        false_positive_ml_on_empty=_false_positives(scores),
        volume_pearson_r=_pearson(scores),
        sites=tuple(sites),
        scans=scores,
    )


def compare(challenger: Summary, champion: Summary, resamples: int, seed: int) -> Interval | None:
    """Mean Dice difference with its 95 % interval: scans resampled, both models on the same ones."""
    before = {score.id: score.dice for score in champion.scans}
    pairs = [(score.dice, before.get(score.id)) for score in challenger.scans]
    gains = np.array([ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None])
    if gains.size == 0:
        return None
    picks = np.random.default_rng(seed).integers(gains.size, size=(resamples, gains.size))
    low, high = np.percentile(gains[picks].mean(axis=1), [2.5, 97.5])
    return Interval(float(gains.mean()), float(low), float(high))


def _score_one(scan: ScanRef, reference: Labels, predictions: Path, segments: tuple[int, ...]) -> ScanScore:
    predicted = load_labelmap(predictions / scan.id / "labels.npy", scan, reference.shape)
    return score_scan(scan, reference, predicted, segments)


def _mean_dice(scores: list[ScanScore] | tuple[ScanScore, ...]) -> float | None:
    known = [score.dice for score in scores if score.dice is not None]
    return float(np.mean(known)) if known else None


def _false_positives(scores: list[ScanScore] | tuple[ScanScore, ...]) -> float | None:
    volumes = [score.predicted_ml for score in scores if score.reference_voxels == 0]
    return float(np.mean(volumes)) if volumes else None


def _pearson(scores: tuple[ScanScore, ...]) -> float | None:
    reference = np.array([score.reference_ml for score in scores])
    predicted = np.array([score.predicted_ml for score in scores])
    if len(scores) < 3 or reference.std() == 0 or predicted.std() == 0:
        return None
    return float(np.corrcoef(reference, predicted)[0, 1])


if __name__ == "__main__":
    sys.exit(run_stage(EvaluateRequest, evaluate))
