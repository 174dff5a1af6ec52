"""Which series can be annotated: modality, origin, de-identification, pixels. A refusal is a code and one sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pydicom.dataset import Dataset

from annotation.intake.dicom.headers import image_type_of, modality_of, numbers_of, text_of
from annotation.intake.dicom.identity import check_patient_id, is_code, is_dummy, is_year_only
from annotation.intake.dicom.pixels import KNOWN
from annotation.intake.dicom.read import IDENTITY_TAGS, Slice
from annotation.intake.dicom.vocabulary import modality_in_words
from annotation.intake.limits import OVERRULE, Limits
from voxloop.kernel.errors import Invalid, TooLarge

PLANAR = ("DX", "CR")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MOST_SIDE = 8192


def check_series(slices: Sequence[Slice], limits: Limits) -> str:
    """Check one volume of a series (`divide`) by its headers and return its modality. Raises Invalid or TooLarge."""
    check_identities(slices)
    modality = modality_of(slices[0].header)
    if modality not in ("CT", *PLANAR):
        raise Invalid(
            f"The series is {modality_in_words(modality)}; CT, DX and CR can be annotated.",
            code="wrong_modality",
        )
    for item in slices:
        _check_origin(item.header, modality, limits)
    without = sum(item.pixel_bytes == 0 for item in slices)
    if without:
        raise Invalid(f"{without} of {len(slices)} files have no pixel data, or it is truncated.", code="no_pixel_data")
    for item in slices:
        _check_pixels(item)
    _check_size(slices, modality, limits)
    return modality


def check_identities(slices: Sequence[Slice]) -> None:
    """Before anything else: nothing from a file that names a patient may be stored, not even a refusal."""
    for item in slices:
        _check_identity(item.header)


def is_localiser(header: Dataset) -> bool:
    """By Image Type (PS3.3 C.8.2.1.1.1)."""
    return "LOCALIZER" in image_type_of(header)


def doubts_about(header: Dataset, modality: str) -> list[str]:
    """Codes of what only a person can decide: `secondary_capture` of an X-ray (public sets hold such), `derived` CT (a
    reformat or a repacking by the scanner is as good as the original, a projection is not)."""
    doubts = []
    if modality in PLANAR and text_of(header, "SOPClassUID").startswith(SECONDARY_CAPTURE):
        doubts.append("secondary_capture")
    if modality == "CT" and image_type_of(header)[:1] == ("DERIVED",):
        doubts.append("derived")
    return doubts


def _check_origin(header: Dataset, modality: str, limits: Limits) -> None:
    doubts = [] if limits.is_overruled else doubts_about(header, modality)
    # The SOP class alone says what is a secondary capture: value 2 of Image Type is SECONDARY in many scans, too.
    if modality not in PLANAR and text_of(header, "SOPClassUID").startswith(SECONDARY_CAPTURE):
        raise Invalid(
            "The series is a secondary capture: pictures of a screen, not a scan. Send the series of the scanner.",
            code="secondary_capture",
        )
    if "secondary_capture" in doubts:
        raise Invalid(
            f"The X-ray is stored as a secondary capture, as pictures of a screen are. {OVERRULE}",
            code="secondary_capture",
        )
    if is_localiser(header):
        raise Invalid("The series is a localiser (an overview); send the scan it was made for.", code="localiser")
    if "derived" in doubts:
        raise Invalid(
            f"The series was computed from another one (derived); send the original. {OVERRULE}", code="derived"
        )
    if text_of(header, "BurnedInAnnotation").upper() == "YES":
        raise Invalid(
            "The series says that text is burnt into its pixels; send the original without it.",
            code="burned_in_annotation",
        )


def _check_identity(header: Dataset) -> None:
    """Refuse files that were not de-identified at the site. The sentence names the attribute, never its value."""
    patient_id = text_of(header, "PatientID")
    check_patient_id(patient_id)
    for keyword in IDENTITY_TAGS:
        value = text_of(header, keyword)
        is_harmless = (keyword == "PatientName" and is_code(value, patient_id)) or (
            keyword == "PatientBirthDate" and is_year_only(value)
        )
        if not is_dummy(value) and not is_harmless:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword)
            raise Invalid(
                f"The files still carry {words}: de-identify them at the site before they are sent.",
                code="not_deidentified",
            )


def _check_pixels(item: Slice) -> None:
    header = item.header
    if (frames := numbers_of(header, "NumberOfFrames", 1)) is not None and frames[0] > 1:
        raise Invalid(
            f"A file holds {int(frames[0])} frames, and does not say where each lies; send one slice a file.",
            code="multi_frame",
        )
    if numbers_of(header, "SamplesPerPixel", 1) not in (None, 1) or text_of(
        header, "PhotometricInterpretation"
    ) not in ("MONOCHROME1", "MONOCHROME2"):
        raise Invalid("The images are in colour, not grey.", code="not_grey")
    sides = [numbers_of(header, keyword, 1) for keyword in ("Rows", "Columns")]
    if any(side is None or not 2 <= side[0] <= MOST_SIDE for side in sides):
        raise Invalid("A file does not declare its rows and columns, or declares impossible numbers.", code="bad_size")
    if header.get("BitsAllocated") not in (8, 16):
        bits = numbers_of(header, "BitsAllocated", 1)
        told = "an unknown number of" if bits is None else f"{int(bits[0])}"
        raise Invalid(f"A file has {told} bits a pixel; 8 or 16 can be read.", code="bad_bits")
    if item.transfer_syntax not in KNOWN:
        # Only UIDs that DICOM defines are repeated: a private one may hold anything.
        known = re.fullmatch(r"1\.2\.840\.10008\.[0-9.]{1,40}", item.transfer_syntax)
        told = f"transfer syntax {item.transfer_syntax}" if known else "a private transfer syntax"
        raise Invalid(f"The images are stored in {told}, which is not supported.", code="unknown_syntax")


def _check_size(slices: Sequence[Slice], modality: str, limits: Limits) -> None:
    sizes = Counter((int(s.header.Rows), int(s.header.Columns)) for s in slices)
    if len(sizes) > 1:
        words = ", ".join(f"{count} of {rows}×{columns}" for (rows, columns), count in sizes.most_common(3))
        raise Invalid(f"The slices have different sizes: {words}. Send one volume a series.", code="mixed_size")
    (rows, columns), count = next(iter(sizes.items()))
    if modality not in PLANAR and count < limits.least_slices:
        raise Invalid(
            f"The series has {count} slice{'s' if count > 1 else ''}; a volume needs at least {limits.least_slices}. "
            "Send the whole series.",
            code="too_few_slices",
        )
    if count > limits.most_slices or count * rows * columns > limits.most_voxels:
        raise TooLarge(
            f"The series has {count} slices of {rows}×{columns}; at most {limits.most_slices} slices and "
            f"{limits.most_voxels // 1_000_000} million voxels can be converted.",
            code="volume_too_large",
        )
