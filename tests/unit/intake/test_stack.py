"""Slices become one grid, in whatever order and orientation they come; limits of what counts as even."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from annotation.intake.dicom.stack import (
    PLACE_SHARE,
    SHIFT_TOLERANCE_DEGREES,
    SPACING_SHARE,
    SPACING_TOLERANCE_MM,
    stack_slices,
    unit_axes,
)
from voxloop.kernel.errors import Invalid

AXIAL = np.array([1.0, 0, 0, 0, 1, 0])
SHAPE_YX = (24, 32)
SPACING = (1.8, 1.7)


def stack(positions: Any, orientation: Any = AXIAL, **more: Any) -> Any:
    positions = np.asarray(positions, float)
    many = np.repeat(np.asarray(orientation, float)[None], len(positions), axis=0)
    return stack_slices(positions, many, np.tile(SPACING, (len(positions), 1)), SHAPE_YX, **more)


def column(*z: float, x: float = -40.0, y: float = -35.0) -> np.ndarray:
    return np.array([[x, y, each] for each in z])


def refusal(positions: Any, **more: Any) -> Invalid:
    with pytest.raises(Invalid) as refused:
        stack(positions, **more)
    return refused.value


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(3, 30),
    gap=st.floats(0.3, 10),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_any_orientation_and_order_is_the_same_volume(seed: int, count: int, gap: float, origin: Any) -> None:
    """Every voxel of the grid lies where its slice's header puts it."""
    random = np.random.default_rng(seed)
    row, col, normal = Rotation.random(random_state=seed % 1000).as_matrix().T
    positions = np.asarray(origin) + np.arange(count)[:, None] * gap * normal
    shuffled = random.permutation(count)
    order, geometry = stack(positions[shuffled], np.concatenate([row, col]))
    assert [int(shuffled[n]) for n in order] == list(range(count))
    assert geometry.shape_zyx == (count, *SHAPE_YX)
    assert geometry.spacing_mm_zyx == pytest.approx((gap, *SPACING), rel=1e-6)
    lps_from_ijk = np.asarray(geometry.to_json()["lps_from_ijk"])
    for i, j, k in ((0, 0, 0), (31, 0, 0), (0, 23, 0), (31, 23, count - 1)):
        expected = positions[k] + row * SPACING[1] * i + col * SPACING[0] * j
        assert lps_from_ijk @ [i, j, k, 1] == pytest.approx([*expected, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("off_mm", "is_even"),
    [(0.0, True), (SPACING_TOLERANCE_MM / 2, True), (0.03, True), (0.06, False), (1.0, False), (-1.0, False)],
)
def test_distances_may_differ_by_little(off_mm: float, is_even: bool) -> None:
    """4 mm apart: a hundredth of it, less than a rounded header needs on a thin one."""
    z = [0.0, 4, 8, 12 + off_mm, 16 + off_mm, 20 + off_mm]
    if is_even:
        assert stack(column(*z))[1].shape_zyx[0] == 6
    else:
        found = refusal(column(*z))
        assert found.code == "uneven_spacing"
        assert "Slices 3 and 4 lie" in found.detail


def test_positions_rounded_to_a_hundredth_are_even_on_thin_slices() -> None:
    z = np.round(np.arange(60) * 0.625, 2)
    assert stack(column(*z))[1].spacing_mm_zyx[0] == pytest.approx(0.625, abs=0.001)


@pytest.mark.parametrize(
    ("z", "words"),
    [
        ([0, 4, 8, 16, 20], "Slices 3 and 4 lie 8.0 mm apart, the others 4.0 mm: slices are missing"),
        ([0, 4, 8, 16, 24, 28, 32, 36], "and 1 more distances differ"),
        ([0, 4, 8, 9, 13, 17], "Slices 3 and 4 lie 1.0 mm apart"),
    ],
)
def test_what_is_uneven_is_named(z: list[float], words: str) -> None:
    found = refusal(column(*z))
    assert found.code == "uneven_spacing"
    assert words in found.detail


def test_a_distance_that_drifts_is_uneven() -> None:
    """No single distance is off by more than its share, and yet the last slice lies off an even grid."""
    gaps = np.linspace(4 * (1 - 0.9 * SPACING_SHARE), 4 * (1 + 0.9 * SPACING_SHARE), 200)
    found = refusal(column(*np.concatenate([[0], np.cumsum(gaps)])))
    assert found.code == "uneven_spacing"
    assert "changes along the series" in found.detail


def test_two_slices_at_one_position_are_two_volumes() -> None:
    found = refusal(column(0, 4, 4, 8, 8.001, 12))
    assert found.code == "same_place"
    assert "Slices 2 and 3" in found.detail
    assert "2 such pairs" in found.detail


@pytest.mark.parametrize(("degrees", "is_straight"), [(0.0, True), (0.25, True), (0.35, False), (18.0, False)])
def test_a_stack_that_leans_is_sheared(degrees: float, is_straight: bool) -> None:
    shift = 4 * np.tan(np.radians(degrees))
    positions = column(*np.arange(0, 40, 4.0)) + np.arange(10)[:, None] * [0, shift, 0]
    assert (degrees <= SHIFT_TOLERANCE_DEGREES) is is_straight
    if is_straight:
        assert stack(positions)[1].shape_zyx[0] == 10
    else:
        assert refusal(positions).code == "gantry_tilt"


@pytest.mark.parametrize(("tilt", "words"), [(0.0, "gantry:"), (0.1, "gantry:"), (-18.0, "(its tilt was 18.0°)")])
def test_the_tilt_of_the_header_is_repeated(tilt: float, words: str) -> None:
    positions = column(*np.arange(0, 40, 4.0)) + np.arange(10)[:, None] * [0, 1.3, 0]
    found = refusal(positions, tilt_degrees=tilt)
    assert words in found.detail
    assert "shifted by 1.30 mm" in found.detail


@pytest.mark.parametrize(("off_mm", "is_refused"), [(PLACE_SHARE * 4 * 0.9, False), (PLACE_SHARE * 4 * 1.1, True)])
def test_one_slice_beside_the_others(off_mm: float, is_refused: bool) -> None:
    positions = column(*np.arange(0, 40, 4.0))
    positions[4, 0] += off_mm
    if is_refused:
        found = refusal(positions)
        assert (found.code, found.detail) == ("uneven_position", "Slice 5 is shifted sideways by 0.44 mm.")
    else:
        assert stack(positions)[1].shape_zyx[0] == 10


@pytest.mark.parametrize(
    "orientation",
    [[1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0.9, 0], [0, 0, 0, 0, 1, 0], [1, 0, 0, 0.02, 1, 0], [2, 0, 0, 0, 1, 0]],
)
def test_an_orientation_that_is_none(orientation: Any) -> None:
    with pytest.raises(Invalid) as refused:
        unit_axes(np.array(orientation, float))
    assert refused.value.code == "bad_orientation"


def test_a_rounded_orientation_becomes_unit_vectors() -> None:
    axes = unit_axes(np.array([0.999, 0.005, 0, -0.005, 0.999, 0]))
    assert np.linalg.norm(axes, axis=1) == pytest.approx([1, 1, 1], abs=1e-4)
    assert axes[2] == pytest.approx([0, 0, 1], abs=1e-4)


def test_slices_of_another_orientation_or_spacing_are_counted() -> None:
    positions = column(*np.arange(0, 20, 4.0))
    orientations, spacings = np.repeat(AXIAL[None], 5, axis=0), np.tile(SPACING, (5, 1))
    turned, wider = orientations.copy(), spacings.copy()
    turned[[1, 3]] = [1, 0, 0, 0, 0, 1]
    wider[2] = (1.0, 1.7)
    for changed, code, words in (
        ((turned, spacings), "mixed_orientation", "2 of 5 slices"),
        ((orientations, wider), "mixed_spacing", "1.800×1.700 mm in one slice and 1.000×1.700 mm"),
    ):
        with pytest.raises(Invalid) as refused:
            stack_slices(positions, *changed, SHAPE_YX)
        assert refused.value.code == code
        assert words in refused.value.detail
