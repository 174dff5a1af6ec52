"""The browser's region-growing brush compared with the same steps in SimpleITK filters, on the same voxels. The brush
runs in Node, built from the viewer's sources. Times are CPU time of a warm process on both sides (one thread each), so
that a busy machine does not matter."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from scipy import ndimage as ndi

from benchmarks._node import run_in_node
from benchmarks._rows import ratio_row
from benchmarks._scans import FOLDER
from voxloop.volume.growing import NORMAL_LUNG_HU, lung_limit
from voxloop.volume.phantom import make_phantom

MOST_SHARE_OF_PEER = 0.30
MOST_OF_A_STEP = 30.0  # ms
ROUNDS = 15
PLANE = 512  # crops are embedded in slices of this size, for a realistic row stride


@dataclass(frozen=True)
class Case:
    """A seed in a volume; `limit` and `background_hu` as intake computes them."""

    hu: np.ndarray
    spacing: tuple[float, float, float]
    limit: np.ndarray
    background_hu: int
    seed: tuple[int, int, int]


def run() -> Iterator[dict[str, Any]]:
    """Rows of milliseconds: flood alone, whole strokes, and strokes compared with their limit."""
    # On small boxes SimpleITK's filters are fastest with one thread.
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    thick, thin = _case("tv3_solid_wall_2p5mm", 2.5), _case("tv2_ggn_1p25mm", 1.25)
    strokes = {
        "stroke 15 mm, 2.5 mm slices": (thick, 15.0, 3.0),
        "stroke 15 mm, 1.25 mm slices": (thin, 15.0, 3.0),
        "stroke 20 mm, 1.25 mm slices": (thin, 20.0, 6.0),
    }
    radius = 30
    block, lower, upper = _flood_case(thin, radius)
    flood_name = f"flood alone, radius {radius} voxels"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        centre = tuple(n // 2 for n in block.shape)
        box = [v for n in block.shape for v in (0, n)]
        _write(path, flood_name, block, kind="flood", seed_zyx=centre, box=box, lower=lower, upper=upper)
        for name, (case, radius_mm, _) in strokes.items():
            _write(
                path,
                name,
                case.hu,
                case.limit,
                kind="stroke",
                seed_zyx=case.seed,
                radius_mm=radius_mm,
                spacing_mm_zyx=case.spacing,
                background_hu=case.background_hu,
            )
        ours = run_in_node("brush", path)
    peer, voxels = _flood_by_simpleitk(block, centre, lower, upper)
    if voxels != ours[flood_name]["voxels"]:
        raise RuntimeError(f"the floods differ: {ours[flood_name]['voxels']} and {voxels} voxels")
    yield ratio_row("brush", flood_name, ours[flood_name]["milliseconds"], peer, "ms", MOST_SHARE_OF_PEER)
    for name, (case, radius_mm, most_ms) in strokes.items():
        mine = ours[name]
        peer, voxels = _stroke_by_simpleitk(case, radius_mm)
        # SimpleITK treats the edge of the box differently; it must still be the same lesion.
        if abs(voxels - mine["voxels"]) > 0.1 * mine["voxels"]:
            raise RuntimeError(f"{name}: the strokes differ: {mine['voxels']} and {voxels} voxels")
        yield ratio_row("brush", name, mine["milliseconds"], peer, "ms", MOST_SHARE_OF_PEER)
        yield ratio_row("brush", f"{name}, beside its most", mine["milliseconds"], most_ms, "ms", 1.0)
        yield ratio_row("brush", f"{name}: apply, beside its most", mine["apply"], 1.0, "ms", 1.0)
        for what, times in (("it", mine), ("a drag of 20 mm of it", mine["drag"])):
            for step, key in (("first", "step"), ("a next", "next")):
                row = f"{name}: {step} step of {what}, beside its most"
                yield ratio_row("brush", row, times[key], MOST_OF_A_STEP, "ms", 1.0)


def _case(name: str, slice_mm: float) -> Case:
    """A real nodule where the data is present, else a lesion of the phantom at this slice thickness."""
    file = FOLDER / "brush_vectors" / f"{name}.npz"
    if file.is_file():
        with np.load(file) as data:
            spacing = tuple(float(s) for s in data["spacing"])
            return _embed(data["hu"], spacing, data["limit"], int(data["bg"]), tuple(int(n) for n in data["seed"]))
    phantom = make_phantom(1, "A")
    hu, spacing = phantom.hu_zyx, phantom.geometry.spacing_mm_zyx
    limit, background_hu = lung_limit(hu, spacing)
    lesion = phantom.findings_zyx > 0
    centre = np.unravel_index(int(ndi.distance_transform_edt(lesion, sampling=spacing).argmax()), lesion.shape)
    wanted = (slice_mm, 0.7, 0.7)
    reach = [int(24 / s) for s in spacing]
    first = [max(0, int(c) - r) for c, r in zip(centre, reach, strict=True)]
    part = tuple(slice(a, int(c) + r + 1) for a, c, r in zip(first, centre, reach, strict=True))
    factor = [s / w for s, w in zip(spacing, wanted, strict=True)]
    fine = ndi.zoom(hu[part], factor, order=1).astype(np.int16)
    inside = np.ones(hu.shape, bool) if limit is None else limit
    seed = tuple(int((int(c) - a + 0.5) * f) for c, a, f in zip(centre, first, factor, strict=True))
    fine_limit = ndi.zoom(inside[part].astype(np.uint8), factor, order=0) > 0
    return _embed(fine, wanted, fine_limit, background_hu if limit is not None else NORMAL_LUNG_HU, seed)


def _embed(hu: np.ndarray, spacing: Any, limit: np.ndarray, background_hu: int, seed: Any) -> Case:
    depth, height, width = hu.shape
    y, x = (PLANE - height) // 2, (PLANE - width) // 2
    whole = np.full((depth, PLANE, PLANE), -1000, np.int16)
    inside = np.zeros(whole.shape, bool)
    whole[:, y : y + height, x : x + width] = hu
    inside[:, y : y + height, x : x + width] = limit
    return Case(whole, spacing, inside, background_hu, (seed[0], seed[1] + y, seed[2] + x))


def _flood_case(case: Case, radius: int) -> tuple[np.ndarray, int, int]:
    """A box of 2 × radius + 1 voxels a side, its voxels the sphere around the seed, and bounds that let it run."""
    z, y, x = case.seed
    part = ndi.zoom(case.hu[:, y - radius : y + radius + 1, x - radius : x + radius + 1], (2, 1, 1), order=1)
    middle = 2 * z
    block = part[middle - radius : middle + radius + 1].copy()
    grid = np.ogrid[tuple(slice(-radius, radius + 1) for _ in range(3))]
    block[sum(g**2 for g in grid) > radius**2] = -2000
    block[radius, radius, radius] = max(block[radius, radius, radius], -500)
    return np.ascontiguousarray(block), -950, 3071


def _write(folder: Path, name: str, hu: np.ndarray, limit: np.ndarray | None = None, **facts: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"shape_zyx": hu.shape, **facts}))
    (folder / f"{name}.hu").write_bytes(np.ascontiguousarray(hu, "<i2").tobytes())
    if limit is not None:
        (folder / f"{name}.limit").write_bytes(limit.astype(np.uint8).tobytes())


def _mean_ms(work: Callable[[], int]) -> float:
    work()
    start = time.process_time()
    for _ in range(ROUNDS):
        work()
    return 1000 * (time.process_time() - start) / ROUNDS


def _flood_by_simpleitk(block: np.ndarray, seed: Any, lower: int, upper: int) -> tuple[float, int]:
    image = SimpleITK.GetImageFromArray(block)
    seeds = [tuple(reversed(seed))]
    milliseconds = _mean_ms(lambda: SimpleITK.ConnectedThreshold(image, seeds, lower, upper).GetSize()[0])
    found = SimpleITK.ConnectedThreshold(image, seeds, lower, upper)
    return milliseconds, int(SimpleITK.GetArrayViewFromImage(found).sum())


def _stroke_by_simpleitk(case: Case, radius_mm: float) -> tuple[float, int]:
    """Smooth, seed, bound, flood, open, close and fill by SimpleITK; only the box of the sphere, images ready made."""
    spacing, seed = case.spacing, case.seed
    reach = [int(radius_mm / s) + 2 for s in spacing]
    part = tuple(slice(max(0, c - r), min(n, c + r + 1)) for c, r, n in zip(seed, reach, case.hu.shape, strict=True))
    at = tuple(c - p.start for c, p in zip(seed, part, strict=True))
    hu = case.hu[part]
    grid = np.ogrid[tuple(slice(0, n) for n in hu.shape)]
    distance2 = np.asarray(sum(((g - c) * s) ** 2 for g, c, s in zip(grid, at, spacing, strict=True)))
    domain = np.asarray(distance2 <= radius_mm**2)
    if case.limit[seed]:
        domain &= case.limit[part]
    thin = spacing[0] <= 1.5
    image = SimpleITK.GetImageFromArray(hu.astype(np.int32))
    allowed = SimpleITK.GetImageFromArray(domain.astype(np.uint8))
    seeds = [tuple(reversed(at))]
    ball = [max(1, int(1 / spacing[2])), max(1, int(1 / spacing[1])), int(1 / spacing[0]) if thin else 0]
    # 1 mm holds the diagonal neighbours in the plane, or it does not.
    shape = SimpleITK.sitkBox if spacing[1] ** 2 + spacing[2] ** 2 <= 1 else SimpleITK.sitkCross
    kernel = SimpleITK.GetImageFromArray(np.outer([1, 2, 1], [1, 2, 1])[None].astype(np.int32))
    depth_kernel = SimpleITK.GetImageFromArray(np.array([1, 2, 1], np.int32)[:, None, None])
    seed_ball = np.asarray(distance2 <= min(2.5, max(1.5, radius_mm / 4)) ** 2)

    def stroke() -> Any:
        smooth = SimpleITK.Convolution(image, kernel)
        smooth = SimpleITK.Convolution(smooth, depth_kernel) if thin else smooth * 4
        value = int(np.sort(SimpleITK.GetArrayViewFromImage(smooth)[seed_ball])[(int(seed_ball.sum()) - 1) // 2])
        lower = 64 * case.background_hu + 30 * (value - 64 * case.background_hu) // 100
        accepted = SimpleITK.BinaryThreshold(smooth, lower, 2**30) & allowed
        taken = SimpleITK.ConnectedThreshold(accepted, seeds, 1, 1)
        taken = SimpleITK.BinaryMorphologicalOpening(taken, ball, shape)
        taken = SimpleITK.ConnectedThreshold(taken, seeds, 1, 1)
        taken = taken | (SimpleITK.BinaryMorphologicalClosing(taken, ball, shape) & allowed)
        if thin:
            return taken | (SimpleITK.BinaryFillhole(taken) & allowed)
        slices = [SimpleITK.BinaryFillhole(taken[:, :, z]) for z in range(taken.GetSize()[2])]
        return taken | (SimpleITK.JoinSeries(slices) & allowed)

    milliseconds = _mean_ms(lambda: stroke().GetSize()[0])
    return milliseconds, int(SimpleITK.GetArrayFromImage(stroke()).sum())
