"""The lungs found in the image, against the truth of phantoms and the lungs of a real scan."""

from typing import Any

import numpy as np
import pytest

from voxloop.volume.geometry import Geometry
from voxloop.volume.growing.lung_limit import lung_limit
from voxloop.volume.lungs import LEFT, RIGHT, ZONES, find_lungs, split_sides, split_zones
from voxloop.volume.phantom import make_phantom

SPACING = (2.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("seed", "scanner", "shape"), [(2, "B", (64, 192, 192)), (21, "C", (96, 224, 224)), (33, "A", (64, 192, 192))]
)
def test_volume_of_lungs_and_sides_within_one_percent(seed: int, scanner: str, shape: Any) -> None:
    phantom = make_phantom(seed, scanner, shape)
    limit, _ = lung_limit(phantom.hu_zyx, phantom.geometry.spacing_mm_zyx)
    assert limit is not None
    lungs = find_lungs(phantom.hu_zyx, limit, phantom.findings_zyx > 0, phantom.geometry)
    truth = phantom.lungs_zyx
    assert np.count_nonzero(lungs) == pytest.approx(np.count_nonzero(truth), rel=0.01)
    assert 2 * np.count_nonzero(lungs & (truth > 0)) / (lungs.sum() + (truth > 0).sum()) > 0.99
    sides = split_sides(lungs, phantom.geometry)
    assert not ((sides != truth) & (sides > 0) & (truth > 0)).any()
    for side in (RIGHT, LEFT):
        assert np.count_nonzero(sides == side) == pytest.approx(np.count_nonzero(truth == side), rel=0.012)


def two_lungs(*, joined: bool = False) -> Any:
    lungs = np.zeros((30, 60, 100), np.bool_)
    lungs[:, 10:50, 5:45] = lungs[3:, 10:50, 55:95] = True
    if joined:
        lungs[10:14, 28:32] = True
    return lungs


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("flips", [False, True])
def test_the_right_lung_is_the_one_with_the_lower_x_in_the_patient(joined: bool, flips: bool) -> None:
    geometry = Geometry.axial((30, 60, 100), SPACING)
    if flips:
        matrix = geometry.affine()
        matrix[0] = [-1, 0, 0, 99]
        geometry = Geometry.from_lps_affine(geometry.shape_zyx, matrix)
    sides = split_sides(two_lungs(joined=joined), geometry)
    right, left = (sides[:, :, 5:45], sides[:, :, 55:95]) if not flips else (sides[:, :, 55:95], sides[:, :, 5:45])
    assert set(np.unique(right)) <= {0, RIGHT}
    assert set(np.unique(left)) <= {0, LEFT}
    assert (sides > 0).sum() == two_lungs(joined=joined).sum()


def test_one_lung_is_on_its_own_side_and_none_is_no_error() -> None:
    geometry = Geometry.axial((30, 60, 100), SPACING, (-49.5, 0.0, 0.0))
    lungs = two_lungs()
    lungs[:, :, 50:] = False
    assert set(np.unique(split_sides(lungs, geometry))) == {0, RIGHT}
    assert not split_sides(np.zeros_like(lungs), geometry).any()
    assert not split_zones(np.zeros(lungs.shape, np.uint8), geometry).any()


@pytest.mark.parametrize("head_first", [True, False])
def test_thirds_are_of_each_lungs_own_height(head_first: bool) -> None:
    geometry = Geometry.axial((30, 60, 100), SPACING)
    if not head_first:
        matrix = geometry.affine()
        matrix[2] = [0, 0, -2, 58]
        geometry = Geometry.from_lps_affine(geometry.shape_zyx, matrix)
    zones = split_zones(split_sides(two_lungs(), geometry), geometry)
    counts = {key: np.count_nonzero(zones == value) for value, key in enumerate(ZONES, start=1)}
    assert [counts[key] for key in ZONES] == [16000, 16000, 16000, 14400, 14400, 14400]
    top = zones[-1] if head_first else zones[3]
    assert set(np.unique(top)) == {0, 1, 4}
