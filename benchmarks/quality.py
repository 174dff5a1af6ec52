"""Mask quality: Dice of a scripted reader after few strokes, by tool, on the viewer's editor core. The reader (see
`frontend/bench/reader.ts`) sees the ground truth and draws one lesion at a time, with an inexact hand. The lesions are
connected components of 0.3 to 100 mL of phantoms of three scanners, with seeds not used for tuning, and the tumour of
LIDC-IDRI-0001 by each of its four readers. The threshold brush gets the median HU of the whole lesion, which favours
it. Click-to-segment works without a model here and ends with the growing brush. One growing stroke of every lesion is
compared voxel by voxel with the reference in Python."""

import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from benchmarks._node import run_in_node
from benchmarks._rows import least_row, plain_row
from benchmarks._scans import FOLDER, real_chest_ct
from voxloop.volume.growing import NORMAL_LUNG_HU, grow, lung_limit
from voxloop.volume.phantom import make_phantom

SUBJECTS = 48
FIRST_SEED = 700_000
SHAPE_ZYX = (112, 256, 256)
LEAST_ML, MOST_ML = 0.3, 100.0
ROOM_MM = 30.0
AFTER = (1, 5, 20)
# Least Dice of the growing brush on phantoms after 1, 5 and 20 strokes, and its least lead over the sphere after 5.
LEAST_GROW = {1: 0.85, 5: 0.90, 20: 0.92}
AHEAD_OF_SPHERE = 0.15
GOOD = 0.90

Hu = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]
Spacing = tuple[float, float, float]


def run(subjects: int = SUBJECTS) -> Iterator[dict[str, Any]]:
    """Rows of Dice and of strokes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=get_context("spawn")) as pool:
            list(pool.map(_lay_out_phantom, [folder] * subjects, range(FIRST_SEED, FIRST_SEED + subjects)))
        _lay_out_real(folder)
        results = run_in_node("quality", folder)
        for case, result in results.items():
            _compare_with_reference(folder, case, result["grown"])
    phantoms = [result["tools"] for case, result in results.items() if case.startswith("phantom")]
    real = [result["tools"] for case, result in results.items() if case.startswith("real")]
    yield plain_row("quality", "phantom lesions", len(phantoms), "")
    yield from _rows("phantom", phantoms, LEAST_GROW, AHEAD_OF_SPHERE)
    if real:
        yield from _rows("LIDC-IDRI-0001", real, {}, None)


def _rows(
    name: str, lesions: list[dict[str, list[float]]], least: dict[int, float], ahead: float | None
) -> Iterator[dict[str, Any]]:
    dice = {tool: np.array([lesion[tool] for lesion in lesions]) for tool in lesions[0]}
    for tool, reached in dice.items():
        for strokes in AFTER:
            limit = least.get(strokes) if tool == "grow" else None
            case = f"{name}: {tool}, Dice after {strokes}"
            yield least_row("quality", case, float(reached[:, strokes - 1].mean()), "", limit)
        good = reached >= GOOD
        needed = np.where(good.any(axis=1), good.argmax(axis=1) + 1, reached.shape[1] + 1)
        yield plain_row("quality", f"{name}: {tool}, strokes to {GOOD:.2f} (median)", float(np.median(needed)), "")
        yield plain_row("quality", f"{name}: {tool}, reach {GOOD:.2f}", 100 * float(good.any(axis=1).mean()), "%")
    gap = float((dice["grow"][:, 4] - dice["sphere"][:, 4]).mean())
    yield least_row("quality", f"{name}: grow ahead of sphere after 5", gap, "", ahead)


def _lay_out_phantom(folder: Path, seed: int) -> None:
    phantom = make_phantom(seed, "ABC"[seed % 3], SHAPE_ZYX)
    spacing = phantom.geometry.spacing_mm_zyx
    limit, background_hu = lung_limit(phantom.hu_zyx, spacing)
    found, count = ndi.label(phantom.findings_zyx > 0)
    millilitres = np.bincount(found.ravel(), minlength=count + 1) * float(np.prod(spacing)) / 1000
    for number in range(1, count + 1):
        if LEAST_ML <= millilitres[number] <= MOST_ML:
            case = f"phantom-{seed}-{number:03d}"
            _lay_out(folder, case, phantom.hu_zyx, spacing, limit, background_hu, found == number)


def _lay_out_real(folder: Path) -> None:
    """Nothing where the scan is not present."""
    scan = real_chest_ct()
    masks = sorted((FOLDER / "lidc_masks").glob("LIDC-IDRI-0001_reader?.nii.gz"))
    if scan is None:
        return
    hu, spacing = scan
    limit, background_hu = lung_limit(hu, spacing)
    for path in masks:
        _lay_out(folder, f"real-{path.name[-14:-7]}", hu, spacing, limit, background_hu, _read_mask(path, hu.shape))


def _read_mask(path: Path, shape: tuple[int, ...]) -> Mask:
    """A mask of one nodule on the grid of the scan as SimpleITK reads it: LPS, from the feet up."""
    image: Any = nibabel.as_closest_canonical(nibabel.load(path))
    mask: Mask = np.asarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0) > 0
    if mask.shape != shape:
        raise RuntimeError(f"{path.name} is {mask.shape}, the scan {shape}")
    return mask


def _lay_out(
    folder: Path, case: str, hu: Hu, spacing: Spacing, limit: Mask | None, background_hu: int | None, truth: Mask
) -> None:
    """Write the crop round a lesion."""
    box = ndi.find_objects(truth.astype(np.uint8))[0]
    room = [int(np.ceil(ROOM_MM / mm)) for mm in spacing]
    part = tuple(
        slice(max(0, side.start - r), min(n, side.stop + r)) for side, r, n in zip(box, room, hu.shape, strict=True)
    )
    values, lesion = np.ascontiguousarray(hu[part]), np.ascontiguousarray(truth[part])
    inside = np.ones(lesion.shape, bool) if limit is None else limit[part]
    background = NORMAL_LUNG_HU if background_hu is None else background_hu
    deepest = np.unravel_index(int(ndi.distance_transform_edt(lesion, sampling=spacing).argmax()), lesion.shape)
    facts = {
        "shape_zyx": lesion.shape,
        "spacing_mm_zyx": spacing,
        "background_hu": background,
        "lesion_hu": int(np.median(values[lesion])),
        "seed": sum(case.encode()) + int(lesion.sum()),
        "check_zyx": [int(n) for n in deepest],
        "check_radius_mm": 15.0,
    }
    (folder / f"{case}.json").write_text(json.dumps(facts))
    (folder / f"{case}.hu").write_bytes(values.astype("<i2").tobytes())
    (folder / f"{case}.limit").write_bytes(inside.astype(np.uint8).tobytes())
    (folder / f"{case}.truth").write_bytes(lesion.astype(np.uint8).tobytes())


def _compare_with_reference(folder: Path, case: str, runs: list[list[int]]) -> None:
    facts = json.loads((folder / f"{case}.json").read_text())
    shape = facts["shape_zyx"]
    hu = np.frombuffer((folder / f"{case}.hu").read_bytes(), "<i2").reshape(shape)
    limit = np.frombuffer((folder / f"{case}.limit").read_bytes(), np.uint8).reshape(shape) > 0
    wanted = np.zeros(shape, np.uint8)
    seed: Any = tuple(facts["check_zyx"])
    grow(
        hu,
        tuple(facts["spacing_mm_zyx"]),
        wanted,
        1,
        seed,
        facts["check_radius_mm"],
        limit_zyx=limit,
        background_hu=facts["background_hu"],
    ).apply(wanted, 1)
    found = np.zeros(wanted.size, np.uint8)
    for start, length in runs:
        found[start : start + length] = 1
    if not np.array_equal(found, wanted.ravel()):
        raise RuntimeError(f"{case}: the brush of the browser takes other voxels than the reference")
