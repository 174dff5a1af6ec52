"""Operations of the editor's worker on random masks, against numpy and scipy, voxel for voxel."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, Page
from scipy import ndimage as ndi

from tests.browser.editor_server import SHAPE, SPACING, Server
from tests.browser.test_editor_worker import call, start
from tests.chromium import Watched, open_context

Labels = npt.NDArray[np.uint8]
FULL = ndi.generate_binary_structure(3, 3)
VOXEL_ML = float(np.prod(SPACING)) / 1000
RULES = {"segment": 1, "overwrite": False, "locked": []}


def blobs(rng: np.random.Generator) -> Labels:
    """Random shapes of two segments with holes, islands and a few erased voxels, up to the edges of the scan."""
    field = ndi.gaussian_filter(rng.normal(size=SHAPE), (1.5, 4, 4))
    labels = np.where(field > 0.6 * field.std(), 1, 0).astype(np.uint8)
    labels[ndi.gaussian_filter(rng.normal(size=SHAPE), 3) > 0.03] = 2
    labels[(rng.random(SHAPE) < 0.01) & (labels == 1)] = 0
    labels[(rng.random(SHAPE) < 0.002) & (labels == 0)] = 255
    return labels


def near(mask: npt.NDArray[np.bool_], mm: float) -> npt.NDArray[np.bool_]:
    """Within `mm` of the mask."""
    found: npt.NDArray[np.bool_] = ndi.distance_transform_edt(~mask, sampling=SPACING) <= mm + 1e-6
    return found


def shrunk(mask: npt.NDArray[np.bool_], mm: float) -> npt.NDArray[np.bool_]:
    room = [(int(mm / s) + 1,) * 2 for s in SPACING]
    inside = ndi.distance_transform_edt(np.pad(mask, room), sampling=SPACING) > mm + 1e-6
    within: npt.NDArray[np.bool_] = inside[tuple(slice(a, -b) for a, b in room)] & mask
    return within


def became(labels: Labels, wanted: npt.NDArray[np.bool_]) -> Labels:
    """The labels after segment 1 became `wanted` where the rest is background."""
    out = labels.copy()
    out[(labels == 1) & ~wanted] = 0
    out[wanted & (labels == 0)] = 1
    return out


def without_islands(labels: Labels, under_ml: float) -> Labels:
    parts, _ = ndi.label(labels == 1, FULL)
    small = np.bincount(parts.ravel()) * VOXEL_ML < under_ml
    small[0] = False
    return np.where(small[parts], 0, labels).astype(np.uint8)


def filled(labels: Labels, per_slice: bool) -> Labels:
    mask = labels == 1
    whole = np.stack([ndi.binary_fill_holes(part) for part in mask]) if per_slice else ndi.binary_fill_holes(mask)
    return np.where(whole & np.isin(labels, (0, 255)), 1, labels).astype(np.uint8)


def part_at(labels: Labels, at: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    parts, _ = ndi.label(labels == labels[at], FULL)
    found: npt.NDArray[np.bool_] = parts == parts[at]
    return found


def enclosed(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Pixels of an axial slice whose middle lies inside the line, by the even-odd rule."""
    v, u = np.mgrid[: SHAPE[1], : SHAPE[2]]
    odd = np.zeros(v.shape, np.bool_)
    for (u0, v0), (u1, v1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if v0 != v1:
            odd ^= ((v0 <= v) != (v1 <= v)) & (u >= u0 + (v - v0) / (v1 - v0) * (u1 - u0))
    return odd


@pytest.fixture
def page(browser: Browser, server: Server, watched: Watched) -> Iterator[Page]:
    context = open_context(browser, server.url, watched)
    yield context.new_page()
    context.close()


def applied(page: Page, server: Server, operation: dict[str, Any]) -> Labels:
    """The mask on the server after the operation; then it is undone there."""
    call(page, "apply", operation)
    call(page, "flush")
    after = server.labels.copy()
    call(page, "undo")
    call(page, "flush")
    return after


@pytest.mark.parametrize("seed", [1, 2])
def test_operations_equal_scipy(page: Page, server: Server, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = server.labels = blobs(rng)
    other = server.prediction > 0
    z, y, x = (int(n) for n in rng.permutation(np.argwhere(labels == 1))[0])
    ijk = [x, y, z]
    points = rng.uniform((-5, -5), (SHAPE[2] + 5, SHAPE[1] + 5), (9, 2)).round(3)
    lasso = np.zeros(SHAPE, np.bool_)
    lasso[7:12] = enclosed(points)
    line = {"plane": "axial", "slices": [7, 11], "points": points.tolist()}
    mask, two = labels == 1, labels == 2
    overlay = {"segment": 1, "overlay": "prediction", "with": None}
    scissors = {"op": "scissors", **line, "outside": False, "segments": [1], "locked": []}
    one = part_at(labels, (z, y, x))
    near_other, beside = near(other, 2.0), near(two, 2.0)
    cases: list[tuple[dict[str, Any], Labels]] = [
        ({"op": "fill-holes", "perSlice": False, **RULES}, filled(labels, False)),
        ({"op": "fill-holes", "perSlice": True, **RULES}, filled(labels, True)),
        ({"op": "remove-islands", "segment": 1, "underMl": 0.02}, without_islands(labels, 0.02)),
        ({"op": "resize", "mm": 2.5, **RULES}, became(labels, near(mask, 2.5))),
        ({"op": "resize", "mm": -1.5, **RULES}, became(labels, shrunk(mask, 1.5))),
        ({"op": "lasso", **line, **RULES}, np.where(lasso & np.isin(labels, (0, 255)), 1, labels)),
        (scissors, np.where(lasso & mask, 255, labels)),
        ({"op": "remove-lesion", "at": ijk}, np.where(one, 255, labels)),
        ({"op": "convert", "from": None, "to": 3, "at": ijk}, np.where(one, 3, labels)),
        ({"op": "convert", "from": 1, "to": 2, "at": None}, np.where(mask, 2, labels)),
        ({"op": "clear", "segment": 1}, np.where(mask, 0, labels)),
        ({"op": "union", **overlay}, became(labels, mask | other)),
        ({"op": "intersect", **overlay, "marginMm": 2}, np.where(mask & ~near_other, 0, labels)),
        ({"op": "subtract", **overlay, "marginMm": 2}, np.where(mask & near_other, 0, labels)),
        ({"op": "union", "segment": 1, "overlay": None, "with": 2}, np.where(two, 1, labels)),
        ({"op": "subtract", **overlay, "overlay": None, "with": 2, "marginMm": 2}, np.where(mask & beside, 0, labels)),
    ]
    before = labels.copy()
    start(page)
    for operation, expected in cases:
        assert not np.array_equal(expected, before), f"{operation['op']} would change nothing"
        np.testing.assert_array_equal(applied(page, server, operation), expected, err_msg=str(operation))
        np.testing.assert_array_equal(server.labels, before)


def test_smoothing_equals_a_gaussian(page: Page, server: Server) -> None:
    labels = server.labels = blobs(np.random.default_rng(3))
    sigma = [1.5 / s for s in SPACING]
    mean = ndi.gaussian_filter(
        (labels == 1).astype(np.float64), sigma, mode="nearest", radius=[int(np.ceil(3 * s)) for s in sigma]
    )
    expected = became(labels, mean > 0.5)
    start(page)
    after = applied(page, server, {"op": "smooth", "mm": 3, **RULES})
    differs = (after != expected) & (np.abs(mean - 0.5) > 1e-5)
    assert not differs.any()
    assert (after != labels).sum() > 1000
