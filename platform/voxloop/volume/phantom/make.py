"""`make_phantom`: one subject on one scanner, with ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxloop.volume.geometry import Geometry
from voxloop.volume.phantom.body import Subject, draw_anatomy
from voxloop.volume.phantom.findings import draw_findings
from voxloop.volume.phantom.grid import Grid
from voxloop.volume.phantom.scanner import PROFILES, ScannerProfile, scan_body
from voxloop.volume.phantom.trees import draw_trees

NORMAL_SHARE = 0.30
# Golden-ratio steps spread subjects without findings evenly over consecutive seeds.
GOLDEN_STEP, START = 0.6180339887498949, 0.2

LOBES = ("right upper", "right middle", "right lower", "left upper", "left lower")


@dataclass(frozen=True)
class Phantom:
    """A scan and its ground truth: `findings_zyx` 0-6 in the order of the label schema, `lungs_zyx` 1 right 2 left,
    `lobes_zyx` 1-5 as `LOBES`."""

    hu_zyx: npt.NDArray[np.int16]
    geometry: Geometry
    findings_zyx: npt.NDArray[np.uint8]
    lungs_zyx: npt.NDArray[np.uint8]
    lobes_zyx: npt.NDArray[np.uint8]
    profile: ScannerProfile
    with_contrast: bool


def make_phantom(
    seed: int, profile: ScannerProfile | str = "A", shape_zyx: tuple[int, int, int] = (64, 192, 192)
) -> Phantom:
    """The chest CT of subject `seed` on a scanner; the same arguments give the same voxels."""
    scanner = PROFILES[profile] if isinstance(profile, str) else profile
    sz, sy, sx = (e / n for e, n in zip(scanner.extent_mm_zyx, shape_zyx, strict=True))
    grid = Grid(shape_zyx, (sz, sy, sx))
    # One random stream each, so that a change in one part leaves the others unchanged.
    body, trees, findings, noise = (np.random.default_rng([seed, part]) for part in range(4))
    subject = Subject.draw(body)
    anatomy = draw_anatomy(grid, subject, body)
    anatomy.hu += anatomy.fissure * np.float32(95)
    draw_trees(grid, anatomy, 40 + subject.contrast_hu, trees)
    is_normal = (seed * GOLDEN_STEP + START) % 1 < NORMAL_SHARE
    findings_zyx = np.zeros(shape_zyx, np.uint8) if is_normal else draw_findings(grid, anatomy, findings)
    hu_zyx = scan_body(anatomy.hu, grid, scanner, noise)
    origin = (float(grid.x.min()), float(grid.y.min()), float(grid.z.min()))
    return Phantom(
        hu_zyx,
        Geometry.axial(shape_zyx, grid.spacing, origin),
        findings_zyx,
        anatomy.lungs,
        anatomy.lobes,
        scanner,
        subject.contrast_hu > 0,
    )
