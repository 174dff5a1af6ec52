"""The brushes: real nodules bit for bit, comparison with a naive implementation, and protected labels."""

import json
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from tests.real_data import real_data
from voxloop.volume.growing import GrowParams, erase, grow, lung_limit, paint
from voxloop.volume.growing.lung_limit import close_ball
from voxloop.volume.labelmap import ERASED

THIN, THICK = (1.0, 0.8, 0.8), (4.0, 1.8, 1.8)
BACKGROUND = -860


def nodule(
    shape: tuple[int, int, int] = (20, 40, 40),
    hu: int = -300,
    radius: float = 6.0,
    spacing: tuple[float, float, float] = THIN,
) -> Any:
    """A ball of `hu` in quiet lung, centred on the volume."""
    z, y, x = (np.arange(n) - n // 2 for n in shape)
    sz, sy, sx = spacing
    inside = (z[:, None, None] * sz) ** 2 + (y[:, None] * sy) ** 2 + (x * sx) ** 2 <= radius**2
    return np.where(inside, hu, BACKGROUND).astype(np.int16), inside


def stroke(
    hu: np.ndarray,
    labels: np.ndarray = None,
    seed: tuple[int, int, int] | None = None,
    radius: float = 9.0,
    spacing: tuple[float, float, float] = THIN,
    segment: int = 1,
    background: int = BACKGROUND,
    **options: Any,
) -> Any:
    """The stroke as a mask of the whole volume."""
    labels = np.zeros(hu.shape, np.uint8) if labels is None else labels
    seed = tuple(n // 2 for n in hu.shape) if seed is None else seed
    grown = grow(hu, spacing, labels, segment, seed, radius, background_hu=background, **options)
    whole = np.zeros(hu.shape, np.bool_)
    whole[grown.box] = grown.added
    return grown, whole


@pytest.mark.parametrize("number", range(1, 7))
def test_real_nodules_bit_for_bit(number: int) -> None:
    case = np.load(next(real_data("brush_vectors").glob(f"tv{number}_*.npz")))
    labels = case["mask"].astype(np.uint8)
    labels[case["erased"]] = ERASED
    grown, whole = stroke(
        case["hu"],
        labels,
        tuple(case["seed"].tolist()),
        float(case["radius_mm"]),
        tuple(case["spacing"].tolist()),
        background=int(case["bg"]),
        limit_zyx=case["limit"],
        params=GrowParams.from_json(json.loads(str(case["params"]))),
    )
    assert np.array_equal(whole, case["expected_add"])
    assert grown.seed_hu == case["expected_seed_hu"]
    assert (grown.refusal is None) == (str(case["expected_why"]) == "")


def test_a_nodule_is_taken_whole_and_nothing_else() -> None:
    hu, inside = nodule()
    grown, whole = stroke(hu)
    assert ndi.binary_erosion(inside)[whole].sum() == ndi.binary_erosion(inside).sum()
    assert not (whole & ~ndi.binary_dilation(inside)).any()
    assert grown.refusal is None


def test_normal_lung_is_refused() -> None:
    hu, _ = nodule()
    grown, whole = stroke(hu, seed=(2, 3, 3))
    assert grown.refusal == "normal_lung"
    assert not whole.any()


def test_erased_voxels_stay_erased_and_only_the_sphere_clears_them() -> None:
    hu, _ = nodule()
    labels = np.zeros(hu.shape, np.uint8)
    erase(labels, THIN, (10, 20, 24), 3.0)
    gone = labels == ERASED
    grown, whole = stroke(hu, labels)
    assert not (whole & gone).any()
    grown.apply(labels, 1)
    assert (labels[gone] == ERASED).all()
    paint(labels, THIN, 1, (10, 20, 24), 3.0)
    assert (labels[gone] == 1).all()


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_segments_are_painted_only_when_told(overwrite: bool) -> None:
    hu, _ = nodule()
    labels = np.zeros(hu.shape, np.uint8)
    labels[:, :, 20:] = 4
    _, whole = stroke(hu, labels, seed=(10, 20, 18), overwrite=overwrite)
    assert bool((whole & (labels == 4)).any()) is overwrite
    assert (whole & (labels == 0)).any()


def test_a_voxel_of_the_segment_is_not_added_twice() -> None:
    hu, inside = nodule()
    labels = inside.astype(np.uint8)
    _, whole = stroke(hu, labels)
    assert not (whole & inside).any()


@pytest.mark.parametrize("planar", [False, True])
def test_planar_keeps_to_the_slice(planar: bool) -> None:
    hu, _ = nodule()
    _, whole = stroke(hu, params=GrowParams(planar=planar))
    assert bool(whole.any(axis=(1, 2)).sum() == 1) is planar


def test_the_limit_counts_only_when_the_cursor_is_inside() -> None:
    hu, _ = nodule()
    limit = np.zeros(hu.shape, np.bool_)
    limit[:, :, :20] = True
    _, outside = stroke(hu, limit_zyx=limit)
    _, within = stroke(hu, seed=(10, 20, 17), limit_zyx=limit)
    _, ignored = stroke(hu, seed=(10, 20, 17), limit_zyx=limit, params=GrowParams(use_limit=False))
    assert (outside & ~limit).any()
    assert not (within & ~limit).any()
    assert (ignored & ~limit).any()


def test_upper_bound_leaves_a_vessel_out() -> None:
    hu, _ = nodule(hu=-600)
    hu[:, 18:23, 10:15] = 100
    vessel = hu == 100
    _, kept = stroke(hu, radius=14.0)
    _, excluded = stroke(hu, radius=14.0, params=GrowParams(upper_hu=200, close_mm=0, fill=False))
    assert (kept & vessel).any()
    assert not (excluded & vessel).any()


def plain_reading(
    hu: np.ndarray,
    spacing: tuple[float, float, float],
    labels: np.ndarray,
    segment: int,
    seed: tuple[int, int, int],
    radius: float,
    params: Any,
) -> Any:
    """A naive implementation, voxel by voxel, without opening, closing and filling."""
    sz, sy, sx = spacing

    def distance2(p: Any) -> Any:
        return ((p[0] - seed[0]) * sz) ** 2 + ((p[1] - seed[1]) * sy) ** 2 + ((p[2] - seed[2]) * sx) ** 2

    weights = [(0, 4)] if sz > params.smooth_z_max or hu.shape[0] == 1 else [(-1, 1), (0, 2), (1, 1)]

    def smooth(p: Any) -> Any:
        total = 0
        for dz, wz in weights:
            for dy, wy in [(-1, 1), (0, 2), (1, 1)]:
                for dx, wx in [(-1, 1), (0, 2), (1, 1)]:
                    q = [min(max(a + b, 0), n - 1) for a, b, n in zip(p, (dz, dy, dx), hu.shape, strict=True)]
                    total += wz * wy * wx * int(hu[tuple(q)])
        return total

    voxels = [p for p in np.ndindex(hu.shape) if distance2(p) <= radius**2 + 1e-6]
    reach = max(min(params.seed_mm, max(1.5, radius / 4)), 1.01 * sy)
    near = sorted(smooth(p) for p in np.ndindex(hu.shape) if distance2(p) <= reach**2 + 1e-6)
    value = near[(len(near) - 1) // 2]
    if value < 64 * (BACKGROUND + params.min_contrast):
        return set()
    lower = 64 * BACKGROUND + (params.tolerance * (value - 64 * BACKGROUND)) // 100
    accepted = {p for p in voxels if labels[p] != ERASED and smooth(p) >= lower}
    if params.planar:
        accepted = {p for p in accepted if p[0] == seed[0]}
    if seed not in accepted:
        if not accepted:
            return set()
        seed_moved = min(accepted, key=lambda p: (distance2(p), p))
        if distance2(seed_moved) > 4 + 1e-6:
            return set()
    else:
        seed_moved = seed
    taken, queue = {seed_moved}, deque([seed_moved])
    while queue:
        z, y, x = queue.popleft()
        for q in ((z - 1, y, x), (z + 1, y, x), (z, y - 1, x), (z, y + 1, x), (z, y, x - 1), (z, y, x + 1)):
            if q in accepted and q not in taken:
                taken.add(q)
                queue.append(q)
    return {p for p in taken if labels[p] == 0}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_growing_follows_a_plain_reading_of_the_rules(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, n)) for n in (5, 9, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    hu = rng.integers(-900, data.draw(st.sampled_from([-700, 0, 300])), shape).astype(np.int16)
    labels = rng.choice(np.array([0, 0, 0, 0, 1, 2, ERASED], np.uint8), shape)
    z, y, x = (data.draw(st.integers(0, n - 1)) for n in shape)
    seed = (z, y, x)
    spacing = data.draw(st.sampled_from([THIN, THICK, (1.5, 1.0, 1.0), (0.5, 2.0, 0.7)]))
    params = GrowParams(
        tolerance=data.draw(st.integers(15, 60)), open_mm=0, close_mm=0, fill=False, planar=data.draw(st.booleans())
    )
    radius = data.draw(st.floats(0.5, 6))
    _, whole = stroke(hu, labels, seed, radius, spacing, params=params)
    expected = plain_reading(hu, spacing, labels, 1, seed, radius, params)
    assert {tuple(map(int, p)) for p in np.argwhere(whole)} == expected


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_stroke_leaves_its_sphere_or_the_volume(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, n)) for n in (12, 30, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    hu = ndi.gaussian_filter(rng.normal(-500, 900, shape), 1).astype(np.int16)
    labels = rng.choice(np.array([0, 0, 0, 1, 2, ERASED], np.uint8), shape)
    z, y, x = (data.draw(st.integers(0, n - 1)) for n in shape)
    seed = (z, y, x)
    radius = data.draw(st.floats(0.5, 15))
    _, whole = stroke(hu, labels, seed, radius, THIN, params=GrowParams(fill=data.draw(st.booleans())))
    ball = paint(np.zeros(shape, np.uint8), THIN, 1, seed, radius)
    inside = np.zeros(shape, np.bool_)
    inside[ball.box] = ball.changed
    assert not (whole & ~inside).any()
    assert (labels[whole] == 0).all()


@pytest.mark.parametrize("spacing", [(2.5, 0.7, 0.7), (1.0, 0.8, 0.8), (5.0, 1.8, 1.8)])
def test_closing_by_a_ball_is_that_of_two_distance_transforms(spacing: tuple[float, float, float]) -> None:
    noise = ndi.gaussian_filter(np.random.default_rng(5).standard_normal((24, 60, 70)), 3)
    mask = noise > 0.03
    room = [(int(10 / s) + 2,) * 2 for s in spacing]
    grown = ndi.distance_transform_edt(~np.pad(mask, room), sampling=spacing) <= 10
    closed = ndi.distance_transform_edt(grown, sampling=spacing) > 10
    inner = closed[tuple(slice(a, n - a) for (a, _), n in zip(room, closed.shape, strict=True))]
    assert np.array_equal(close_ball(mask, spacing, 10.0), inner | mask)


def test_lung_limit_of_two_lungs_takes_an_attached_nodule_in() -> None:
    hu = np.full((40, 120, 120), 40, np.int16)
    hu[:, :2] = -1000  # air outside the body touches the side
    for side in (18, 66):
        hu[4:36, 20:100, side : side + 36] = -850
    hu[15:20, 96:104, 30:36] = 30  # a nodule that indents the lung from behind
    limit, background = lung_limit(hu, (4.0, 2.0, 2.0))
    assert background == -850
    assert limit[17, 98, 33]
    assert not limit[:, :10].any()


def test_the_limit_takes_the_rim_of_ground_glass_in_and_leaves_the_chest_wall_out() -> None:
    hu = np.full((40, 120, 120), 40, np.int16)
    for side in (18, 66):
        hu[4:36, 20:100, side : side + 36] = -850
        hu[4:36, 100, side : side + 36] = -400  # half a voxel of ground glass, half of the wall
        hu[4:36, 101, side : side + 36] = -200
    limit, _ = lung_limit(hu, (4.0, 2.0, 2.0))
    assert limit[5:35, 100, 20:50].all()
    assert not limit[:, 101:].any()


def test_the_limit_takes_dense_ground_glass_in_that_closing_cannot_bridge() -> None:
    hu = np.full((40, 120, 120), 40, np.int16)
    for side in (18, 66):
        hu[4:36, 20:100, side : side + 36] = -850
    hu[4:36, 96:100, 18:54] = -400  # a layer of 8 mm along the whole wall
    hu[4:36, 100:116, 30] = -350  # a path out of the chest, beyond RIM_MM
    limit, _ = lung_limit(hu, (4.0, 2.0, 2.0))
    assert limit[5:35, 96:100, 20:52].all()
    assert not limit[:, 101:].any()


def test_no_lung_no_limit() -> None:
    assert lung_limit(np.zeros((4, 20, 20), np.int16), (2.0, 1.0, 1.0)) == (None, -860)
