"""Where a mask that nobody drew came from, as it is stored with its revision and told in its history: a file from
elsewhere, or several readers together."""

from collections.abc import Mapping
from typing import Any

NAMES = {
    "nifti": "NIfTI",
    "nrrd": "NRRD",
    "seg_nrrd": "3D Slicer segmentation (.seg.nrrd)",
    "mha": "MetaImage",
    "dicom_seg_binary": "DICOM SEG (BINARY)",
    "dicom_seg_fractional": "DICOM SEG (FRACTIONAL)",
    "dicom_seg_labelmap": "DICOM SEG (LABELMAP)",
    "rtstruct": "RTSTRUCT",
}
WAYS = {
    "majority": "majority of",
    "staple": "STAPLE of",
    "first": "reader A, chosen by arbitration of",
    "other": "another reader, chosen by arbitration of",
    "merged": "merged by arbitration of",
}


def source_in_words(source: Mapping[str, Any] | None) -> str:
    """One line for the history; empty for a mask that was not brought."""
    if not source:
        return ""
    if "way" in source:
        return f"{WAYS[str(source['way'])]} {len(source['readings'])} readings"
    name = NAMES.get(str(source["format"]), str(source["format"]))
    said = [name]
    if source["software"] and source["software"] not in name:
        said.append(f"by {source['software']}")
    said.append(f"{source['labels_taken']} of {source['labels']} labels taken")
    if source["threshold"] is not None:
        said.append(f"from {source['threshold']:g} on")
    if source["resampled"]:
        said.append("resampled (nearest neighbour)")
    return ", ".join(said)
