"""Structure sets as masks: what the exporter writes is read back equal, and what lies beside a slice is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.measure import grid_points_in_poly

from annotation.masks.foreign.read import read_foreign
from annotation.masks.foreign.rtstruct import fill
from tests.unit.datasets.release_case import oblique
from tests.unit.datasets.test_rtstruct import SHAPE, VALUES, drawn, edges, holes, noise, written
from voxloop.kernel.errors import Refusal
from voxloop.volume.geometry import Geometry

AXIAL = Geometry.axial(SHAPE, (5.0, 0.7, 0.6), (-10.5, 3.25, -700.0))
FILE = "rtstruct/VX-A-0001.dcm"


@pytest.mark.parametrize("geometry", [oblique(SHAPE), AXIAL], ids=["oblique", "axial"])
@pytest.mark.parametrize("make", [drawn, holes, edges, noise])
def test_what_was_written_is_read_equal(tmp_path: Path, make: Any, geometry: Geometry) -> None:
    labels = make()
    written(tmp_path, labels, geometry)
    found = read_foreign(tmp_path / FILE, geometry, tmp_path)
    assert (found.format, found.software, len(found.layers)) == ("rtstruct", "Voxloop", 1)
    values = np.array([0, *(VALUES[label.name] for label in found.labels)])
    np.testing.assert_array_equal(values[found.layers[0]], labels)


def test_slanting_outlines_are_filled_as_scikit_image_fills_them() -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        angles = np.sort(random.uniform(0, 2 * np.pi, 9))
        reach = random.uniform(4, 14, 9)
        polygon = np.c_[15.3 + reach * np.cos(angles), 14.6 + reach * np.sin(angles)]
        expected = grid_points_in_poly((30, 31), polygon[:, ::-1])  # type: ignore[no-untyped-call]
        np.testing.assert_array_equal(fill(polygon, (30, 31)), expected)


def refused(path: Path, geometry: Geometry) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_foreign(path, geometry, path.parent)
    return caught.value


def test_a_contour_between_slices_is_refused_with_both_places(tmp_path: Path) -> None:
    written(tmp_path, holes(), AXIAL)
    beside = Geometry.axial(SHAPE, (5.0, 0.7, 0.6), (-10.5, 3.25, -697.5))
    told = refused(tmp_path / FILE, beside)
    assert told.code == "other_grid"
    assert "-680.0000" in told.detail
    assert "-697.5000" in told.detail


def test_points_enclose_nothing_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    document = written(tmp_path, holes(), AXIAL)
    document.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "POINT"
    document.save_as(tmp_path / "points.dcm")
    assert refused(tmp_path / "points.dcm", AXIAL).code == "open_contour"
    del document.StructureSetROISequence
    document.save_as(tmp_path / "broken.dcm")
    assert refused(tmp_path / "broken.dcm", AXIAL).code == "bad_file"
