"""Each picture that may show a name is refused, with a code and what to do."""

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.limits import Limits
from tests.factories.vendors import VENDORS, encode, make_header, stored_pixels
from voxloop.kernel.errors import Refusal

KEYS, RULES = SiteKeys(bytes(32)), read_rules()
STORAGE = "1.2.840.10008.5.1.4.1.1."
BY_NAME = {vendor.name: vendor for vendor in VENDORS}


def refusal_of(data: bytes, limits: Limits | None = None) -> Refusal:
    report = Report()
    with pytest.raises(Refusal) as caught:
        deidentify(data, keys=KEYS, rules=RULES, report=report, limits=limits)
    assert report.to_json() == {"files": 0, "classes": {}}
    return caught.value


def with_value(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda header: setattr(header, keyword, value)


def without(keyword: str) -> Callable[[Dataset], None]:
    return lambda header: header.__delattr__(keyword)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (with_value("SOPClassUID", STORAGE + "7"), "secondary_capture"),
        (with_value("SOPClassUID", STORAGE + "7.3"), "secondary_capture"),
        (with_value("SOPClassUID", STORAGE + "11.1"), "presentation_state"),
        (with_value("SOPClassUID", STORAGE + "104.1"), "encapsulated_document"),
        (with_value("SOPClassUID", STORAGE + "88.67"), "report"),
        (with_value("SOPClassUID", STORAGE + "4"), "wrong_class"),
        (without("SOPClassUID"), "no_uid"),
        (without("SeriesInstanceUID"), "no_uid"),
        (with_value("StudyInstanceUID", ""), "no_uid"),
        (with_value("Modality", "OT"), "wrong_modality"),
        (with_value("ConversionType", "WSD"), "secondary_capture"),
        (with_value("ImageType", ["DERIVED", "PRIMARY", "AXIAL"]), "derived"),
        (with_value("ImageType", ["DERIVED", "SECONDARY", "DOSE_INFO"]), "dose_report"),
        (with_value("SeriesDescription", "Patient Protocol"), "dose_report"),
        (with_value("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]), "localiser"),
        (with_value("BurnedInAnnotation", "YES"), "burned_in_annotation"),
        (without("ImagePositionPatient"), "no_position"),
        (with_value("PhotometricInterpretation", "RGB"), "not_grey"),
        (with_value("SamplesPerPixel", 3), "not_grey"),
        (with_value("Rows", 0), "bad_size"),
        (without("Columns"), "bad_size"),
        (with_value("BitsAllocated", 32), "bad_bits"),
        (with_value("HighBit", 40), "bad_bits"),
        (with_value("Rows", 4000), "truncated_pixels"),
    ],
)
def test_refused(edit: Callable[[Dataset], None], code: str) -> None:
    vendor = BY_NAME["siemens"]
    header = make_header(vendor)
    edit(header)
    refusal = refusal_of(encode(header, vendor, stored_pixels(vendor)))
    assert refusal.code == code
    assert refusal.detail.endswith(".")
    assert code in ("truncated_pixels",) or len(refusal.detail.split("; ")) == 2


def test_a_secondary_value_of_an_original_is_a_scan() -> None:
    vendor = BY_NAME["siemens"]
    header = make_header(vendor)
    header.ImageType = ["ORIGINAL", "SECONDARY", "AXIAL"]
    data = encode(header, vendor, stored_pixels(vendor))
    assert deidentify(data, keys=KEYS, rules=RULES, report=Report()).data


def test_derived_x_rays_are_what_detectors_make() -> None:
    vendor = BY_NAME["carestream"]
    header = make_header(vendor)
    header.ImageType = ["DERIVED", "PRIMARY"]
    assert deidentify(encode(header, vendor, stored_pixels(vendor)), keys=KEYS, rules=RULES, report=Report()).data


@pytest.mark.parametrize(
    ("name", "cut", "code"),
    [("siemens", -20, "truncated_pixels"), ("philips-jls", -80, "bad_pixels"), ("ge", 40, "not_dicom")],
)
def test_cut_files(name: str, cut: int, code: str) -> None:
    vendor = BY_NAME[name]
    assert refusal_of(encode(make_header(vendor), vendor, stored_pixels(vendor))[:cut]).code in (code, "unreadable")


def test_more_than_the_limits() -> None:
    vendor = BY_NAME["siemens"]
    data = encode(make_header(vendor), vendor, stored_pixels(vendor))
    assert refusal_of(data, Limits(most_voxels=100)).code == "volume_too_large"


def test_several_compressed_frames() -> None:
    vendor = BY_NAME["ge-j2k"]
    header = make_header(vendor)
    header.NumberOfFrames = 2
    assert refusal_of(encode(header, vendor, stored_pixels(vendor))).code == "compressed_frames"


def test_without_pixels_and_in_an_unknown_packing() -> None:
    vendor = BY_NAME["siemens"]
    header = make_header(vendor)
    whole = encode(header, vendor, stored_pixels(vendor))
    del header.PixelData
    assert refusal_of(encode(header, vendor, stored_pixels(vendor)[:0])).code == "no_pixel_data"
    assert refusal_of(whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.7\0", 1)).code == "unknown_syntax"
