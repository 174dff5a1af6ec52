"""DICOM Segmentation objects (PS3.3 A.51) by highdicom, one per scan and layer.

BINARY in every export; LABELMAP (Supplement 243), which many viewers and validators do not know yet, where it was asked
for. Empty frames are left out, so the file stays small.

The original DICOM files are not stored, only the volume pack; references are made from the UIDs that intake stored. A
scan without UIDs per slice (from NIfTI) gets no references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, RLELossless

from annotation.datasets.exporters.listing import Frozen, Labels, ScanVoxels
from annotation.datasets.exporters.manifest import layer_of
from voxloop.kernel.uids import uid_of_digest
from voxloop.volume.geometry import Geometry

FINDING = Code("49755003", "SCT", "Morphologically Abnormal Structure")
ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
PRIVATE_SCHEME = "99VOXLOOP"


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


def derived_uid(*parts: str) -> str:
    """A UID derived from names (PS3.5 B.2), so that exports are reproducible."""
    return uid_of_digest(sha256("\x1f".join(parts).encode()).digest(), version=4)


def source_of(
    code: str, subject: str, slices: int, uids: Mapping[str, str], instance_uids: Sequence[str] | None = None
) -> Source:
    """The DICOM identity of a scan from its stored UIDs (`study`, `series`, `frame_of_reference`).

    Missing ones are derived from the scan's code; instances count only when there is one for every slice.
    """
    is_known = instance_uids is not None and len(set(instance_uids)) == slices and bool(uids.get("series"))
    return Source(
        subject=subject,
        study_uid=uids.get("study") or derived_uid("study", code),
        series_uid=uids.get("series") or derived_uid("series", code),
        frame_of_reference_uid=uids.get("frame_of_reference") or derived_uid("frame of reference", code),
        instance_uids=instance_uids if is_known else None,
    )


def source_of_scan(scan: Mapping[str, Any], instance_uids: Sequence[str] | None) -> Source:
    """The DICOM identity of a scan of a frozen list."""
    return source_of(scan["code"], scan["subject"] or scan["code"], scan["shape_zyx"][0], scan["uids"], instance_uids)


def write_layer(
    path: Path,
    labels_zyx: Labels,
    frozen: Frozen,
    scan: Mapping[str, Any],
    layer: str,
    voxels: ScanVoxels,
    kind: SegmentationTypeValues = SegmentationTypeValues.BINARY,
) -> None:
    """One layer of a scan of a frozen list, its erased voxels stripped. The files of the two kinds differ in their
    UIDs."""
    mark = "" if kind is SegmentationTypeValues.BINARY else f" {kind.value}"
    write_segmentation(
        path,
        labels_zyx,
        Geometry.from_json(scan),
        source=source_of_scan(scan, voxels.instance_uids),
        layer=layer_of(frozen, layer),
        identity=f"{frozen['release']['id']} {scan['layers'][layer]['content_hash']}{mark}",
        created_at=datetime.fromisoformat(frozen["release"]["frozen_at"]),
        software=frozen["software"],
        creator=scan["author"],
        kind=kind,
    )


def write_segmentation(
    path: Path,
    labels_zyx: Labels,
    geometry: Geometry,
    *,
    source: Source,
    layer: Mapping[str, Any],
    identity: str,
    created_at: datetime,
    software: str,
    creator: str = "",
    kind: SegmentationTypeValues = SegmentationTypeValues.BINARY,
) -> None:
    """Write a labelmap (uint8, erased voxels stripped) as a segmentation, BINARY or LABELMAP (run-length encoded).

    Segments are numbered 1…n in the order of the layer's ids (DICOM requires no gaps); undrawn ones are described too.
    A confirmed empty mask becomes one slice of zeros per segment. UIDs and dates derive from `identity` (the hash of
    the content) and `created_at`, so equal input gives equal bytes."""
    segments = sorted(layer["segments"], key=lambda segment: int(segment["id"]))
    numbers = np.zeros(256, np.uint8)
    numbers[[int(segment["id"]) for segment in segments]] = np.arange(1, len(segments) + 1)
    images = slice_headers(geometry, source)
    frames = numbers[labels_zyx]
    filled = np.flatnonzero(frames.any(axis=(1, 2)))
    # Slices without a label are omitted; an empty mask keeps its middle slice, because one frame is required.
    kept = filled if filled.size else np.array([len(images) // 2])
    described = [_describe(number, segment, layer, source) for number, segment in enumerate(segments, start=1)]
    document = Segmentation(
        source_images=[images[k] for k in kept],
        pixel_array=frames[kept],
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=UID(derived_uid("seg series", source.series_uid, layer["name"], identity)),
        series_number=100,
        sop_instance_uid=UID(derived_uid("seg", source.series_uid, layer["name"], identity)),
        instance_number=1,
        manufacturer="Voxloop",
        manufacturer_model_name="Voxloop",
        software_versions=software,
        device_serial_number="1",
        content_label=_code_string(layer["name"]),
        content_description=str(layer.get("title", layer["name"]))[:64],
        content_creator_name=f"{creator}^" if creator else None,
        series_description=f"Segmentation: {layer.get('title', layer['name'])}"[:64],
        omit_empty_frames=bool(filled.size),
        transfer_syntax_uid=ExplicitVRLittleEndian if kind is SegmentationTypeValues.BINARY else RLELossless,
    )
    make_repeatable(document, created_at)
    if source.instance_uids is None:
        _drop_references(document)
    document.save_as(path)


def slice_headers(geometry: Geometry, source: Source) -> list[Dataset]:
    """One data set per slice, in the order of `k`, with what highdicom copies from its source: all but the pixels."""
    affine = geometry.affine()
    row, column = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in (0, 1))
    slices, rows, columns = geometry.shape_zyx
    thickness, row_spacing, column_spacing = geometry.spacing_mm_zyx
    images = []
    for k in range(slices):
        image = Dataset()
        image.SOPClassUID = CTImageStorage
        image.SOPInstanceUID = (
            source.instance_uids[k] if source.instance_uids else derived_uid("slice", source.series_uid, str(k))
        )
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


def _describe(number: int, segment: Mapping[str, Any], layer: Mapping[str, Any], source: Source) -> SegmentDescription:
    category, kind = describe_code(segment, layer)
    return SegmentDescription(
        segment_number=number,
        segment_label=str(segment["name"])[:64],
        segmented_property_category=category,
        segmented_property_type=kind,
        # A reader drew or approved every voxel; SEMIAUTOMATIC would require naming each algorithm.
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=UID(derived_uid("segment", source.series_uid, layer["name"], segment["key"])),
        tracking_id=str(segment["key"])[:64],
    )


def describe_code(segment: Mapping[str, Any], layer: Mapping[str, Any]) -> tuple[Code, Code]:
    """Category and coded term of a segment; without one in the schema, its key in a private scheme."""
    code = segment.get("code") or {}
    kind = Code(
        code.get("value") or segment["key"][:16],
        code.get("scheme") or PRIVATE_SCHEME,
        (code.get("meaning") or segment["name"])[:64],
    )
    return (ANATOMY if layer["name"] == "anatomy" else FINDING), kind


def _code_string(name: str) -> str:
    """Upper case letters, digits, space and underscore, at most 16 (PS3.5 6.2, CS)."""
    return "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name.upper())[:16]


def make_repeatable(document: Dataset, at: datetime) -> None:
    """Replace the current time and the random UIDs that highdicom writes."""
    for keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
        if keyword in document:
            setattr(document, keyword, at.strftime("%Y%m%d"))
    for keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
        if keyword in document:
            setattr(document, keyword, at.strftime("%H%M%S"))
    for equipment in document.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = at.strftime("%Y%m%d%H%M%S")
    dimensions = derived_uid("dimensions", document.SOPInstanceUID)
    for item in (*document.get("DimensionOrganizationSequence", ()), *document.get("DimensionIndexSequence", ())):
        item.DimensionOrganizationUID = dimensions


def _drop_references(document: Dataset) -> None:
    """Remove references to slices that do not exist as DICOM (all are conditional, PS3.3 A.51.5.1, C.12.2)."""
    for keyword in ("ReferencedSeriesSequence", "SourceImageSequence"):
        if keyword in document:
            delattr(document, keyword)
    for groups in document.PerFrameFunctionalGroupsSequence:
        if "DerivationImageSequence" in groups:
            del groups.DerivationImageSequence
