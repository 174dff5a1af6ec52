"""Planning: which classes are worth learning, and on which grid."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mlservice.contract import PlanRequest, PlanResult, ScanRef, profile
from mlservice.plan import LEAST_SCANS, LEAST_VOXELS, SPACING_TOLERANCE, plan
from tests.ml.bodies import NODULE, OPACITY
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder

SPACING = (4.0, 1.8, 1.8)


def scan(folder: Path, name: str, spacing_mm_zyx: Any = SPACING, **voxels: int) -> ScanRef:
    """A folder with an empty volume, lungs everywhere and that many voxels of each segment (`s1=…`)."""
    (folder / name).mkdir()
    labels = np.zeros((4, 64, 64), np.uint8)
    at = 0
    for segment, count in voxels.items():
        labels.reshape(-1)[at : at + count] = int(segment.removeprefix("s"))
        at += count
    np.save(folder / name / "volume.npy", np.zeros(labels.shape, np.int16))
    np.save(folder / name / "labels.npy", labels)
    np.save(folder / name / "lungs.npy", np.ones(labels.shape, np.uint8))
    return ScanRef(name, "A", str(folder / name), spacing_mm_zyx)


def planned(folder: Path, *scans: ScanRef, name: str = "demo", **options: Any) -> PlanResult:
    return plan(PlanRequest(name, scans, (OPACITY, NODULE), **options), ChildFolder(folder))


def test_classes_with_enough_in_enough_scans_are_learned(tmp_path: Path) -> None:
    found = planned(tmp_path, scan(tmp_path, "a", s1=1500, s4=1500), scan(tmp_path, "b", s1=1500, s4=500))
    assert found.config.classes == (OPACITY, NODULE)
    assert found.voxels == {OPACITY.key: 3000, NODULE.key: 2000}
    assert found.notes == (f"Learns {OPACITY.key}, {NODULE.key} from 2 scans.",)


@pytest.mark.parametrize(
    ("first", "second"),
    [({"s1": 3000, "s4": 1000}, {"s1": 3000, "s4": 999}), ({"s1": 3000, "s4": 5000}, {"s1": 3000})],
    ids=["one voxel too few", "in one scan only"],
)
def test_a_class_with_too_little_is_left_out_and_named(tmp_path: Path, first: Any, second: Any) -> None:
    found = planned(tmp_path, scan(tmp_path, "a", **first), scan(tmp_path, "b", **second))
    assert found.config.classes == (OPACITY,)
    fate = "learned as findings without a class"
    assert f"Too little is labelled of {NODULE.key}: those voxels are {fate}." in found.notes
    assert found.voxels[NODULE.key] == first["s4"] + second.get("s4", 0)


def test_a_class_that_nobody_marked_is_not_complained_of(tmp_path: Path) -> None:
    found = planned(tmp_path, scan(tmp_path, "a", s1=1000), scan(tmp_path, "b", s1=1000))
    assert found.config.classes == (OPACITY,)
    assert len(found.notes) == 1


def test_the_most_marked_class_is_learned_when_none_has_enough(tmp_path: Path) -> None:
    found = planned(tmp_path, scan(tmp_path, "a", s1=10, s4=20))
    assert found.config.classes == (NODULE,)
    assert any(OPACITY.key in note for note in found.notes)


def test_nothing_marked_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refusal:
        planned(tmp_path, scan(tmp_path, "a"), scan(tmp_path, "b", s7=5000))
    assert refusal.value.code == "nothing_to_learn"


def test_steps_and_threads_of_the_request_win(tmp_path: Path) -> None:
    given = scan(tmp_path, "a", s1=5000)
    assert planned(tmp_path, given, steps=7, cpu_threads=3).config.steps == 7
    own = planned(tmp_path, given, cpu_threads=3).config
    assert (own.steps, own.cpu_threads) == (profile("demo").steps, 3)
    assert msgspec.structs.replace(own, classes=(), cpu_threads=1) == profile("demo")


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refusal:
        planned(tmp_path, scan(tmp_path, "a", s1=5000), name="magic")
    assert refusal.value.code == "unknown_profile"
    assert "demo, lesion-2d, lesion-3d" in refusal.value.sentence


GRID = (5.0, 1.25, 1.25)


@pytest.mark.parametrize(
    ("spacings", "expected"),
    [
        ([GRID], GRID),
        ([(5.0 * 1.5, 1.25, 1.25)], GRID),
        ([(5.0, 1.25 * 1.5, 1.25)], GRID),
        ([(5.0 * 1.51, 1.25, 1.25)], (7.55, 1.25, 1.25)),
        ([(5.0, 1.25 / 1.51, 1.25)], (5.0, 1.25 / 1.51, 1.25)),
        ([GRID, GRID, (0.6, 0.5, 0.5)], GRID),
        ([GRID, (0.6, 0.5, 0.5), (0.6, 0.5, 0.5)], (0.6, 0.5, 0.5)),
    ],
)
def test_the_3d_grid_follows_the_sites_where_they_differ_too_much(tmp_path: Path, spacings: Any, expected: Any) -> None:
    scans = [scan(tmp_path, f"s{n}", spacing, s1=3000) for n, spacing in enumerate(spacings)]
    found = planned(tmp_path, *scans, name="lesion-3d")
    assert found.config.spacing_mm_zyx == pytest.approx(expected)
    assert any("median spacing" in note for note in found.notes) == (expected != GRID)


def test_the_grid_of_a_flat_network_stays(tmp_path: Path) -> None:
    found = planned(tmp_path, scan(tmp_path, "a", (1.0, 0.4, 0.4), s1=5000))
    assert found.config.spacing_mm_zyx == profile("demo").spacing_mm_zyx


def test_progress_is_told_scan_by_scan(tmp_path: Path) -> None:
    planned(tmp_path, scan(tmp_path, "a", s1=1000), scan(tmp_path, "b", s1=1000))
    told = (tmp_path / "progress.jsonl").read_text().splitlines()
    assert len(told) == 2
    assert "Looked at scan 2 of 2" in told[1]


def test_the_limits_of_planning() -> None:
    assert (LEAST_VOXELS, LEAST_SCANS, SPACING_TOLERANCE) == (2000, 2, 1.5)
