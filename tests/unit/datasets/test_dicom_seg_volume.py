"""What highdicom and dcmqi measure in a segmentation is what was drawn, also where slices between were left out."""

from datetime import UTC, datetime
from pathlib import Path

import highdicom
import numpy as np
import pytest

from annotation.datasets.exporters.dicom_seg import write_segmentation
from annotation.datasets.exporters.dicom_source import source_of
from tests.unit.datasets.readers import dcmqi_segments, ml_of, place_on
from tests.unit.datasets.release_case import FINDINGS, oblique
from voxloop.volume.geometry import Geometry

SHAPE = (12, 20, 24)
GRIDS = [Geometry.axial(SHAPE, (1.0, 1.0, 1.0)), oblique(SHAPE)]
SLICES = [[2, 7], [2, 4, 6], [0, 11], [5], list(range(12))]


def written(path: Path, labels_zyx: np.ndarray, geometry: Geometry) -> Path:
    uids = {"study": "1.2.3", "series": "1.2.3.4", "frame_of_reference": "1.2.3.5"}
    write_segmentation(
        path,
        labels_zyx,
        geometry,
        source=source_of("VX-A-0001", "S1", SHAPE[0], uids, [f"1.2.3.4.{k}" for k in range(SHAPE[0])]),
        layer=FINDINGS,
        identity="content",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        software="0.1.0",
        creator="annotator1",
    )
    return path


@pytest.mark.parametrize("geometry", GRIDS)
@pytest.mark.parametrize("slices", SLICES)
def test_a_reader_measures_the_volume_that_was_drawn(tmp_path: Path, slices: list[int], geometry: Geometry) -> None:
    """25 voxels in each slice: 50 mm³ in slices 2 and 7 of a scan of 1 mm, not 250."""
    labels_zyx = np.zeros(SHAPE, np.uint8)
    labels_zyx[slices, 3:8, 4:9] = 1
    drawn_ml = geometry.amount(25 * len(slices))
    path = written(tmp_path / "seg.dcm", labels_zyx, geometry)

    volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    measured = np.count_nonzero(volume.array) * np.prod(volume.spacing) / 1000
    assert measured == pytest.approx(drawn_ml, rel=1e-4)

    read = dcmqi_segments(path, tmp_path / "read")
    assert ml_of(read[1]) == pytest.approx(drawn_ml, rel=1e-4)
    np.testing.assert_array_equal(place_on(geometry, read[1]), labels_zyx)
