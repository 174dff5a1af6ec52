"""The child process that writes one approved mask as a DICOM segmentation, by the exporter of releases.

highdicom is slow to import and takes several copies of the labelmap: not in a web process."""

from __future__ import annotations

import sys
from datetime import datetime

import numpy as np

from annotation.datasets.exporters.dicom_seg import write_segmentation
from annotation.datasets.exporters.dicom_source import Source
from annotation.dicomweb.request import FILE, LABELS, SegmentRequest, SegmentResult
from voxloop.child.inside import ChildFolder, run_inside
from voxloop.volume.geometry import Geometry


def segment(request: SegmentRequest, job: ChildFolder) -> SegmentResult:
    """Write the segmentation into the folder."""
    geometry = Geometry.from_json(
        {name: getattr(request, name) for name in ("shape_zyx", "spacing_mm_zyx", "lps_from_ijk")}
    )
    labels_zyx = np.fromfile(job.path(LABELS), np.uint8).reshape(geometry.shape_zyx)
    write_segmentation(
        job.path(FILE),
        labels_zyx,
        geometry,
        source=Source(
            request.subject,
            request.study_uid,
            request.series_uid,
            request.frame_of_reference_uid,
            request.instance_uids or None,
        ),
        layer=request.layer,
        identity=request.identity,
        created_at=datetime.fromisoformat(request.created_at),
        software=request.software,
        creator=request.creator,
    )
    return SegmentResult(job.path(FILE).stat().st_size)


if __name__ == "__main__":
    sys.exit(run_inside(SegmentRequest, segment))
