"""Writes `differences.json`: what differs between two masks lesion by lesion, by scipy."""

import json
from typing import Any

import numpy as np
from scipy import ndimage as ndi

from tests.vectors.make_codecs import FOLDER, ball, packed
from voxloop.volume.labelmap import ERASED

EVERY_NEIGHBOUR = np.ones((3, 3, 3), bool)


def differences(now: np.ndarray, then: np.ndarray) -> list[dict[str, Any]]:
    """The parts in which the masks differ, with voxels and box (z0 z1 y0 y1 x0 x1), in the order of their boxes."""
    now, then = (np.where(labels == ERASED, 0, labels) for labels in (now, then))
    parts, _ = ndi.label((now > 0) | (then > 0), EVERY_NEIGHBOUR)
    found = []
    for number, box in enumerate(ndi.find_objects(parts), start=1):
        here = parts[box] == number
        has, had = (now[box] > 0) & here, (then[box] > 0) & here
        relabelled = int((has & had & (now[box] != then[box])).sum())
        added, removed = int((has & ~had).sum()), int((had & ~has).sum())
        if added + removed + relabelled:
            kind = "added" if not had.any() else "removed" if not has.any() else "changed"
            box = [edge for part in box for edge in (part.start, part.stop)]
            found.append({"kind": kind, "added": added, "removed": removed, "relabelled": relabelled, "box": box})
    return sorted(found, key=lambda part: part["box"])


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(3)
    shape = (20, 40, 70)
    then = np.zeros(shape, np.uint8)
    then[ball(7, (9, 12, 14), shape)] = 1
    then[ball(4, (12, 30, 50), shape)] = 2
    then[ball(3, (5, 30, 31), shape)] = 1
    now = np.zeros(shape, np.uint8)
    now[ball(8, (9, 12, 14), shape)] = 1
    now[9, 10:14, 8:12] = ERASED
    now[ball(4, (12, 30, 50), shape)] = 3
    now[ball(3, (15, 8, 60), shape)] = 1
    sparse = [rng.choice(np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 255], np.uint8), (9, 34, 37)) for _ in range(2)]
    return {
        "grown, relabelled, removed, added": (now, then),
        "nothing before": (now, np.zeros(shape, np.uint8)),
        "nothing left": (np.zeros(shape, np.uint8), then),
        "the same": (then, then),
        "noise over chunk borders": (sparse[0], sparse[1]),
    }


def document() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "shape_zyx": list(now.shape),
            "now_gz": packed(now),
            "then_gz": packed(then),
            "differences": differences(now, then),
        }
        for name, (now, then) in pairs().items()
    ]


if __name__ == "__main__":
    (FOLDER / "differences.json").write_text(json.dumps(document()) + "\n")
