"""Faults of a good mask: what each changes, where it cannot apply, and that a seed makes it again."""

import numpy as np
import pytest

from voxloop.volume.amounts import voxel_ml
from voxloop.volume.faults import (
    LEAK_SHARE,
    LEAST_LEAK_ML,
    LEAST_ML,
    Case,
    Fault,
    make_fault,
    share_restored,
)

SPACING = (2.5, 1.0, 1.25)
SHAPE = (40, 80, 96)
ML = voxel_ml(SPACING)


def case(*, two: bool = True, classes: bool = False, vessel: bool = False, lobes: bool = False) -> Case:
    """Air in a body with one or two blocks of opacity, both in its left half (of the grid)."""
    hu = np.full(SHAPE, -1000, np.int16)
    hu[:, 6:74, 4:88] = -850
    hu[:, 4:8, 4:88] = 40  # the chest wall
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:20, 20:40, 12:28] = 1
    if two:
        labels[25:31, 44:56, 12:24] = 2 if classes else 1
    hu[labels > 0] = -200
    if vessel:
        hu[12:18, 40:72, 16:24] = 60
    regions = np.zeros(SHAPE, np.uint8)
    regions[:, :, :46] = 4
    regions[:15, :, :46] = 5
    return Case(labels, hu, SPACING, regions if lobes else None)


def made(kind: Fault, of: Case, seed: int = 1) -> np.ndarray:
    fault = make_fault(kind, of, seed)
    assert fault is not None
    assert fault.kind == kind
    assert fault.changed_ml == pytest.approx(np.count_nonzero(fault.labels_zyx != of.labels_zyx) * ML)
    assert fault.changed_ml >= LEAST_ML
    again = make_fault(kind, of, seed)
    assert again is not None
    assert np.array_equal(again.labels_zyx, fault.labels_zyx)
    return fault.labels_zyx


def test_a_part_is_removed_by_lobe_else_the_largest_lesion() -> None:
    of = case()
    found = made(Fault.PART_REMOVED, of)
    assert not found[10:20].any()
    assert np.array_equal(found[25:31], of.labels_zyx[25:31])
    of = case(lobes=True)  # the lesion lies half in lobe 5; lobe 4 holds more of all
    found = made(Fault.PART_REMOVED, of)
    assert not found[of.lobes_zyx == 4].any()
    assert np.array_equal(found[:15], of.labels_zyx[:15])
    assert make_fault(Fault.PART_REMOVED, case(two=False), 1) is None


def test_a_lesion_is_missed_that_is_not_the_largest() -> None:
    of = case()
    found = made(Fault.LESION_MISSED, of)
    assert np.array_equal(found[:25], of.labels_zyx[:25])
    assert not found[25:].any()
    small = case(two=False)
    small.labels_zyx[30, 60, 20:23] = 1  # 3 voxels are no lesion that anybody must see
    assert make_fault(Fault.LESION_MISSED, small, 1) is None


def test_a_leak_runs_into_dense_tissue_beside_the_mask_and_no_farther() -> None:
    of = case(two=False, vessel=True)
    found = made(Fault.LEAK, of)
    added = (found > 0) & (of.labels_zyx == 0)
    assert np.array_equal(found[of.labels_zyx > 0], of.labels_zyx[of.labels_zyx > 0])
    assert (of.hu_zyx[added] >= -300).all()
    volume_ml = np.count_nonzero(of.labels_zyx) * ML
    grown_ml = np.count_nonzero(added) * ML
    assert LEAST_ML <= grown_ml <= max(LEAST_LEAK_ML, LEAK_SHARE[1] * volume_ml) + 0.2
    assert make_fault(Fault.LEAK, case(two=False), 1) is None


@pytest.mark.parametrize("seed", range(6))
def test_a_shift_is_of_five_millimetres_along_one_axis(seed: int) -> None:
    of = case()
    found = made(Fault.SHIFTED, of, seed)
    centres = [np.argwhere(one > 0).mean(axis=0) * SPACING for one in (of.labels_zyx, found)]
    moved = np.abs(centres[1] - centres[0])
    assert sorted(moved)[:2] == pytest.approx([0, 0])
    assert moved.max() == pytest.approx(5.0)
    assert np.count_nonzero(found) == np.count_nonzero(of.labels_zyx)


def test_a_shift_out_of_the_scan_is_none() -> None:
    of = case(two=False)
    edge = Case(np.zeros(SHAPE, np.uint8), of.hu_zyx, (10.0, 10.0, 5.0))
    edge.labels_zyx[:, :, :2] = 1
    found = [make_fault(Fault.SHIFTED, edge, seed) for seed in range(12)]
    assert {one is None for one in found} == {True, False}


def test_the_wrong_side_is_mirrored_at_the_bodys_middle() -> None:
    of = case()
    found = made(Fault.WRONG_SIDE, of)
    # The body is columns 4 to 87: column x becomes 91 - x.
    expected = np.zeros_like(of.labels_zyx)
    for x in range(4, 88):
        expected[:, :, 91 - x] = of.labels_zyx[:, :, x]
    assert np.array_equal(found, expected)
    both = case()
    both.labels_zyx[:, :, ::1] |= expected
    assert make_fault(Fault.WRONG_SIDE, both, 1) is None


def test_one_of_two_classes_becomes_the_other() -> None:
    of = case(classes=True)
    found = {int(np.unique(made(Fault.CLASS_SWAPPED, of, seed))[1]) for seed in range(8)}
    assert found == {1, 2}
    assert np.array_equal(made(Fault.CLASS_SWAPPED, of) > 0, of.labels_zyx > 0)
    assert make_fault(Fault.CLASS_SWAPPED, case(), 1) is None


@pytest.mark.parametrize("kind", list(Fault))
def test_nothing_is_made_of_nothing_and_nothing_is_changed_in_place(kind: Fault) -> None:
    of = case(classes=True, vessel=True, lobes=True)
    before = of.labels_zyx.copy()
    assert make_fault(kind, of, 3) is not None
    assert np.array_equal(of.labels_zyx, before)
    assert make_fault(kind, Case(np.zeros(SHAPE, np.uint8), of.hu_zyx, SPACING), 3) is None
    with pytest.raises(ValueError, match="one grid"):
        make_fault(kind, Case(of.labels_zyx[1:], of.hu_zyx, SPACING), 3)


def test_a_correction_restores_a_share_of_the_fault() -> None:
    of = case()
    found = made(Fault.PART_REMOVED, of)
    half = found.copy()
    half[10:15] = of.labels_zyx[10:15]
    half[25:31] = 0  # what was right and is wrong now is no matter of the fault
    shares = [share_restored(of.labels_zyx, found, one) for one in (found, half, of.labels_zyx)]
    assert shares == [0.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="nothing to restore"):
        share_restored(of.labels_zyx, of.labels_zyx, found)
