"""RT structure sets (PS3.3 A.19) by pydicom: each segment as closed contours along the edges of its voxels.

A hole is a contour inside another, as programs of radiotherapy read it: a point is inside where it is in an odd number
of contours. So every voxel whose centre is inside is a voxel of the mask, and no other. rt-utils, the library for these
files, has had no release since January 2023, and its contours run through the centres of the voxels at the edge."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ImplicitVRLittleEndian, RTStructureSetStorage

from annotation.datasets.exporters.dicom_source import Source, source_of_scan
from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels
from annotation.datasets.exporters.manifest import folder_of, layer_of
from voxloop.kernel.uids import exported_uid
from voxloop.volume.geometry import Geometry

ROLE = "rtstruct"
STUDY_COMPONENT = "1.2.840.10008.3.1.2.3.1"  # PS3.6: the class by which a structure set refers to a study
Corner = tuple[int, int]


class Writer:
    """One structure set for every layer of every CT."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """Every segment of the schema is a structure; one that is not drawn has no contour."""
        if scan["modality"] != "CT":
            return
        source, geometry = source_of_scan(scan, voxels.instance_uids), Geometry.from_json(scan)
        for name, labels_zyx in clean_zyx.items():
            identity = f"{self.frozen['release']['id']} {scan['layers'][name]['content_hash']}"
            document = _begin(source, name, identity, datetime.fromisoformat(self.frozen["release"]["frozen_at"]))
            document.OperatorsName = f"{scan['author']}^"
            document.SoftwareVersions = self.frozen["software"]
            _refer(document, source)
            ordered = sorted(layer_of(self.frozen, name)["segments"], key=lambda segment: int(segment["id"]))
            for number, segment in enumerate(ordered, start=1):
                _add_structure(document, number, segment, source)
                contours = _contours(labels_zyx == int(segment["id"]), geometry, source)
                if contours:
                    document.ROIContourSequence[-1].ContourSequence = contours
            path = self.listing.place(folder_of("rtstruct", name, self.frozen), f"{scan['code']}.dcm")
            document.save_as(path, enforce_file_format=True)
            self.listing.add(path, ROLE, scan["code"], name)

    def finish(self, told: Sequence[Any]) -> None:
        """Nothing is about all scans."""


def trace(mask_yx: "np.ndarray[Any, np.dtype[np.bool_]]") -> list[list[Corner]]:
    """The outlines of a mask as closed polygons of voxel corners `(x, y)`, where voxel `(i, j)` has the corners
    `(i, j)` to `(i + 1, j + 1)`. Corners on a straight line are left out."""
    padded = np.pad(mask_yx, 1)
    edges: dict[Corner, list[Corner]] = defaultdict(list)
    # From a voxel inside over its upper, lower, left and right edge to one outside; the inside is on the right hand.
    for shift, begin, end in (
        ((-1, 0), (0, 0), (1, 0)),
        ((1, 0), (1, 1), (0, 1)),
        ((0, -1), (0, 1), (0, 0)),
        ((0, 1), (1, 0), (1, 1)),
    ):
        outside = ~np.roll(padded, (-shift[0], -shift[1]), (0, 1))[1:-1, 1:-1]
        for y, x in np.argwhere(mask_yx & outside).tolist():
            edges[x + begin[0], y + begin[1]].append((x + end[0], y + end[1]))
    polygons = []
    for start in sorted(edges):
        while edges[start]:
            polygon, here = [start], edges[start].pop()
            while here != start:
                polygon.append(here)
                here = edges[here].pop()
            polygons.append(_without_straight(polygon))
    return polygons


def _without_straight(polygon: list[Corner]) -> list[Corner]:
    """Only the corners where the outline turns."""
    turns = zip(polygon[-1:] + polygon[:-1], polygon, polygon[1:] + polygon[:1], strict=True)
    return [
        here
        for before, here, after in turns
        if not before[0] == here[0] == after[0] and not before[1] == here[1] == after[1]
    ]


def _contours(mask_zyx: "np.ndarray[Any, np.dtype[np.bool_]]", geometry: Geometry, source: Source) -> list[Dataset]:
    found, affine = [], geometry.affine()
    for k in np.flatnonzero(mask_zyx.any(axis=(1, 2))).tolist():
        for polygon in trace(mask_zyx[k]):
            contour = Dataset()
            if source.instance_uids is not None:
                contour.ContourImageSequence = [_image(source.instance_uids[k])]
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(polygon)
            contour.ContourData = _points(polygon, k, affine)
            found.append(contour)
    return found


def _points(polygon: list[Corner], k: int, affine: np.ndarray[Any, np.dtype[np.float64]]) -> list[str]:
    """x, y and z of each corner in mm, to four decimals: less than 1e-4 mm beside it."""
    corners = np.array(polygon, np.float64) - 0.5
    ijk = np.c_[corners, np.full(len(corners), k), np.ones(len(corners))]
    return [f"{value + 0.0:.4f}" for value in np.round(ijk @ affine[:3].T, 4).flat]


def _begin(source: Source, layer: str, identity: str, at: datetime) -> Dataset:
    document = Dataset()
    document.file_meta = FileMetaDataset()
    # An explicit one holds at most 64 kB of points, which a large outline exceeds.
    document.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    document.SOPClassUID = RTStructureSetStorage
    document.SOPInstanceUID = exported_uid("rtstruct", source.series_uid, layer, identity)
    document.StudyInstanceUID = source.study_uid
    document.SeriesInstanceUID = exported_uid("rtstruct series", source.series_uid, layer, identity)
    document.FrameOfReferenceUID = source.frame_of_reference_uid
    document.PositionReferenceIndicator = ""
    document.PatientID, document.PatientName = source.subject, f"{source.subject}^"
    for empty in (
        "PatientBirthDate",
        "PatientSex",
        "StudyDate",
        "StudyTime",
        "StudyID",
        "AccessionNumber",
        "ReferringPhysicianName",
    ):
        setattr(document, empty, "")
    document.Modality = "RTSTRUCT"
    document.Manufacturer = document.ManufacturerModelName = "Voxloop"
    document.SeriesNumber, document.InstanceNumber = 102, 1
    document.StructureSetLabel = layer[:16]
    document.StructureSetDate, document.StructureSetTime = at.strftime("%Y%m%d"), at.strftime("%H%M%S")
    document.ApprovalStatus = "UNAPPROVED"  # for treatment; that it was reviewed is in the manifest
    document.StructureSetROISequence, document.ROIContourSequence = [], []
    document.RTROIObservationsSequence = []
    return document


def _refer(document: Dataset, source: Source) -> None:
    """The frame of reference, and the images where the scan came with their UIDs."""
    frame = Dataset()
    frame.FrameOfReferenceUID = source.frame_of_reference_uid
    if source.instance_uids is not None:
        series = Dataset()
        series.SeriesInstanceUID = source.series_uid
        series.ContourImageSequence = [_image(uid) for uid in source.instance_uids]
        study = Dataset()
        study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = STUDY_COMPONENT, source.study_uid
        study.RTReferencedSeriesSequence = [series]
        frame.RTReferencedStudySequence = [study]
    document.ReferencedFrameOfReferenceSequence = [frame]


def _image(instance_uid: str) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = CTImageStorage, instance_uid
    return image


def _add_structure(document: Dataset, number: int, segment: Mapping[str, Any], source: Source) -> None:
    structure, outline, observed = Dataset(), Dataset(), Dataset()
    structure.ROINumber = outline.ReferencedROINumber = number
    structure.ReferencedFrameOfReferenceUID = source.frame_of_reference_uid
    structure.ROIName = str(segment["key"])[:64]
    structure.ROIGenerationAlgorithm = "MANUAL"
    colour = str(segment["colour"]).lstrip("#")
    outline.ROIDisplayColor = [int(colour[n : n + 2], 16) for n in (0, 2, 4)]
    observed.ObservationNumber = observed.ReferencedROINumber = number
    observed.RTROIInterpretedType = observed.ROIInterpreter = ""
    document.StructureSetROISequence.append(structure)
    document.ROIContourSequence.append(outline)
    document.RTROIObservationsSequence.append(observed)
