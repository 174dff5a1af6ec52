"""Which images may leave at all: those whose pixels a scanner made. Pixels are not read for text, so what may show a
name is refused, with a code and a sentence that says what to do."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from annotation.intake.deidentify.elements import Source, find, numbers_of, text_of, words_of
from annotation.intake.deidentify.rules import Rules
from annotation.intake.dicom.vocabulary import modality_in_words
from voxloop.kernel.errors import Invalid

SOP_CLASS, IMAGE_TYPE, CONVERSION, MODALITY = 0x00080016, 0x00080008, 0x00080064, 0x00080060
STUDY_UID, SERIES_UID, SERIES_DESCRIPTION = 0x0020000D, 0x0020000E, 0x0008103E
POSITION, BURNED_IN, SAMPLES, PHOTOMETRIC = 0x00200032, 0x00280301, 0x00280002, 0x00280004
DIRECTORY = "1.2.840.10008.1.3.10"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
# Conversion Type (PS3.3 C.8.6.1) of what a scanner itself made; the others are films, screens and drawings.
OF_A_SCANNER = {"", "DI", "SYN"}
PAGES = re.compile(r"DOSE|SCREEN.?SAVE|PROTOCOL|REPORT")
PAGE_NAMES = re.compile(r"dose (report|info|record|summary)|patient protocol|screen ?save|exam summary", re.IGNORECASE)


def check_image(header: Dataset, rules: Rules) -> str:
    """Judge one file by its header and return its SOP class. Raises Invalid."""
    sop_class = text_of(find(header, SOP_CLASS))
    _check_class(sop_class, rules)
    modality = text_of(find(header, MODALITY)).upper()
    if modality and modality not in rules.classes[sop_class].modalities:
        told = modality_in_words(modality)
        raise Invalid(
            f"The file is {told}, which its SOP class does not hold; export it again as CT, CR or DX.",
            code="wrong_modality",
        )
    _check_kind(header, is_ct="CT" in rules.classes[sop_class].modalities)
    if sop_class == "1.2.840.10008.5.1.4.1.1.2" and not text_of(find(header, POSITION)):
        raise Invalid(
            "The picture says nowhere where in the body it lies, so it may be a page of text; leave it out.",
            code="no_position",
        )
    grey = text_of(find(header, PHOTOMETRIC)).upper() in rules.terms["grey"]
    samples = find(header, SAMPLES)
    if not grey or (samples is not None and _is_other_than_one(samples)):
        raise Invalid("The picture is in colour, as pages and screens are; leave it out.", code="not_grey")
    if not text_of(find(header, STUDY_UID)) or not text_of(find(header, SERIES_UID)):
        raise Invalid("The file does not say to which study and series it belongs; export it again.", code="no_uid")
    return sop_class


def _check_class(sop_class: str, rules: Rules) -> None:
    if sop_class in rules.classes:
        return
    for refused in rules.refused_classes:
        if sop_class == refused.root or sop_class.startswith(f"{refused.root}."):
            raise Invalid(f"The file {refused.says}.", code=refused.code)
    if not sop_class:
        raise Invalid("The file does not say what it is (SOP Class UID); export it again.", code="no_uid")
    names = " or ".join(sorted({name for known in rules.classes.values() for name in known.modalities}))
    raise Invalid(f"The file is no image of {names}; leave it out.", code="wrong_class")


def _check_kind(header: Dataset, *, is_ct: bool) -> None:
    kind = words_of(find(header, IMAGE_TYPE))
    if any(PAGES.search(word) for word in kind) or PAGE_NAMES.search(text_of(find(header, SERIES_DESCRIPTION))):
        raise Invalid("The picture is a page of a dose report or protocol; leave it out.", code="dose_report")
    if text_of(find(header, CONVERSION)).upper() not in OF_A_SCANNER:
        raise Invalid(
            "The picture was scanned or drawn and may show a name; send the scanner's own series.",
            code="secondary_capture",
        )
    if "LOCALIZER" in kind:
        raise Invalid("The picture is a localiser (an overview); leave it out.", code="localiser")
    if is_ct and kind[:1] == ["DERIVED"]:
        raise Invalid("The picture was computed from another series; send the original.", code="derived")
    if text_of(find(header, BURNED_IN)).upper() == "YES":
        raise Invalid(
            "The picture says that text is burnt into its pixels; export it without annotations.",
            code="burned_in_annotation",
        )


def _is_other_than_one(samples: Source) -> bool:
    try:
        return numbers_of(samples, "US") != ["1"]
    except ValueError:
        return True
