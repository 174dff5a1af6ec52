"""Writes `agreement.json`: statistics of agreement by the implementations that the field names.

They are no dependencies (two of them are GPL); in an environment of its own, with `tests/vectors` left out of the path:
`pip install krippendorff==0.9.0 pingouin==0.7.0 scikit-learn==1.9.1 SimpleITK==2.5.7 statsmodels==0.15.0
surface-distance==0.1`, then `python tests/vectors/make_agreement.py`."""

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("krippendorff", "numpy", "pingouin", "scikit-learn", "SimpleITK", "statsmodels", "surface-distance")
SPACINGS = ((1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (1.25, 0.82, 0.9))
# Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT = ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))


def blobs(seed: int, shape: tuple[int, int, int] = (12, 24, 24)) -> np.ndarray:
    """Rounded random parts that touch every edge of the grid."""
    noise = np.random.default_rng(seed).normal(size=shape)
    for axis in range(3):
        noise = noise + np.roll(noise, 1, axis) + np.roll(noise, -1, axis)
    return np.asarray(noise > np.quantile(noise, 0.8))


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Masks whose surfaces are compared, by name; made again by the test."""
    cube = np.zeros((40, 40, 40), bool)
    cube[10:30, 10:30, 10:30] = True
    moved = cube.copy()
    moved[10:30, 10:30, 30:34] = True
    one, other = np.zeros((1, 5, 5), bool), np.zeros((1, 5, 5), bool)
    one[0, 2, 2], other[0, 4, 4] = True, True
    noise = np.random.default_rng(5).random((2, 9, 11, 13)) > 0.6
    return {
        "cube_with_one_face_moved": (cube, moved),
        "blobs": (blobs(1), blobs(2)),
        "near_blobs": (blobs(3), blobs(3) ^ (blobs(4) & blobs(5) & blobs(6))),
        "one_voxel_of_one_slice": (one, other),
        "noise": (noise[0], noise[1]),
        "everything": (np.ones((3, 4, 5), bool), np.ones((3, 4, 5), bool)),
    }


def surfaces() -> list[dict[str, Any]]:
    metrics = import_module("surface_distance.metrics")
    found = []
    for name, (first, second) in pairs().items():
        for spacing in SPACINGS:
            of = metrics.compute_surface_distances(first, second, spacing)
            ends = metrics.compute_average_surface_distance(of)
            areas = [float(of[f"surfel_areas_{one}"].sum()) for one in ("gt", "pred")]
            found.append(
                {
                    "pair": name,
                    "spacing_mm_zyx": spacing,
                    "areas_mm2": areas,
                    "dice": {
                        str(mm): float(metrics.compute_surface_dice_at_tolerance(of, mm)) for mm in (0.0, 0.7, 1.0, 2.0)
                    },
                    "hd95_mm": float(metrics.compute_robust_hausdorff(of, 95)),
                    "assd_mm": float(np.dot(ends, areas) / sum(areas)),
                }
            )
    return found


def kappas() -> list[dict[str, Any]]:
    score = import_module("sklearn.metrics").cohen_kappa_score
    rng, found = np.random.default_rng(7), []
    for used, scale in ((2, 2), (3, 3), (4, 5), (5, 5)):
        first = rng.integers(0, used, 40)
        second = np.where(rng.random(40) < 0.6, first, rng.integers(0, used, 40))
        for weights in (None, "linear", "quadratic"):
            value = score(first, second, labels=list(range(scale)), weights=weights)
            found.append(
                {
                    "first": first.tolist(),
                    "second": second.tolist(),
                    "classes": scale,
                    "weights": weights or "none",
                    "kappa": float(value),
                }
            )
    # A class in the middle that nobody used: the scale, not the use, says how far the others lie apart.
    one, other = [0, 0, 1, 3, 3, 1], [0, 1, 1, 3, 1, 3]
    value = score(one, other, labels=[0, 1, 2, 3], weights="quadratic")
    return [
        *found,
        {"first": one, "second": other, "classes": 4, "weights": "quadratic", "kappa": float(value)},
    ]


def many_readers() -> dict[str, Any]:
    rng = np.random.default_rng(11)
    truth = rng.integers(0, 4, 30)
    codes = np.array([np.where(rng.random(30) < 0.7, truth, rng.integers(0, 4, 30)) for _ in range(4)], float)
    counts = np.array([(codes == one).sum(0) for one in range(4)]).T
    fleiss = import_module("statsmodels.stats.inter_rater").fleiss_kappa(counts)
    codes_with_gaps = np.where(rng.random(codes.shape) < 0.3, np.nan, codes)
    alpha = import_module("krippendorff").alpha
    return {
        "counts": counts.tolist(),
        "fleiss": float(fleiss),
        "alpha": [
            {
                "codes": [[None if np.isnan(one) else one for one in row] for row in table.tolist()],
                "level": level,
                "alpha": float(alpha(reliability_data=table, level_of_measurement=level)),
            }
            for table in (codes, codes_with_gaps)
            for level in ("nominal", "ordinal", "interval")
        ],
    }


def iccs() -> list[dict[str, Any]]:
    pandas, pingouin = import_module("pandas"), import_module("pingouin")
    pingouin.options.update({"round": None, "round.column.CI95": None})
    rng, found = np.random.default_rng(13), []
    base = rng.gamma(2, 30, 20)
    tables = [np.array(SHROUT, float), np.stack([base, base * 1.1 + rng.normal(0, 6, 20)], 1)]
    tables += [np.stack([base + shift + rng.normal(0, 9, 20) for shift in (0, 5, -8)], 1)]
    tables += [rng.normal(size=(8, 3))]  # nothing in common
    for table in tables:
        rows = [
            {"scan": scan, "reader": reader, "value": value}
            for scan, line in enumerate(table.tolist())
            for reader, value in enumerate(line)
        ]
        said = pingouin.intraclass_corr(pandas.DataFrame(rows), "scan", "reader", "value").set_index("Type")
        found.append(
            {
                "values": table.tolist(),
                **{
                    name: {
                        "value": float(said.loc[kind, "ICC"]),
                        "interval": [float(end) for end in said.loc[kind, "CI95"]],
                    }
                    for name, kind in (("a1", "ICC(A,1)"), ("c1", "ICC(C,1)"))
                },
            }
        )
    return found


def staples() -> list[dict[str, Any]]:
    sitk = import_module("SimpleITK")
    truth = blobs(21)
    sets = [
        [truth, truth ^ (blobs(22) & blobs(23)), truth ^ (blobs(24) & blobs(25))],
        [truth, truth ^ (blobs(26) & blobs(27))],
        [truth & ~blobs(30 + one) | (blobs(40 + one) & blobs(50 + one)) for one in range(5)],
    ]
    found = []
    for masks in sets:
        filter_ = sitk.STAPLEImageFilter()
        image = filter_.Execute([sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
        voxels = sitk.GetArrayFromImage(image)
        patterns = sum(mask.astype(int) << place for place, mask in enumerate(masks))
        found.append(
            {
                "readers": len(masks),
                "probability": {str(code): float(voxels[patterns == code][0]) for code in np.unique(patterns)},
                "voxels": {str(code): int((patterns == code).sum()) for code in np.unique(patterns)},
                "sensitivity": list(filter_.GetSensitivity()),
                "specificity": list(filter_.GetSpecificity()),
            }
        )
    return found


if __name__ == "__main__":
    document = {
        "by": {name: version(name) for name in NAMES},
        "surfaces": surfaces(),
        "kappas": kappas(),
        "readers": many_readers(),
        "iccs": iccs(),
        "staples": staples(),
    }
    Path(__file__).with_name("agreement.json").write_text(json.dumps(document, indent=1) + "\n")
