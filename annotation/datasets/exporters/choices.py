"""The formats that an export may hold besides NIfTI and DICOM SEG, each chosen by its key."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from annotation.datasets.exporters.listing import Frozen, Listing, Writer
from voxloop.kernel.errors import Invalid

ALWAYS = ("nifti", "dicom_seg")


@dataclass(frozen=True)
class Choice:
    """A format on the form of an export. `contents` are rows of README.md: path, and what lies there."""

    key: str
    title: str
    about: str
    module: str  # holds the `Writer`; imported by the worker that writes it
    contents: tuple[tuple[str, str], ...]
    is_ct_only: bool = False


CHOICES = (
    Choice(
        "nifti_original",
        "NIfTI on the original grid",
        "Scans that came as NIfTI with other axes (RAS, PIR …), and their masks, in the order of axes of their file.",
        "nifti_original",
        (
            (
                "`nifti-original/images/CODE.nii.gz`, `labels/CODE.nii.gz` …",
                "every scan and mask again; one that came as NIfTI in the order of axes that its file had",
            ),
        ),
    ),
    Choice(
        "bids",
        "Names of BIDS",
        "The NIfTI files again under names of BIDS (CT as in its proposal BEP024), masks as a derivative.",
        "bids",
        (
            (
                "`bids/`",
                "a dataset of BIDS: `sub-…/ct/sub-…_ct.nii.gz`, masks in `derivatives/voxloop`, participants, sidecars",
            ),
        ),
    ),
    Choice(
        "nnunet",
        "nnU-Net v2",
        "A raw dataset as nnU-Net takes it: values without gaps, images with their channel.",
        "nnunet",
        (
            (
                "`nnunet/Dataset100_…`",
                "for nnU-Net v2: move it into `nnUNet_raw`. Segments are numbered 1, 2, 3 … in the order of their"
                " values (`segment_ids` of its `dataset.json`); a segment with the key `ignore` is its"
                " ignore label",
            ),
            (
                "`nnunet/Dataset100_…/splits_final.json`",
                "the frozen split, for `nnUNet_preprocessed`: fold 0 trains on our training side",
            ),
        ),
    ),
    Choice(
        "dicom_seg_labelmap",
        "DICOM SEG as label map",
        "One value a voxel (LABELMAP) beside one plane a segment (BINARY); read by newer programs only.",
        "dicom_seg_labelmap",
        (
            (
                "`dicom-seg-labelmap/CODE.dcm`",
                "as `dicom-seg/`, but as LABELMAP: values are the segment numbers of `labels.json`",
            ),
        ),
        is_ct_only=True,
    ),
    Choice(
        "dicom",
        "DICOM images",
        "Every scan as a DICOM series again, one file a slice; a CT to be loaded with its segmentation.",
        "dicom_images",
        (
            (
                "`dicom/CODE/0001.dcm` …",
                "the scan as a DICOM series, not compressed, with the UIDs that other objects here refer to; an X-ray"
                " with the stored values of its file",
            ),
        ),
    ),
    Choice(
        "dicom_sr",
        "DICOM SR",
        "Volume and mean HU of each segment as a measurement report (TID 1500) that points at the segmentation.",
        "dicom_sr",
        (
            (
                "`dicom-sr/CODE.dcm`",
                "measurement report (TID 1500) of `dicom-seg/CODE.dcm`: mL and mean HU of each segment",
            ),
        ),
        is_ct_only=True,
    ),
    Choice(
        "rtstruct",
        "RTSTRUCT",
        "Each segment as contours along the edges of its voxels, for programs of radiotherapy.",
        "rtstruct",
        (
            (
                "`rtstruct/CODE.dcm`",
                "RT structure set: closed contours along the edges of the voxels; a hole is a contour within another",
            ),
        ),
        is_ct_only=True,
    ),
    Choice(
        "coco",
        "COCO",
        "Each segment of each slice as run lengths, for programs that learn from flat pictures.",
        "coco",
        (
            (
                "`coco/train.json` …",
                "COCO, run lengths as pycocotools reads them; an image is the slice `slice` of a file of `images/`",
            ),
        ),
    ),
    Choice(
        "tables",
        "Tables",
        "Scans, answers, quantities and scores as Parquet and CSV, with a data dictionary and Croissant metadata.",
        "tables",
        (
            ("`tables/scans`, `answers`, `quantities`, `lungs`", "the same as `.parquet` and as `.csv`"),
            ("`croissant.json`", "Croissant metadata: the tables and the folders of images and labels"),
            ("`tables/dictionary.json`", "what each column means, with its unit"),
        ),
    ),
    Choice(
        "paper",
        "Documents for a paper",
        "Data flow, tables, agreement, methods, model card and datasheet as HTML, Word and LaTeX.",
        "paper",
        (("`paper/paper.html`, `paper.docx`, `paper.tex`", "what a paper tells of the data; counts of the manifest"),),
    ),
)
BY_KEY = {choice.key: choice for choice in CHOICES}


def known_formats(wanted: Iterable[str]) -> list[str]:
    """Every format of an export with these choices, in one order. Raises Invalid (`unknown_format`)."""
    asked = set(wanted) - set(ALWAYS)
    if unknown := asked - BY_KEY.keys():
        known = ", ".join((*ALWAYS, *BY_KEY))
        raise Invalid(f"There is no format {min(unknown)}; choose of {known}.", code="unknown_format")
    return [*ALWAYS, *(key for key in BY_KEY if key in asked)]


def titles_of(formats: Iterable[str]) -> list[str]:
    """The titles of what an export holds besides NIfTI and DICOM SEG."""
    return [BY_KEY[key].title for key in formats if key in BY_KEY]


def open_writers(formats: Iterable[str], frozen: Frozen, listing: Listing) -> list[Writer]:
    """A writer for each of the chosen formats."""
    return [_writer_of(BY_KEY[key])(frozen, listing) for key in formats if key in BY_KEY]


def _writer_of(choice: Choice) -> Any:
    return import_module(f"annotation.datasets.exporters.{choice.module}").Writer
