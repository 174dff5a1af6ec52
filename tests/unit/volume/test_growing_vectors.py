"""The brushes against the vectors that also test the browser."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.vectors.cases import by_name, unpacked
from voxloop.volume.growing import GrowParams, erase, grow, paint

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "growing.json").read_text())


@by_name(VECTORS["cases"])
def test_growing(case: dict[str, Any]) -> None:
    volume = VECTORS["volumes"][case["volume"]]
    shape = volume["shape_zyx"]
    labels = unpacked(case["labels_gz"], shape).copy()
    before = labels.copy()
    grown = grow(
        unpacked(volume["hu_gz"], shape, "<i2"),
        tuple(volume["spacing_mm_zyx"]),
        labels,
        case["segment"],
        tuple(case["seed_zyx"]),
        case["radius_mm"],
        limit_zyx=unpacked(volume["limit_gz"], shape).astype(bool) if case["with_limit"] else None,
        background_hu=volume["background_hu"],
        params=GrowParams.from_json(case["params"]),
        overwrite=case["overwrite"],
    )
    assert np.array_equal(labels, before)
    grown.apply(labels, case["segment"])
    assert np.array_equal(labels != before, unpacked(case["added_gz"], shape) == 1)
    assert int(grown.added.sum()) == case["added"]
    assert (grown.refusal, grown.seed_hu, grown.lower_hu) == (case["refusal"], case["seed_hu"], case["lower_hu"])


@by_name(VECTORS["strokes"])
def test_plain_strokes(case: dict[str, Any]) -> None:
    labels = unpacked(case["labels_gz"], case["shape_zyx"]).copy()
    spacing, centre, radius = tuple(case["spacing_mm_zyx"]), tuple(case["centre_zyx"]), case["radius_mm"]
    if case["tool"] == "erase":
        segment = None if case["overwrite"] else case["segment"]
        painted = erase(labels, spacing, centre, radius, planar=case["planar"], segment=segment)
    else:
        painted = paint(
            labels, spacing, case["segment"], centre, radius, planar=case["planar"], overwrite=case["overwrite"]
        )
    assert np.array_equal(labels, unpacked(case["after_gz"], case["shape_zyx"]))
    assert int(painted.changed.sum()) == case["changed"]
