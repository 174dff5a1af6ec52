"""Quantities of a mask on its scan: phantom truth to 1 %, shapes whose measures are known, and X-rays."""

from typing import Any

import numpy as np
import pytest

from voxloop.volume.geometry import Geometry
from voxloop.volume.growing.lung_limit import lung_limit
from voxloop.volume.lesions import measure_lesions
from voxloop.volume.measuring import HISTOGRAM_HU, LOBES, find_regions, measure_mask
from voxloop.volume.phantom import make_phantom
from voxloop.volume.quantities import lobar_score, opacity_of, weight_g

KEYS = dict(enumerate(LOBES, start=1))
ALL = range(1, 7)


@pytest.fixture(scope="module")
def phantom() -> Any:
    return make_phantom(2, "B", (64, 192, 192))


def by_key(found: Any) -> dict[str, Any]:
    return {part.key: part for part in found.parts}


def test_lobes_are_measured_exactly_and_scored_as_the_viewer_does(phantom: Any) -> None:
    found = measure_mask(
        phantom.findings_zyx,
        phantom.hu_zyx,
        phantom.geometry,
        segments=ALL,
        opacities=(1, 2, 3),
        regions=find_regions(phantom.geometry, anatomy_zyx=phantom.lobes_zyx, anatomy_keys=KEYS),
    )
    opacity, ml = opacity_of(phantom.findings_zyx, (1, 2, 3)), phantom.geometry.voxel_ml
    assert opacity.sum() > 1000
    score = lobar_score(opacity, phantom.lobes_zyx)
    parts = by_key(found)
    assert [parts[key].grade for key in LOBES] == list(score.grades)
    assert [parts[key].percent for key in LOBES] == pytest.approx(score.share_percent)
    assert [parts[key].lung for key in LOBES] == pytest.approx([(phantom.lobes_zyx == n).sum() * ml for n in KEYS])
    assert (found.score, found.severity, found.lungs_from) == (score.total, score.word, "lobes")
    assert parts["right"].lung == pytest.approx((phantom.lungs_zyx == 1).sum() * ml)
    assert found.opacity == pytest.approx(opacity.sum() * ml)
    assert found.lungs == pytest.approx((phantom.lungs_zyx > 0).sum() * ml)
    assert found.percent == pytest.approx(
        100 * (opacity & (phantom.lobes_zyx > 0)).sum() / (phantom.lungs_zyx > 0).sum()
    )
    assert found.weight_g == pytest.approx(weight_g(opacity, phantom.hu_zyx, phantom.geometry.spacing_mm_zyx))
    assert found.mean_hu == pytest.approx(phantom.hu_zyx[opacity].mean())
    assert found.worst_slice == opacity.sum(axis=(1, 2)).argmax()
    assert list(found.histogram) == [
        int(
            (
                (np.clip(phantom.hu_zyx[opacity], -1000, 199) >= low)
                & (np.clip(phantom.hu_zyx[opacity], -1000, 199) < low + 50)
            ).sum()
        )
        for low in HISTOGRAM_HU[:-1]
    ]


def test_without_lobes_the_image_gives_lungs_to_one_percent_zones_and_no_score(phantom: Any) -> None:
    limit, _ = lung_limit(phantom.hu_zyx, phantom.geometry.spacing_mm_zyx)
    regions = find_regions(
        phantom.geometry, voxels_zyx=phantom.hu_zyx, limit_zyx=limit, labels_zyx=phantom.findings_zyx
    )
    found = measure_mask(
        phantom.findings_zyx, phantom.hu_zyx, phantom.geometry, segments=ALL, opacities=ALL, regions=regions
    )
    truth = (phantom.lungs_zyx > 0).sum() * phantom.geometry.voxel_ml
    assert found.lungs == pytest.approx(truth, rel=0.01)
    assert found.percent == pytest.approx(
        100 * (phantom.findings_zyx > 0).sum() * phantom.geometry.voxel_ml / truth, rel=0.01
    )
    assert (found.score, found.severity, found.lungs_from) == (None, None, "image")
    parts = by_key(found)
    assert sum(parts[side].lung for side in ("right", "left")) == pytest.approx(found.lungs)
    assert sum(part.opacity for part in found.parts[2:]) == pytest.approx(found.opacity)


def test_an_empty_mask_and_erased_voxels_are_zeros(phantom: Any) -> None:
    labels = np.zeros_like(phantom.findings_zyx)
    labels[30, 90:99, 60:70] = 255
    found = measure_mask(labels, phantom.hu_zyx, phantom.geometry, segments=ALL, opacities=ALL)
    assert (found.opacity, found.percent, found.weight_g, found.mean_hu, found.lesions) == (0, None, 0, None, 0)
    assert (found.worst_slice, found.lungs, found.parts, sum(found.histogram)) == (None, None, [], 0)


def test_a_plane_is_measured_in_cm2_without_hu() -> None:
    labels = np.zeros((1, 50, 80), np.uint8)
    labels[0, 10:20, 10:30] = 2
    labels[0, 40:45, 70:75] = 2
    found = measure_mask(
        labels,
        np.full(labels.shape, 4000, np.uint16),
        Geometry.axial(labels.shape, (1.0, 0.5, 0.5)),
        segments=(1, 2),
        opacities=(2,),
    )
    assert (found.unit, found.weight_g, found.mean_hu, found.histogram) == ("cm²", None, None, [])
    assert found.opacity == pytest.approx(225 * 0.0025)
    assert (found.lesions, found.segments[1].mean_hu) == (2, None)
    assert found.segments[1].largest == pytest.approx(0.5)
    assert found.diameter_mm == pytest.approx(np.hypot(9.5, 4.5))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.8, 0.8)])
def test_the_diameter_of_a_ball_is_within_one_percent(spacing: Any) -> None:
    shape = tuple(int(60 / mm) for mm in spacing)
    z, y, x = np.ogrid[tuple(slice(0, n) for n in shape)]
    middle = [(n - 1) / 2 for n in shape]
    far = sum(((at - mid) * mm) ** 2 for at, mid, mm in zip((z, y, x), middle, spacing, strict=True))
    count, voxels, diameter_mm = measure_lesions(np.asarray(far < 24**2), spacing)
    assert (count, voxels) == (1, int(np.count_nonzero(far < 24**2)))
    assert diameter_mm == pytest.approx(48, rel=0.01)


def test_small_and_flat_lesions_have_a_diameter() -> None:
    mask = np.zeros((9, 9, 9), np.bool_)
    assert measure_lesions(mask, (2.0, 1.0, 1.0)) == (0, 0, 0.0)
    mask[4, 4, 4] = True
    assert measure_lesions(mask, (2.0, 1.0, 1.0)) == (1, 1, 2.0)
    mask[4, 4, 3:8] = True
    assert measure_lesions(mask, (2.0, 1.0, 1.0)) == (1, 5, 4.0)
    mask[4, 4:7, 3] = True
    assert measure_lesions(mask, (2.0, 1.0, 1.0))[2] == pytest.approx(np.hypot(4, 2))
    mask[0, 0, 0] = True
    assert measure_lesions(mask, (2.0, 1.0, 1.0))[:2] == (2, 7)
