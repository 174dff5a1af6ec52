"""Writes `growing.json`: strokes on crops of the phantom.

The crops are stored in the file, so that tests do not depend on the rounding of the phantom on another CPU."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage as ndi

from tests.vectors.make_codecs import FOLDER, packed
from voxloop.volume.growing import GrowParams, erase, grow, lung_limit, paint
from voxloop.volume.labelmap import ERASED
from voxloop.volume.phantom import PROFILES, make_phantom

THICK = make_phantom(12, "A")
THIN_PROFILE = replace(PROFILES["A"], extent_mm_zyx=(60.0, 350.0, 350.0))
SIZE = (17, 44, 44)


def deepest(mask: np.ndarray) -> tuple[int, int, int]:
    z, y, x = np.unravel_index(int(ndi.distance_transform_edt(mask).argmax()), mask.shape)
    return int(z), int(y), int(x)


class Crop:
    """A crop of a phantom, with its lung limit."""

    def __init__(self, name: str, phantom: Any, centre: Any, size: tuple[int, int, int] = SIZE) -> None:
        limit, self.background = lung_limit(phantom.hu_zyx, phantom.geometry.spacing_mm_zyx, least_ml=100.0)
        low = [min(max(0, p - s // 2), n - s) for p, s, n in zip(centre, size, phantom.hu_zyx.shape, strict=True)]
        part = tuple(slice(a, a + s) for a, s in zip(low, size, strict=True))
        self.hu = np.ascontiguousarray(phantom.hu_zyx[part])
        self.limit = np.ascontiguousarray(limit[part])
        self.truth = phantom.findings_zyx[part]
        self.name = name
        self.spacing = tuple(round(s, 6) for s in phantom.geometry.spacing_mm_zyx)
        self.seed = tuple(p - a for p, a in zip(centre, low, strict=True))

    def to_json(self) -> dict[str, Any]:
        return {
            "shape_zyx": list(self.hu.shape),
            "spacing_mm_zyx": list(self.spacing),
            "background_hu": self.background,
            "hu_gz": packed(self.hu.astype("<i2")),
            "limit_gz": packed(self.limit.astype(np.uint8)),
        }


def grow_case(
    name: str,
    crop: Any,
    *,
    seed: tuple[int, ...] | None = None,
    radius: float = 14.0,
    labels: np.ndarray = None,
    limit: Any = True,
    segment: int = 1,
    overwrite: bool = False,
    **params: Any,
) -> Any:
    labels = np.zeros(crop.hu.shape, np.uint8) if labels is None else labels
    settings = GrowParams(**params)
    inside = crop.limit if limit else None
    z, y, x = crop.seed if seed is None else seed
    grown = grow(
        crop.hu,
        crop.spacing,
        labels,
        segment,
        (z, y, x),
        radius,
        limit_zyx=inside,
        background_hu=crop.background,
        params=settings,
        overwrite=overwrite,
    )
    added = np.zeros(crop.hu.shape, np.uint8)
    added[grown.box] = grown.added
    return {
        "name": name,
        "volume": crop.name,
        "with_limit": limit,
        "labels_gz": packed(labels),
        "segment": segment,
        "overwrite": overwrite,
        "seed_zyx": [z, y, x],
        "radius_mm": radius,
        "params": settings.to_json(),
        "added_gz": packed(added),
        "added": int(added.sum()),
        "refusal": grown.refusal,
        "seed_hu": grown.seed_hu,
        "lower_hu": grown.lower_hu,
    }


def stroke_case(
    name: str,
    tool: str,
    labels: np.ndarray,
    centre: tuple[int, int, int],
    radius: float,
    *,
    segment: int = 1,
    overwrite: bool = False,
    planar: bool = False,
) -> Any:
    spacing = (4.0, 1.8, 1.8)
    after = labels.copy()
    if tool == "erase":
        painted = erase(after, spacing, centre, radius, planar=planar, segment=None if overwrite else segment)
    else:
        painted = paint(after, spacing, segment, centre, radius, planar=planar, overwrite=overwrite)
    return {
        "name": name,
        "tool": tool,
        "shape_zyx": list(labels.shape),
        "spacing_mm_zyx": list(spacing),
        "labels_gz": packed(labels),
        "segment": segment,
        "overwrite": overwrite,
        "planar": planar,
        "centre_zyx": list(centre),
        "radius_mm": radius,
        "after_gz": packed(after),
        "changed": int(painted.changed.sum()),
    }


def cases() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    thick = Crop("thick", THICK, deepest(THICK.findings_zyx == 1))
    thin_phantom = make_phantom(18, THIN_PROFILE, (48, 192, 192))
    thin = Crop("thin", thin_phantom, deepest(thin_phantom.findings_zyx == 1), (25, 44, 44))
    middle = deepest(THICK.findings_zyx == 1)
    corner = Crop("corner", THICK, tuple(p + n // 2 for p, n in zip(middle, (7, 24, 24), strict=True)), (7, 24, 24))
    quiet = tuple(int(v) for v in np.argwhere((thick.hu < thick.background + 5) & thick.limit)[200])
    erased = np.zeros(thick.hu.shape, np.uint8)
    erase(erased, thick.spacing, tuple(s + d for s, d in zip(thick.seed, (0, 4, 3), strict=True)), 5.0)
    mixed = erased.copy()
    mixed[:, :, thick.seed[2] + 2 :][mixed[:, :, thick.seed[2] + 2 :] == 0] = 4
    own = np.zeros(thick.hu.shape, np.uint8)
    paint(own, thick.spacing, 1, thick.seed, 7.0)
    wall = tuple(int(v) for v in np.argwhere((thick.hu > 0) & ~thick.limit)[0])
    volumes = {crop.name: crop.to_json() for crop in (thick, thin, corner)}
    return volumes, [
        grow_case("normal, thick slices", thick),
        grow_case("normal, thin slices smoothed across", thin, radius=11.0),
        grow_case("planar", thick, planar=True),
        grow_case("planar on thin slices", thin, radius=12.0, planar=True),
        grow_case("vessels excluded", thick, radius=20.0, upper_hu=200, tolerance=50),
        grow_case("limit ignored", thick, radius=22.0, use_limit=False),
        grow_case("no limit for this scan", thick, radius=22.0, limit=False),
        grow_case("cursor outside the limit", thick, seed=wall, radius=10.0),
        grow_case("erased voxels stay erased", thick, labels=erased),
        grow_case("another segment is in the way", thick, labels=mixed),
        grow_case("another segment is overwritten", thick, labels=mixed, overwrite=True),
        grow_case("the segment is there already", thick, labels=own),
        grow_case("refused: normal lung", thick, seed=quiet),
        grow_case("refused: everything erased", thick, labels=np.full(thick.hu.shape, ERASED, np.uint8)),
        grow_case("refused: darker than the background", thick, seed=(0, 0, 0), limit=False, min_contrast=-2000),
        grow_case("corner of the volume", corner, seed=(0, 0, 0), radius=12.0),
        grow_case("corner of the volume, planar", corner, seed=(0, 0, 0), radius=12.0, planar=True),
        grow_case("last slice, large radius", thin, seed=(24, *thin.seed[1:]), radius=30.0),
        grow_case("strong leakage control", thick, radius=20.0, open_mm=2.0),
        grow_case("neither opened, closed nor filled", thin, radius=11.0, open_mm=0.0, close_mm=0.0, fill=False),
        grow_case("generous, small radius", thick, radius=3.0, tolerance=15),
        grow_case("as many voxels as the ceiling allows", thick, labels=mixed, ceiling=482),
        grow_case("refused: one voxel over the ceiling", thick, labels=mixed, ceiling=481),
    ]


def strokes() -> list[dict[str, Any]]:
    labels = np.zeros((12, 33, 40), np.uint8)
    labels[3:7, 8:20, 5:18] = 1
    labels[4:10, 10:25, 18:30] = 4
    labels[5, 12:15, 10:25] = ERASED
    return [
        stroke_case("sphere over everything", "sphere", labels, (5, 15, 18), 9.0),
        stroke_case("sphere that overwrites", "sphere", labels, (5, 15, 18), 9.0, overwrite=True),
        stroke_case("circle", "circle", labels, (5, 15, 18), 12.5, planar=True),
        stroke_case("sphere at the edge", "sphere", labels, (11, 32, 0), 8.0, segment=2),
        stroke_case("smallest sphere", "sphere", labels, (0, 0, 0), 0.5),
        stroke_case("erase the segment", "erase", labels, (5, 15, 16), 10.0),
        stroke_case("erase every segment", "erase", labels, (5, 15, 16), 10.0, overwrite=True),
        stroke_case("erase in the slice", "erase", labels, (5, 15, 16), 10.0, overwrite=True, planar=True),
    ]


def main() -> None:
    volumes, grown = cases()
    document = {"volumes": volumes, "cases": grown, "strokes": strokes()}
    (FOLDER / "growing.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
