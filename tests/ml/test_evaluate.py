"""Figures of an evaluation: what counts, what is left out, and that the verdict is about the same scans."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlservice.contract import EvaluateRequest, EvaluateResult, ScanRef, ScanScore, Verdict
from mlservice.evaluate import LEAST_REFERENCE_VOXELS, evaluate, score_scan, summarise
from tests.ml.bodies import OPACITY, SHAPE, make_scan
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder

GRID = ScanRef("s", "A", "f", (2.0, 1.0, 0.5))


def block(*voxels: int, shape_zyx: tuple[int, int, int] = (10, 20, 20), value: int = 1) -> Any:
    """The first voxels of a volume, or those from the first number to the second."""
    first, last = (0, *voxels)[-2:]
    labels = np.zeros(shape_zyx, np.uint8)
    labels.reshape(-1)[first:last] = value
    return labels


def score(**values: Any) -> ScanScore:
    defaults: dict[str, Any] = {"id": "s", "site": "A", "dice": 0.5, "reference_voxels": 2000}
    amounts: dict[str, Any] = {"reference_ml": 2.0, "predicted_ml": 3.0, "false_positive_ml": 1.0}
    return ScanScore(**(defaults | amounts | values))


@pytest.mark.parametrize(
    ("reference", "predicted", "dice", "false_positive_ml"),
    [
        (block(2000), block(2000), 1.0, 0.0),
        (block(2000), block(0), 0.0, 0.0),
        (block(2000), block(2000, 4000), 0.0, 2.0),
        (block(2000), block(1000, 3000), 0.5, 1.0),
        (block(1000), block(1000), 1.0, 0.0),
        (block(999), block(999), None, 0.0),
        (block(0), block(500), None, 0.5),
        (block(0), block(0), None, 0.0),
    ],
)
def test_one_scan(reference: Any, predicted: Any, dice: Any, false_positive_ml: float) -> None:
    found = score_scan(GRID, reference, predicted, (1,))
    assert found.dice == dice
    assert found.false_positive_ml == pytest.approx(false_positive_ml)
    assert found.reference_voxels == int((reference > 0).sum())
    assert found.reference_ml == pytest.approx((reference > 0).sum() / 1000)
    assert found.predicted_ml == pytest.approx((predicted > 0).sum() / 1000)
    assert (found.id, found.site) == ("s", "A")


def test_a_finding_of_another_segment_is_a_finding() -> None:
    """The gate judges where something is, not what it is called."""
    found = score_scan(GRID, block(2000), block(2000, value=4), (1, 4))
    assert found.dice == 1.0
    assert score_scan(GRID, block(2000), block(2000, value=4), (1,)).dice == 0.0


def test_a_summary_leaves_out_what_was_not_measured() -> None:
    scores = (
        score(id="1", site="B", dice=0.8),
        score(id="2", site="A", dice=0.4),
        score(id="3", site="A", dice=None, reference_voxels=500, predicted_ml=7.0),
        score(id="4", site="A", dice=None, reference_voxels=0, reference_ml=0.0, predicted_ml=5.0),
        score(id="5", site="B", dice=None, reference_voxels=0, reference_ml=0.0, predicted_ml=1.0),
    )
    found = summarise(scores)
    assert found.mean_dice == pytest.approx(0.6)
    assert (found.scored, found.empty) == (2, 2)
    assert found.false_positive_ml_on_empty == pytest.approx(3.0)  # of the empty ones, not of small findings
    assert [(site.site, site.scans, site.mean_dice) for site in found.sites] == [("A", 3, 0.4), ("B", 2, 0.8)]
    assert [site.false_positive_ml_on_empty for site in found.sites] == [5.0, 1.0]
    assert found.scans == scores


def test_a_summary_of_nothing_has_no_figures() -> None:
    found = summarise(())
    assert (found.mean_dice, found.scored, found.empty) == (None, 0, 0)
    assert (found.false_positive_ml_on_empty, found.volume_pearson_r, found.sites) == (None, None, ())


@pytest.mark.parametrize(
    ("volumes", "expected"),
    [
        ([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)], 1.0),
        ([(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)], -1.0),
        ([(1.0, 2.0), (2.0, 4.0)], None),
        ([(2.0, 2.0), (2.0, 4.0), (2.0, 6.0)], None),
        ([(1.0, 4.0), (2.0, 4.0), (3.0, 4.0)], None),
    ],
)
def test_correlation_of_volumes(volumes: Any, expected: Any) -> None:
    scores = tuple(score(id=str(n), reference_ml=r, predicted_ml=p) for n, (r, p) in enumerate(volumes))
    found = summarise(scores).volume_pearson_r
    assert found == (expected if expected is None else pytest.approx(expected))


@pytest.fixture
def job(tmp_path: Path) -> tuple[ChildFolder, tuple[ScanRef, ...]]:
    """Two hold-out scans; "ours" repeats the reference, "theirs" says nothing."""
    scans = tuple(make_scan(tmp_path, f"h{n}", 60 + n, site="AB"[n]) for n in range(2))
    for scan in scans:
        reference = np.load(Path(scan.folder) / "labels.npy")
        for name, labels in (("ours", reference), ("theirs", np.zeros_like(reference))):
            (tmp_path / name / scan.id).mkdir(parents=True)
            np.save(tmp_path / name / scan.id / "labels.npy", labels)
    return ChildFolder(tmp_path), scans


def test_both_models_are_scored_on_the_same_scans(job: Any) -> None:
    folder, scans = job
    found: EvaluateResult = evaluate(EvaluateRequest(scans, (OPACITY.id,), "ours", "theirs"), folder)
    assert (found.challenger.mean_dice, found.challenger.scored) == (1.0, 2)
    assert found.champion is not None
    assert found.champion.mean_dice == 0.0
    assert found.gate.change is not None
    assert (found.gate.change.scans, found.gate.change.mean) == (2, 1.0)
    assert found.gate.verdict == Verdict.UNDECIDED  # of two scans a person decides
    assert [site.site for site in found.challenger.sites] == ["A", "B"]


def test_without_a_champion_nothing_is_compared(job: Any) -> None:
    folder, scans = job
    found = evaluate(EvaluateRequest(scans, (OPACITY.id,), "theirs"), folder)
    assert (found.champion, found.gate.change) == (None, None)
    assert found.challenger.mean_dice == 0.0
    assert found.gate.verdict == Verdict.UNDECIDED


@pytest.mark.parametrize("labels", [np.zeros(SHAPE, np.int16), np.zeros((*SHAPE[:2], 95), np.uint8)])
def test_a_prediction_on_another_grid_is_no_score(job: Any, labels: Any) -> None:
    folder, scans = job
    np.save(folder.path("ours") / "h1" / "labels.npy", labels)
    with pytest.raises(ContractError) as refusal:
        evaluate(EvaluateRequest(scans, (OPACITY.id,), "ours", "theirs"), folder)
    assert refusal.value.code == "bad_scan"
    assert "h1" in refusal.value.sentence


def test_the_least_reference_is_that_of_the_paper() -> None:
    assert LEAST_REFERENCE_VOXELS == 1000
