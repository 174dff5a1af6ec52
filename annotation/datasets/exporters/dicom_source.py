"""The DICOM identity of a scan and the headers of its slices: what every DICOM object made of a scan shares.

Without highdicom, so that a web process may import it. References are made from the UIDs that intake stored; missing
ones are derived, by one function, so that all exports and DICOMweb tell the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from voxloop.kernel.uids import exported_uid
from voxloop.volume.geometry import Geometry

SERIES_NUMBER = 100  # of segmentations


@dataclass(frozen=True)
class Source:
    """The DICOM identity of a scan: what a segmentation of it refers to.

    `instance_uids` are the SOP Instance UIDs of the slices, in the order of `k`; None where they are not known.
    """

    subject: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    instance_uids: Sequence[str] | None = None

    def slice_uids(self, slices: int) -> list[str]:
        """The SOP Instance UID of every slice, known or derived."""
        known = self.instance_uids or [exported_uid("slice", self.series_uid, str(k)) for k in range(slices)]
        return list(known)


def source_of(
    code: str, subject: str, slices: int, uids: Mapping[str, str], instance_uids: Sequence[str] | None = None
) -> Source:
    """The DICOM identity of a scan from its stored UIDs (`study`, `series`, `frame_of_reference`).

    Missing ones are derived from the scan's code; instances count only when there is one for every slice.
    """
    is_known = instance_uids is not None and len(set(instance_uids)) == slices and bool(uids.get("series"))
    return Source(
        subject=subject,
        study_uid=uids.get("study") or exported_uid("study", code),
        series_uid=uids.get("series") or exported_uid("series", code),
        frame_of_reference_uid=uids.get("frame_of_reference") or exported_uid("frame of reference", code),
        instance_uids=instance_uids if is_known else None,
    )


def source_of_scan(scan: Mapping[str, Any], instance_uids: Sequence[str] | None) -> Source:
    """The DICOM identity of a scan of a frozen list."""
    return source_of(scan["code"], scan["subject"] or scan["code"], scan["shape_zyx"][0], scan["uids"], instance_uids)


def segmentation_uids(source: Source, layer: str, identity: str) -> tuple[str, str]:
    """The UIDs of a segmentation's series and instance; `identity` tells the content and its origin."""
    return (
        exported_uid("seg series", source.series_uid, layer, identity),
        exported_uid("seg", source.series_uid, layer, identity),
    )


def slice_headers(geometry: Geometry, source: Source) -> list[Dataset]:
    """One data set per slice, in the order of `k`, with what highdicom copies from its source: all but the pixels."""
    affine = geometry.affine()
    row, column = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in (0, 1))
    slices, rows, columns = geometry.shape_zyx
    thickness, row_spacing, column_spacing = geometry.spacing_mm_zyx
    images = []
    uids = source.slice_uids(slices)
    for k in range(slices):
        image = Dataset()
        image.SOPClassUID = CTImageStorage
        image.SOPInstanceUID = uids[k]
        image.StudyInstanceUID = source.study_uid
        image.SeriesInstanceUID = source.series_uid
        image.FrameOfReferenceUID = source.frame_of_reference_uid
        image.PositionReferenceIndicator = ""
        image.PatientID = source.subject
        image.PatientName = f"{source.subject}^"
        for empty in (
            "PatientBirthDate",
            "PatientSex",
            "StudyDate",
            "StudyTime",
            "AccessionNumber",
            "StudyID",
            "ReferringPhysicianName",
        ):
            setattr(image, empty, "")
        image.Modality = "CT"
        image.InstanceNumber = k + 1
        image.Rows, image.Columns = rows, columns
        image.PixelSpacing = [decimal_string(row_spacing), decimal_string(column_spacing)]
        image.SliceThickness = decimal_string(thickness)
        if slices > 1:
            # Otherwise highdicom measures between the frames of the mask: one frame gives 1 mm, two with a gap give the
            # gap, and readers that build a volume from it scale the lesion.
            image.SpacingBetweenSlices = decimal_string(thickness)
        image.ImageOrientationPatient = [decimal_string(value) for value in (*row, *column)]
        image.ImagePositionPatient = [decimal_string(value) for value in geometry.lps_of((0, 0, k))]
        images.append(image)
    return images


def decimal_string(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2), without an exponent, which some viewers cut off."""
    for digits in range(15, -1, -1):
        text = f"{value:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if digits else text
        if len(text) <= 16:
            return "0" if text == "-0" else text
    raise ValueError(f"{value} does not fit a decimal string")
