"""The phantom: deterministic, plausible anatomy, findings inside the lungs, different scanners."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage as ndi

from voxloop.volume.growing import GrowParams, grow, lung_limit
from voxloop.volume.phantom import PROFILES, make_phantom

SMALL = (32, 96, 96)


@pytest.fixture(scope="module")
def phantoms() -> Any:
    return [make_phantom(seed, "ABC"[seed % 3], SMALL) for seed in range(12)]


def test_the_same_seed_gives_the_same_voxels() -> None:
    first, again = make_phantom(7, "B", SMALL), make_phantom(7, "B", SMALL)
    assert np.array_equal(first.hu_zyx, again.hu_zyx)
    assert np.array_equal(first.findings_zyx, again.findings_zyx)
    assert first.geometry == again.geometry
    assert not np.array_equal(first.hu_zyx, make_phantom(8, "B", SMALL).hu_zyx)


def test_lungs_are_plausible(phantoms: Any) -> None:
    for phantom in phantoms:
        ml = phantom.geometry.voxel_ml
        volumes = [(phantom.lobes_zyx == lobe).sum() * ml for lobe in range(1, 6)]
        assert 2800 < sum(volumes) < 6500
        assert min(volumes) > 150
        assert np.array_equal(phantom.lobes_zyx > 0, phantom.lungs_zyx > 0)
        assert np.array_equal(np.isin(phantom.lobes_zyx, (1, 2, 3)), phantom.lungs_zyx == 1)
        aerated = phantom.hu_zyx[(phantom.lungs_zyx > 0) & (phantom.findings_zyx == 0)]
        assert -930 < np.median(aerated) < -720


def test_left_is_left_and_up_is_up(phantoms: Any) -> None:
    phantom = phantoms[0]
    geometry = phantom.geometry
    right = np.argwhere(phantom.lungs_zyx == 1).mean(axis=0)
    lower = np.argwhere(phantom.lobes_zyx == 3).mean(axis=0)
    upper = np.argwhere(phantom.lobes_zyx == 1).mean(axis=0)
    assert geometry.lps_of(right[::-1])[0] < 0
    assert geometry.lps_of(lower[::-1])[2] < geometry.lps_of(upper[::-1])[2]
    assert geometry.lps_of(lower[::-1])[1] > geometry.lps_of(upper[::-1])[1]


def test_findings_lie_in_the_lungs_and_three_in_ten_subjects_have_none(phantoms: Any) -> None:
    without = [not p.findings_zyx.any() for p in phantoms]
    assert sum(without) in (3, 4, 5)  # 30 % of 12
    for phantom in phantoms:
        assert not (phantom.findings_zyx[phantom.lungs_zyx == 0]).any()
        assert phantom.findings_zyx.max() <= 6
    segments = set(np.unique(np.concatenate([np.unique(p.findings_zyx) for p in phantoms])).tolist())
    assert {0, 1} < segments
    assert len(segments) >= 3


def test_opacities_are_denser_than_lung(phantoms: Any) -> None:
    measured = 0
    for phantom in phantoms:
        opacity = phantom.hu_zyx[phantom.findings_zyx == 1]
        lung = np.median(phantom.hu_zyx[(phantom.lungs_zyx > 0) & (phantom.findings_zyx == 0)])
        if opacity.size >= 50:
            measured += 1
            assert np.median(opacity) > lung + 80
    assert measured >= 4


def test_scanners_differ() -> None:
    noises = {}
    for name in PROFILES:
        phantom = make_phantom(3, name, SMALL)
        air = phantom.hu_zyx[4:12, 2:10, 30:60].astype(float)
        noises[name] = float(np.diff(air, axis=2).std())
    assert len({p.extent_mm_zyx for p in PROFILES.values()}) == len(PROFILES)
    assert noises["A"] < 0.7 * noises["C"]


def test_the_brush_takes_a_phantom_lesion() -> None:
    phantom = make_phantom(12, "A")
    limit, background = lung_limit(phantom.hu_zyx, phantom.geometry.spacing_mm_zyx)
    assert limit is not None
    truth = phantom.findings_zyx == 1
    seed = _deepest(truth)
    labels = np.zeros(phantom.hu_zyx.shape, np.uint8)
    grown = grow(
        phantom.hu_zyx,
        phantom.geometry.spacing_mm_zyx,
        labels,
        1,
        seed,
        25.0,
        limit_zyx=limit,
        background_hu=background,
        params=GrowParams(),
    )
    assert grown.refusal is None
    assert truth[grown.box][grown.added].mean() > 0.5


def _deepest(mask: np.ndarray) -> Any:
    voxel = np.unravel_index(int(ndi.distance_transform_edt(mask).argmax()), mask.shape)
    return tuple(int(p) for p in voxel)
