"""Writes `seeing.json`: slabs, oblique planes and region figures by numpy and scipy; the same bytes on every run."""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

SHAPE = (9, 12, 14)
SPACING_ZYX = (2.5, 0.8, 0.7)
PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}
PROJECTIONS: dict[str, Callable[..., Any]] = {"mip": np.max, "minip": np.min, "average": np.mean}


def packed(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(gzip.compress(np.ascontiguousarray(array).tobytes(), 9, mtime=0)).decode()


def make_slabs(hu: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Projections of a few slices; means are rounded as JavaScript rounds (half up)."""
    found = []
    for plane, axis in PLANES.items():
        for first, end in ((2, 5), (0, 1), (4, SHAPE[axis])):
            part = hu.take(range(first, end), axis=axis)
            for kind, function in PROJECTIONS.items():
                values = np.floor(function(part.astype(np.float64), axis=axis) + 0.5).astype(np.int16)
                found.append({"plane": plane, "from": first, "to": end, "kind": kind, "hu_gz": packed(values)})
    return found


def make_obliques(hu: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Trilinear oblique planes; -1000 outside. Vectors are mm along i, j, k; positions continuous ijk, voxel centres at
    +0.5."""
    found = []
    spacing = np.array(SPACING_ZYX[::-1])
    for seed, angles in enumerate(((20, 0, 0), (10, 25, -30), (0, 90, 45))):
        right, down, normal = Rotation.from_euler("xyz", angles, degrees=True).as_matrix().T
        centre = np.array([6.3, 5.1, 4.6]) + 0.2 * seed
        width, height, mm, a0, b0 = 24, 20, 0.6, -7.1, -6.3
        a = a0 + (np.arange(width) + 0.5) * mm
        b = b0 + (np.arange(height) + 0.5) * mm
        positions = centre + (a[None, :, None] * right + b[:, None, None] * down) / spacing
        inside = np.all((positions >= 0) & (positions < np.array(SHAPE[::-1])), axis=-1)
        zyx = np.moveaxis(positions[..., ::-1], -1, 0)
        values = map_coordinates(hu.astype(np.float64), zyx - 0.5, order=1, mode="nearest")
        nearest = labels[tuple(np.clip(np.floor(zyx).astype(int), 0, np.array(SHAPE)[:, None, None] - 1))]
        found.append(
            {
                "frame": {"right": right.tolist(), "down": down.tolist(), "normal": normal.tolist()},
                "centre": centre.tolist(),
                "raster": {"a0": a0, "b0": b0, "mm": mm, "width": width, "height": height},
                "values": np.where(inside, values, -1000).round(4).ravel().tolist(),
                "labels_gz": packed(np.where(inside, nearest, 0).astype(np.uint8)),
            }
        )
    return found


def make_regions(hu: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """Voxels whose middle lies inside an ellipse or rectangle of a slice."""
    found = []
    for plane, axis in PLANES.items():
        for kind in ("ellipse", "rectangle"):
            for box in ((2.2, 1.1, 9.7, 7.4), (8.0, 6.0, 3.5, 2.5), (-3.0, -2.0, 4.0, 40.0), (4.1, 4.1, 4.2, 4.2)):
                part = hu.take(3, axis=axis)
                v, u = np.ogrid[: part.shape[0], : part.shape[1]]
                u0, u1 = sorted((box[0], box[2]))
                v0, v1 = sorted((box[1], box[3]))
                inside = (u + 0.5 >= u0) & (u + 0.5 <= u1) & (v + 0.5 >= v0) & (v + 0.5 <= v1)
                if kind == "ellipse":
                    away = ((u + 0.5 - (u0 + u1) / 2) / ((u1 - u0) / 2)) ** 2 + (
                        (v + 0.5 - (v0 + v1) / 2) / ((v1 - v0) / 2)
                    ) ** 2
                    inside &= away <= 1
                values = part[inside].astype(np.float64)
                facts = [values.mean(), values.std(), values.min(), values.max()] if values.size else [None] * 4
                found.append(
                    {"plane": plane, "index": 3, "kind": kind, "box": box, "voxels": int(values.size), "facts": facts}
                )
    return found


def main() -> None:
    rng = np.random.default_rng(7)
    hu = rng.integers(-1024, 3072, SHAPE).astype(np.int16)
    labels = rng.integers(0, 3, SHAPE).astype(np.uint8)
    content = {
        "shape_zyx": SHAPE,
        "spacing_mm_zyx": SPACING_ZYX,
        "hu_gz": packed(hu),
        "labels_gz": packed(labels),
        "slabs": make_slabs(hu),
        "obliques": make_obliques(hu, labels),
        "regions": make_regions(hu),
    }
    Path(__file__).with_name("seeing.json").write_text(json.dumps(content, indent=None) + "\n")


if __name__ == "__main__":
    main()
