"""Stage `evaluate`: score predictions of hold-out scans and judge whether a challenger may replace the champion."""

from __future__ import annotations

import sys

import numpy as np

from mlservice.cases import choose_worst, draw_case
from mlservice.contract.requests import EvaluateRequest, ScanRef
from mlservice.contract.results import Case, EvaluateResult, ScanScore, SiteScore, Summary
from mlservice.gate import judge
from mlservice.lesions import group_by_size, measure_lesions
from mlservice.scans import Labels, Mask, load_labelmap, load_labels, load_volume, volume_ml
from mlservice.student import two_sided
from voxloop.child.inside import ChildFolder, run_inside

# topff2023: Dice is not meaningful for a smaller reference.
LEAST_REFERENCE_VOXELS = 1000


def evaluate(request: EvaluateRequest, job: ChildFolder) -> EvaluateResult:
    """Score both models on the same scans and apply the gate. Raises ContractError `bad_scan`."""
    ours, theirs = [], []
    for position, scan in enumerate(request.scans, start=1):
        shape = load_volume(scan, job).shape
        reference = load_labels(scan, job, shape)
        said = _predicted(scan, request.challenger, shape, job)
        ours.append(score_scan(scan, reference, said, request.segments))
        if request.champion:
            said = _predicted(scan, request.champion, shape, job)
            theirs.append(score_scan(scan, reference, said, request.segments))
        job.report(position, len(request.scans), f"Measured scan {position} of {len(request.scans)}")
    challenger = summarise(tuple(ours))
    champion = summarise(tuple(theirs)) if request.champion else None
    gate = judge(challenger, champion, request.policy, request.sites)
    return EvaluateResult(challenger, champion, gate, _worst(request, ours, theirs, job))


def score_scan(scan: ScanRef, reference: Labels, predicted: Labels, segments: tuple[int, ...]) -> ScanScore:
    """Compare two labelmaps of one grid; every segment of `segments` counts as a finding."""
    truth, said = _findings(reference, segments), _findings(predicted, segments)
    size, guess, both = int(truth.sum()), int(said.sum()), int((truth & said).sum())
    lesions, invented = measure_lesions(truth, said, scan.spacing_mm_zyx)
    return ScanScore(
        id=scan.id,
        site=scan.site,
        dice=2 * both / (size + guess) if size >= LEAST_REFERENCE_VOXELS else None,
        reference_voxels=size,
        reference_ml=volume_ml(size, scan.spacing_mm_zyx),
        predicted_ml=volume_ml(guess, scan.spacing_mm_zyx),
        false_positive_ml=volume_ml(guess - both, scan.spacing_mm_zyx),
        lesions=lesions,
        invented=invented,
    )


def summarise(scores: tuple[ScanScore, ...]) -> Summary:
    """One model's figures over all scans, by site and by size of finding."""
    sites = []
    for site in sorted({score.site for score in scores}):
        here = [score for score in scores if score.site == site]
        sites.append(SiteScore(site, len(here), _mean_dice(here), _false_positives(here)))
    return Summary(
        mean_dice=_mean_dice(scores),
        dice_interval=_dice_interval(scores),
        scored=sum(score.dice is not None for score in scores),
        empty=sum(score.reference_voxels == 0 for score in scores),
        false_positive_ml_on_empty=_false_positives(scores),
        volume_pearson_r=_pearson(scores),
        invented=sum(score.invented for score in scores),
        sites=tuple(sites),
        sizes=group_by_size(scores),
        scans=scores,
    )


def _worst(
    request: EvaluateRequest, ours: list[ScanScore], theirs: list[ScanScore], job: ChildFolder
) -> tuple[Case, ...]:
    scans = {scan.id: scan for scan in request.scans}
    our_scores, their_scores = {each.id: each for each in ours}, {each.id: each for each in theirs}
    cases = []
    for name in choose_worst(ours, theirs, request.policy.false_floor_ml):
        scan = scans[name]
        reference = load_labels(scan, job, load_volume(scan, job).shape)

        def marked(folder: str, scan: ScanRef = scan, shape: tuple[int, ...] = reference.shape) -> Mask:
            return _findings(_predicted(scan, folder, shape, job), request.segments)

        masks = (
            _findings(reference, request.segments),
            marked(request.challenger),
            marked(request.champion) if request.champion else None,
        )
        cases.append(draw_case(scan, masks, our_scores[name], their_scores.get(name)))
    return tuple(cases)


def _findings(labels: Labels, segments: tuple[int, ...]) -> Mask:
    is_finding = np.zeros(256, bool)
    is_finding[list(segments)] = True
    found: Mask = is_finding[labels]
    return found


def _predicted(scan: ScanRef, folder: str, shape: tuple[int, ...], job: ChildFolder) -> Labels:
    return load_labelmap(job.path(folder) / scan.id / "labels.npy", scan, shape)


def _dices(scores: list[ScanScore] | tuple[ScanScore, ...]) -> list[float]:
    return [score.dice for score in scores if score.dice is not None]


def _mean_dice(scores: list[ScanScore] | tuple[ScanScore, ...]) -> float | None:
    known = _dices(scores)
    return float(np.mean(known)) if known else None


def _dice_interval(scores: tuple[ScanScore, ...]) -> tuple[float, float] | None:
    found = two_sided(np.array(_dices(scores), dtype=np.float64))
    return found and (max(0.0, found[0]), min(1.0, found[1]))


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
    sys.exit(run_inside(EvaluateRequest, evaluate))
