"""Enhanced CT (PS3.3 A.38): one file of many frames, whose positions and scales lie in functional groups. Each frame
becomes a slice as of a classic series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pydicom.dataset import Dataset

from annotation.intake.dicom.headers import numbers_of, text_of
from annotation.intake.dicom.read import Slice

ENHANCED = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")  # enhanced, and converted to it
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
# Attributes of a classic slice, and the functional group and name they have in an enhanced file (PS3.3 C.7.6.16).
PLACES = {
    "ImagePositionPatient": ("PlanePositionSequence", "ImagePositionPatient"),
    "ImageOrientationPatient": ("PlaneOrientationSequence", "ImageOrientationPatient"),
    "PixelSpacing": ("PixelMeasuresSequence", "PixelSpacing"),
    "SliceThickness": ("PixelMeasuresSequence", "SliceThickness"),
    "RescaleIntercept": ("PixelValueTransformationSequence", "RescaleIntercept"),
    "RescaleSlope": ("PixelValueTransformationSequence", "RescaleSlope"),
    "ImageType": ("CTImageFrameTypeSequence", "FrameType"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
    "KVP": ("CTXRayDetailsSequence", "KVP"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "NominalPercentageOfCardiacPhase": ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
}


def is_enhanced(item: Slice) -> bool:
    """Whether a file is an enhanced CT."""
    return text_of(item.header, "SOPClassUID") in ENHANCED


def frames_of(item: Slice) -> list[Slice]:
    """The frames of an enhanced CT as slices, in the file's order; the file itself, which is then refused as
    `multi_frame`, when it does not describe each of them."""
    header = item.header
    shared, each = (list(header.get(name) or []) for name in GROUPS)
    declared = numbers_of(header, "NumberOfFrames", 1)
    if declared is None or int(declared[0]) != len(each):
        return [item]
    common = Dataset()
    for element in header:
        if element.keyword not in (*GROUPS, "NumberOfFrames"):
            common.add(element)
    return [
        replace(item, header=_as_slice(common, (groups, *shared)), frame=(number, len(each)))
        for number, groups in enumerate(each)
    ]


def _as_slice(common: Dataset, groups: Iterable[Dataset]) -> Dataset:
    """The header of one frame: what its own groups say counts before what all share."""
    header = Dataset()
    for element in common:
        header.add(element)
    for keyword, (group, name) in PLACES.items():
        for found in groups:
            items = found.get(group)
            if items and name in items[0]:
                setattr(header, keyword, items[0][name].value)
                break
    return header
