"""A small release made of plain arrays: three sites, an oblique grid, an empty mask, erased voxels, two layers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotation.datasets.exporters.folder import write_release
from annotation.datasets.exporters.listing import ScanVoxels
from annotation.datasets.verify import content_hash
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED

FINDINGS: dict[str, Any] = {
    "name": "findings",
    "title": "Findings",
    "editable": True,
    "segments": [
        {
            "id": 1,
            "key": "opacity",
            "name": "Opacity",
            "colour": "#e8ac00",
            "code": {"scheme": "SCT", "value": "233604007", "meaning": "Pneumonia"},
        },
        {"id": 2, "key": "cavity", "name": "Cavity", "colour": "#d93f02"},
        {"id": 7, "key": "nodule", "name": "Nodule", "colour": "#ae4bb3"},
    ],
}
ANATOMY: dict[str, Any] = {
    "name": "anatomy",
    "title": "Anatomy",
    "editable": True,
    "segments": [{"id": 10, "key": "lungs", "name": "Lungs", "colour": "#b6b9bd"}],
}


QUANTITIES: dict[str, Any] = {  # as kept with an approval
    "layer": "findings",
    "software": "0.1.0",
    "unit": "mL",
    "lungs_from": "lobes",
    "lungs": 4000.0,
    "opacity": 200.0,
    "percent": 5.0,
    "weight_g": 150.0,
    "mean_hu": -250.0,
    "lesions": 3,
    "diameter_mm": 40.0,
    "score": 2,
    "severity": "mild",
    "parts": [
        {"key": "right", "lung": 2200.0, "opacity": 200.0, "percent": 9.09, "grade": None},
        {"key": "right_upper_lobe", "lung": 900.0, "opacity": 100.0, "percent": 11.1, "grade": 2},
    ],
}


def oblique(shape_zyx: tuple[int, int, int]) -> Geometry:
    """A grid turned by 20° about z, its slices from head to feet, with numbers that float32 cannot hold."""
    turn = np.deg2rad(20)
    axes = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, -1]])
    affine = np.eye(4)
    affine[:3, :3] = axes * [0.703125, 0.8, 2.5]
    affine[:3, 3] = [-166.123456, -171.7, -207.5]
    return Geometry.from_lps_affine(shape_zyx, affine)


def scan_voxels(seed: int, shape_zyx: tuple[int, int, int], *, empty: bool = False) -> ScanVoxels:
    """HU noise, and masks with every segment and a few erased voxels (or none of both)."""
    rng = np.random.default_rng(seed)
    hu = rng.integers(-1024, 3071, shape_zyx).astype(np.int16)
    findings, anatomy = np.zeros(shape_zyx, np.uint8), np.zeros(shape_zyx, np.uint8)
    if not empty:
        anatomy[2:-2, 4:-4, 4:-4] = 10
        findings[3:7, 10:20, 30:36] = 1
        findings[5:9, 20:30, 3:9] = 7
        findings[6, 5:9, 5:9] = ERASED
    return ScanVoxels(hu, {"findings": findings, "anatomy": anatomy})


def frozen_release(voxels: Mapping[str, ScanVoxels], layers: list[str]) -> dict[str, Any]:
    """The frozen list of these scans; the site is in the middle of the code."""
    sides = {"A": "train", "B": "validation", "C": "test"}
    scans = []
    for code, scan in voxels.items():
        geometry = oblique(scan.hu_zyx.shape)
        claims = {}
        for layer in layers:
            labels = scan.labels_zyx[layer]
            counts = {str(v): int((labels == v).sum()) for v in np.unique(labels) if 0 < v < ERASED}
            claims[layer] = {
                "revision": None,
                "content_hash": content_hash(labels),
                "voxel_counts": counts,
                "is_empty": not counts,
                "start": {"kind": "blank", "model": "", "revision": None},
            }
        site = code.split("-")[1]
        scans.append(
            {
                "id": f"id-{code}",
                "code": code,
                "site": site,
                "split": sides[site],
                "subject": f"S-{code}",
                "modality": "CT",
                **geometry.to_json(),
                "uids": {},
                "author": "annotator1",
                "reviewer": "reviewer1",
                "round": 1,
                "verdict": "approved",
                "answers": {"confirmed_empty": True},
                "quantities": QUANTITIES if code.endswith("1") else {},
                "layers": claims,
            }
        )
    return {
        "release": {
            "id": "0190",
            "name": "r1",
            "notes": "",
            "licence": "CC BY 4.0",
            "frozen_at": "2026-01-02T03:04:05+00:00",
        },
        "campaign": {"name": "Chest CT", "slug": "chest-ct"},
        "schema": {"name": "Chest CT", "version": 1, "definition": {"layers": [FINDINGS, ANATOMY], "questions": []}},
        "layers": layers,
        "software": "0.1.0",
        "scans": scans,
    }


def small_release(folder: Path) -> dict[str, Any]:
    """Write a release of four scans into an empty folder; returns its frozen list."""
    return chosen_release(folder, [])[0]


def chosen_release(folder: Path, formats: Sequence[str]) -> tuple[dict[str, Any], dict[str, ScanVoxels]]:
    """Write it with these formats besides NIfTI and DICOM SEG; returns its frozen list and the voxels by code."""
    shape = (12, 44, 40)
    voxels = {
        "VX-A-0001": scan_voxels(1, shape),
        "VX-A-0002": scan_voxels(2, shape, empty=True),
        "VX-B-0001": scan_voxels(3, shape),
        "VX-C-0001": scan_voxels(4, (33, 44, 40)),
    }
    frozen = frozen_release(voxels, ["findings", "anatomy"])
    write_release(folder, frozen, lambda scan: voxels[scan["code"]], lambda percent, sentence: None, formats)
    return frozen, voxels
