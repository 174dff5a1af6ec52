"""Measurement reports (PS3.16 TID 1500) by highdicom: volume and mean HU of each segment, with a reference to it.

Enhanced SR is the smallest class that holds them. A series that the scan did not come with is referred to by the UID
that the DICOM images of the same release have."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from highdicom.sr import (
    CodedConcept,
    EnhancedSR,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    ReferencedSegment,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from annotation.datasets.exporters.dicom_seg import describe_code, make_repeatable
from annotation.datasets.exporters.dicom_source import Source, source_of_scan
from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels
from annotation.datasets.exporters.manifest import folder_of, layer_of
from voxloop.kernel.uids import exported_uid
from voxloop.volume.amounts import voxel_ml
from voxloop.volume.pack.codec import Voxels

ROLE = "dicom_sr"
CT = Code("77477000", "SCT", "Computed tomography")
PERSON = CodedConcept("121006", "DCM", "Person")
REPORT = Code("126000", "DCM", "Imaging Measurement Report")
VOLUME = Code("118565006", "SCT", "Volume")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
MEAN = Code("373098007", "SCT", "Mean")
MILLILITRE = Code("mL", "UCUM", "milliliter")
HOUNSFIELD = Code("[hnsf'U]", "UCUM", "Hounsfield unit")


class Writer:
    """One report for every layer of every CT."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """The report refers to the BINARY segmentation, which was written before."""
        if scan["modality"] != "CT":
            return
        source = source_of_scan(scan, voxels.instance_uids)
        for name, labels_zyx in clean_zyx.items():
            file = f"{scan['code']}.dcm"
            seg = dcmread(
                self.listing.folder / folder_of("dicom-seg", name, self.frozen) / file, stop_before_pixels=True
            )
            spacing_mm_zyx = scan["spacing_mm_zyx"]
            layer = layer_of(self.frozen, name)
            groups = [
                _group(
                    number, segment, layer, seg, source, _measure(segment, labels_zyx, voxels.hu_zyx, spacing_mm_zyx)
                )
                for number, segment in enumerate(sorted(layer["segments"], key=lambda one: int(one["id"])), start=1)
            ]
            path = self.listing.place(folder_of("dicom-sr", name, self.frozen), file)
            self._report(scan, seg, groups).save_as(path)
            self.listing.add(path, ROLE, scan["code"], name)

    def finish(self, told: Sequence[Any]) -> None:
        """Nothing is about all scans."""

    def _report(
        self, scan: Mapping[str, Any], seg: Dataset, groups: list[VolumetricROIMeasurementsAndQualitativeEvaluations]
    ) -> EnhancedSR:
        observer = PersonObserverIdentifyingAttributes(name=f"{scan['author']}^")
        content = MeasurementReport(
            observation_context=ObservationContext(ObserverContext(PERSON, observer)),
            procedure_reported=CT,
            imaging_measurements=groups,
            title=REPORT,
        )
        document = EnhancedSR(
            evidence=[seg],
            content=content[0],
            series_instance_uid=exported_uid("sr series", seg.SOPInstanceUID),
            series_number=101,
            sop_instance_uid=exported_uid("sr", seg.SOPInstanceUID),
            instance_number=1,
            manufacturer="Voxloop",
            is_complete=True,
            is_final=True,
            series_description=f"Measurements: {seg.SeriesDescription.removeprefix('Segmentation: ')}"[:64],
        )
        make_repeatable(document, datetime.fromisoformat(self.frozen["release"]["frozen_at"]))
        return document


def _measure(
    segment: Mapping[str, Any], labels_zyx: Labels, hu_zyx: Voxels, spacing_mm_zyx: list[float]
) -> list[Measurement]:
    """mL, and the mean HU where there is a voxel."""
    inside = hu_zyx[labels_zyx == int(segment["id"])]
    found = [Measurement(VOLUME, float(inside.size * voxel_ml(spacing_mm_zyx)), MILLILITRE)]
    if inside.size:
        mean_hu = float(inside.mean(dtype=np.float64))
        found.append(Measurement(ATTENUATION, mean_hu, HOUNSFIELD, derivation=MEAN))
    return found


def _group(
    number: int,
    segment: Mapping[str, Any],
    layer: Mapping[str, Any],
    seg: Dataset,
    source: Source,
    measurements: list[Measurement],
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    category, kind = describe_code(segment, layer)
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(seg.SegmentSequence[number - 1].TrackingUID, str(segment["key"])[:64]),
        referenced_segment=ReferencedSegment(
            seg.SOPClassUID,
            seg.SOPInstanceUID,
            number,
            source_series=SourceSeriesForSegmentation(source.series_uid),
        ),
        finding_category=category,
        finding_type=kind,
        measurements=measurements,
    )
