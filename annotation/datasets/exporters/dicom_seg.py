"""DICOM Segmentation objects (PS3.3 A.51) by highdicom, one per scan and layer.

BINARY in every export; LABELMAP (Supplement 243), which many viewers and validators do not know yet, where it was asked
for. Empty frames are left out, so the file stays small.

The original DICOM files are not stored, only the volume pack; references are made from the UIDs that intake stored. A
scan without UIDs per slice (from NIfTI) gets no references."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from annotation.datasets.exporters.dicom_source import (
    SERIES_NUMBER,
    Source,
    segmentation_uids,
    slice_headers,
    source_of_scan,
)
from annotation.datasets.exporters.listing import Frozen, Labels, ScanVoxels
from annotation.datasets.exporters.manifest import layer_of
from voxloop.kernel.uids import exported_uid
from voxloop.volume.geometry import Geometry

FINDING = Code("49755003", "SCT", "Morphologically Abnormal Structure")
ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
PRIVATE_SCHEME = "99VOXLOOP"


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
    series_uid, instance_uid = segmentation_uids(source, str(layer["name"]), identity)
    document = Segmentation(
        source_images=[images[k] for k in kept],
        pixel_array=frames[kept],
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=UID(series_uid),
        series_number=SERIES_NUMBER,
        sop_instance_uid=UID(instance_uid),
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


def _describe(number: int, segment: Mapping[str, Any], layer: Mapping[str, Any], source: Source) -> SegmentDescription:
    category, kind = describe_code(segment, layer)
    return SegmentDescription(
        segment_number=number,
        segment_label=str(segment["name"])[:64],
        segmented_property_category=category,
        segmented_property_type=kind,
        # A reader drew or approved every voxel; SEMIAUTOMATIC would require naming each algorithm.
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=UID(exported_uid("segment", source.series_uid, layer["name"], segment["key"])),
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
    dimensions = exported_uid("dimensions", document.SOPInstanceUID)
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
