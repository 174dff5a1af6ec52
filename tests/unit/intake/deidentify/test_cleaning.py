"""What is kept stays as it was; codes, dates and ages follow the rules; the server takes what the site writes."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydicom import config, dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from annotation.intake.deidentify.cleaning import Cleaned, deidentify, quiet
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.dicom.identity import check_patient_id, is_code
from annotation.intake.dicom.volume import find_series, read_series
from annotation.intake.limits import Limits
from annotation.intake.sources import list_files
from tests.factories.vendors import VENDORS, Vendor, add_private, encode, make_header, stored_pixels
from tests.real_data import real_data
from voxloop.kernel.errors import Refusal

KEYS, OTHERS = SiteKeys(bytes(range(32))), SiteKeys(bytes(range(1, 33)))
RULES = read_rules()
GE = VENDORS[0]
_KEPT = """
    Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue RescaleSlope RescaleIntercept
    ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness KVP SeriesNumber InstanceNumber Modality
    SOPClassUID PatientSex PatientAge BodyPartExamined ImageType SamplesPerPixel PhotometricInterpretation
"""
KEPT = _KEPT.split()


def clean(header: Dataset, vendor: Vendor = GE, *, keys: SiteKeys = KEYS, report: Report | None = None) -> Cleaned:
    data = encode(header, vendor, stored_pixels(vendor))
    return deidentify(data, keys=keys, rules=RULES, report=report or Report())


def written(header: Dataset, vendor: Vendor = GE, **more: Any) -> Dataset:
    return dcmread(BytesIO(clean(header, vendor, **more).data))


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_what_is_kept_is_unchanged(vendor: Vendor) -> None:
    header = make_header(vendor)
    before = {keyword: header.get(keyword) for keyword in KEPT}
    add_private(header, vendor, lambda vr: "NOTHING")
    result = written(header, vendor)
    assert {keyword: result.get(keyword) for keyword in KEPT} == before
    assert np.array_equal(result.pixel_array.reshape(-1), stored_pixels(vendor).reshape(-1))
    assert (result.get("ConvolutionKernel") or "") != "" or not vendor.kernel
    assert not [tag for tag in result if tag.tag.group % 2]


def test_numbers_of_the_geometry_keep_every_digit() -> None:
    data = clean(make_header(GE)).data
    for digits in (b"-166.5\\-171.699997\\-11.25", b"1.000000\\0\\0\\0\\1\\0.000000", b"0.703125\\0.703125"):
        assert digits in data


def test_the_method_is_written_into_the_file() -> None:
    result = written(make_header(GE))
    assert (result.PatientIdentityRemoved, result.DeidentificationMethod) == ("YES", "Voxloop rules, version 1")
    codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108"]
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID


def test_uids_are_bijective_and_consistent() -> None:
    originals = [f"1.2.840.{n}.{m}" for n in range(40) for m in range(50)]
    codes = [KEYS.uid(uid) for uid in originals]
    assert len(set(codes)) == len(originals)
    assert codes == [KEYS.uid(uid) for uid in originals]
    assert all(code.startswith("2.25.") and len(code) <= 64 for code in codes)
    first, second = (written(make_header(GE, instance=n)) for n in (1, 2))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert first[keyword].value == second[keyword].value != make_header(GE)[keyword].value
    assert first.SOPInstanceUID != second.SOPInstanceUID


def test_another_key_has_nothing_in_common() -> None:
    def codes(keys: SiteKeys) -> set[str]:
        found = written(make_header(GE), keys=keys)
        uids = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID")
        return {str(found[keyword].value) for keyword in (*uids, "PatientID", "PatientName", "StudyDate")}

    assert codes(KEYS).isdisjoint(codes(OTHERS))


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_second_run_is_identical(vendor: Vendor) -> None:
    assert clean(make_header(vendor), vendor).data == clean(make_header(vendor), vendor).data


def test_dates_of_a_person_move_by_one_number_of_days() -> None:
    keywords = ("StudyDate", "SeriesDate", "AcquisitionDateTime")
    moves = set()
    for study in range(3):
        header = make_header(GE, uid_root=f"1.2.{study}")
        header.StudyDate = f"2020022{study + 7}"  # over a leap day
        result = written(header)
        for keyword in keywords:
            moves.add(day_of(result[keyword].value) - day_of(header[keyword].value))
    assert len(moves) == 1
    assert -3650 <= moves.pop().days <= -1
    shifts = {KEYS.person("patient", str(number)).shift_days for number in range(300)}
    assert len(shifts) > 250


def day_of(value: Any) -> date:
    words = str(value)[:8]
    return date(int(words[:4]), int(words[4:6]), int(words[6:8]))


@pytest.mark.parametrize("value", ["", "20191340", "about 2019", "2019"])
def test_what_is_no_date_is_not_kept(value: str) -> None:
    header = make_header(GE)
    for keyword in ("StudyDate", "SeriesDate"):
        header.add(DataElement(tag_for_keyword(keyword), "DA", value, validation_mode=config.IGNORE))
    result = written(header)
    assert (result.StudyDate, "SeriesDate" in result) == ("", False)


@pytest.mark.parametrize(
    ("age", "birth", "expected"),
    [
        ("069Y", "19500101", "069Y"),
        ("089Y", "", "089Y"),
        ("090Y", "", "090Y"),
        ("104Y", "", "090Y"),
        ("011M", "", "011M"),
        ("", "19500311", "068Y"),
        ("", "19500310", "069Y"),
        ("", "19140101", "090Y"),
        ("", "", None),
        ("old", "19500101", "069Y"),
        ("old", "", None),
    ],
)
def test_ages_are_capped_and_worked_out(age: str, birth: str, expected: str | None) -> None:
    header = make_header(GE)
    header.add(DataElement(0x00101010, "AS", age, validation_mode=config.IGNORE))
    header.PatientBirthDate = birth
    result = written(header)
    assert (result.get("PatientAge"), result.PatientBirthDate) == (expected, "")


def test_descriptions_become_listed_words() -> None:
    header = make_header(GE)
    header.SeriesDescription = "Lung 1.25mm, Mr Smith, chest low-dose"
    header.ContrastBolusAgent = "Ultravist 370, given by Dr Jones"
    header.BodyPartExamined = "SMITH"
    header.ProtocolName = "5.1 Routine"
    result = written(header)
    assert (result.SeriesDescription, result.ContrastBolusAgent) == ("CHEST LUNG LOW DOSE", "CONTRAST")
    assert (result.Manufacturer, result.ManufacturerModelName) == ("GE", "LightSpeed")
    assert not {"BodyPartExamined", "ProtocolName"} & set(result.dir())


def test_sequences_are_judged_like_the_top_level() -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.frames > 1)
    header = make_header(vendor)
    frame = header.PerFrameFunctionalGroupsSequence[1]
    frame.PatientName, frame.PatientID = "Smith^John", "123"
    frame.FrameContentSequence[0].FrameComments = "of Smith"
    frame.PlanePositionSequence[0].private_block(0x0021, "SMITH", create=True).add_new(1, "LO", "Smith")
    anatomy, region = Dataset(), Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "39607008", "SCT", "Smith's lung"
    anatomy.AnatomicRegionSequence, anatomy.FrameLaterality = [region], "R"
    frame.FrameAnatomySequence = [anatomy]
    cleaned = clean(header, vendor)
    result = dcmread(BytesIO(cleaned.data)).PerFrameFunctionalGroupsSequence
    assert b"mith" not in cleaned.data
    assert [item.PlanePositionSequence[0].ImagePositionPatient[2] for item in result] == [0, 1.25, 2.5]
    kept = result[1].FrameAnatomySequence[0]
    assert (kept.FrameLaterality, kept.AnatomicRegionSequence[0].CodeMeaning) == ("R", "Lung")
    moved = day_of(result[1].FrameContentSequence[0].FrameAcquisitionDateTime)
    assert (moved - date(2019, 3, 10)).days == cleaned.person.shift_days


@pytest.mark.parametrize("patient_id", ["", "ANONYMOUS", "0000"])
def test_who_names_nobody_is_a_person_of_one_study(patient_id: str) -> None:
    codes = {clean(make_header(GE, patient=patient_id, uid_root=root)).person.code for root in ("1.2.3", "1.2.4")}
    assert len(codes) == 2


def test_codes_pass_the_servers_inspection_of_names() -> None:
    for number in range(3000):
        code = KEYS.person("patient", str(number)).code
        check_patient_id(code)
        assert is_code(code, code)


def test_the_report_counts_and_tells_no_value() -> None:
    report = Report()
    header = make_header(GE)
    header.ReferringPhysicianName = "House"
    add_private(header, GE, lambda vr: "SECRET")
    clean(header, report=report)
    told = report.to_json()
    assert told["files"] == 1
    assert told["classes"]["private tags"] == {"kept": 0, "changed": 0, "removed": 15}
    assert told["classes"]["geometry"] == {"kept": 4, "changed": 0, "removed": 0}
    assert told["classes"]["patient"] == {"kept": 2, "changed": 2, "removed": 1}
    assert "SECRET" not in str(told)


def test_a_real_series_goes_through_the_servers_inspection_with_the_same_voxels(tmp_path: Path) -> None:
    source = real_data("lidc/LIDC-IDRI-0001")
    for number, path in enumerate(sorted(source.rglob("*.dcm"))):
        cleaned = deidentify(path.read_bytes(), keys=KEYS, rules=RULES, report=Report())
        (tmp_path / f"{number}.dcm").write_bytes(cleaned.data)

    def volume(folder: Path) -> Any:
        (slices,) = find_series(list_files(folder, tmp_path, Limits()), Limits()).series.values()
        return read_series(slices, Limits())

    ours, theirs = volume(tmp_path), volume(source)
    assert np.array_equal(ours.voxels_zyx, theirs.voxels_zyx)
    assert ours.geometry == theirs.geometry
    for fact in ("kernel", "slice_thickness_mm", "manufacturer", "model", "kvp", "contrast"):
        assert ours.origin.facts[fact] == theirs.origin.facts[fact], fact


VALUES: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "US": lambda: st.integers(0, 65535),
    "SS": lambda: st.integers(-32768, 32767),
    "UL": lambda: st.integers(0, 2**32 - 1),
    "FD": lambda: st.floats(),
    "FL": lambda: st.floats(width=32),
}

LATIN = st.text(st.characters(max_codepoint=255), max_size=12)


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """A file with arbitrary values in attributes that the rules list, then cut or with a byte changed."""
    vendor = draw(st.sampled_from(VENDORS))
    header = make_header(vendor)
    listed = [rule.number for _, _, rule in RULES.all() if rule.do not in ("pixels", "items", "coded", "method")]
    chosen = [(tag, dictionary_VR(tag).split(" ")[0]) for tag in draw(st.lists(st.sampled_from(listed), max_size=6))]
    values = [draw(VALUES[vr]() if vr in VALUES else LATIN) for _, vr in chosen]
    try:
        with quiet():
            for (tag, vr), value in zip(chosen, values, strict=True):
                header.add(DataElement(tag, vr, value, validation_mode=config.IGNORE))
            data = bytearray(encode(header, vendor, stored_pixels(vendor)))
    except (ValueError, TypeError, OverflowError, AttributeError, OSError):  # pydicom cannot write every value
        data = bytearray(encode(make_header(vendor), vendor, stored_pixels(vendor)))
    for at in draw(st.lists(st.integers(132, len(data) - 1), max_size=3)):
        data[at] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@hypothesis_settings(max_examples=150)
@given(headers())
def test_any_header_is_cleaned_or_refused(data: bytes) -> None:
    with quiet():
        judge(data)


def attempt(data: bytes) -> tuple[Cleaned | None, Refusal | None]:
    try:
        return deidentify(data, keys=KEYS, rules=RULES, report=Report()), None
    except Refusal as refusal:
        return None, refusal


def judge(data: bytes) -> None:
    cleaned, refusal = attempt(data)
    if cleaned is None:
        assert refusal.code
        assert refusal.detail.endswith(".")
        return
    result = dcmread(BytesIO(cleaned.data))
    listed = {rule.number for _, _, rule in RULES.all()}
    assert {int(element.tag) for element in result} <= listed
    assert result.PatientID == cleaned.person.code
    assert len(result.PixelData) % 2 == 0
