"""Hundreds of identifiers in every place a file has, in the ways of eighteen makers: a search of the written bytes
finds none of them."""

import base64
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import config, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from tests.factories.vendors import VENDORS, Vendor, add_private, encode, make_header, stored_pixels

ROOT = Path(__file__).parents[4]
KEYS = SiteKeys(bytes(range(32)))
RULES = read_rules()
PATIENT = "PLANTPATIENTQ"
ROW = re.compile(r"^\| \(([0-9A-F]{4}),([0-9A-F]{4})\) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEXTS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}
BYTES = {"OB", "OW", "UN"}
NUMBER_OF_FRAMES = 0x00280008
STRUCTURE = {0x0020000D, 0x0020000E, 0x00080016, 0x00080018, 0x00200052}  # planted as UIDs below


class Planted:
    """Identifiers, each unique and recognisable, in the form that a VR takes."""

    def __init__(self) -> None:
        self.words: list[bytes] = []

    def make(self, vr: str) -> str:
        number = len(self.words)
        if vr in ("DA", "DT", "TM"):
            # Days of one year only: dates that are moved by more than a year cannot meet another planted one.
            day = f"1937{1 + number // 28 % 12:02d}{1 + number % 28:02d}"
            word = {"DA": day, "DT": f"{day}1011{number:04d}", "TM": f"1213{number % 60:02d}.77{number:04d}"}[vr]
        elif vr == "UI":
            word = f"1.2.826.0.1.3680043.8.498.{7_000_000_000 + number}"
        elif vr in ("DS", "IS"):
            word = str(1_900_000_000 + number)
        else:
            word = f"PLANT{number:05d}Q"
        return self.keep(word)

    def keep(self, word: str) -> str:
        self.words.append(word.encode())
        return word


def profile_tags() -> list[int]:
    """The attributes of PS3.15 table E.1-1, as docs/deidentification.md lists them."""
    text = (ROOT / "docs/deidentification.md").read_text()
    return [int(group + element, 16) for group, element, *_ in ROW.findall(text)]


def value_of(vr: str, planted: Planted) -> Any:
    if vr == "SQ":
        item, inner, innermost = Dataset(), Dataset(), Dataset()
        innermost.PatientName = planted.make("PN")
        inner.ReferringPhysicianName, inner.RequestedProcedureCodeSequence = planted.make("PN"), [innermost]
        item.PatientID, item.CodeMeaning, item.ReferencedStudySequence = planted.make("LO"), planted.make("LO"), [inner]
        return [item]
    return planted.make(vr).encode() if vr in BYTES else planted.make(vr)


def plant(header: Dataset, planted: Planted) -> None:
    """Identifiers in every attribute of the profile, in every listed one that takes text, and where tools forget."""
    listed = [rule.number for _, _, rule in RULES.all() if rule.do not in ("class", "set", "pixels", "items")]
    for tag in sorted({*profile_tags(), *listed} - STRUCTURE - {NUMBER_OF_FRAMES}):
        if tag >> 16 < 8:
            continue
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "LO"
        if tag in header and (vr in ("US", "SS") or tag in KEEPERS):
            continue
        if vr in TEXTS | BYTES | {"SQ", "DA", "DT", "TM", "UI", "DS", "IS"}:
            header.add(DataElement(tag, vr, value_of(vr, planted), validation_mode=config.IGNORE))
    header.ImageType = [*header.ImageType, planted.make("CS")]
    header.StudyDescription = f"CHEST {planted.make('LO')}"
    header.PatientName = f"{planted.keep('QREVERSED^PLANTED')}^{planted.make('PN')}"
    header.PatientID, header.AccessionNumber = planted.keep(PATIENT), planted.make("SH")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
        setattr(header, keyword, planted.make("UI"))
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "39607008", "SCT", planted.make("LO")
    region.CodingSchemeVersion = planted.make("SH")
    header.AnatomicRegionSequence = [region]
    header.ImageComments = planted.keep(base64.b64encode(planted.make("LT").encode()).decode())
    header.add_new(Tag(0x0008, 0xFFF0), "LO", planted.make("LO"))  # DICOM does not define it
    for repeat in range(0, 6, 2):
        header.add_new(Tag(0x6000 + repeat, 0x0022), "LO", planted.make("LO"))
        header.add_new(Tag(0x6000 + repeat, 0x3000), "OW", planted.make("OW").encode().ljust(12, b"\0"))
        header.add_new(Tag(0x5000 + repeat, 0x2500), "LO", planted.make("LO"))
        header.add_new(Tag(0x5000 + repeat, 0x3000), "OW", planted.make("OW").encode().ljust(12, b"\0"))
    header.add_new(Tag(0x0019, 0x0099), "LO", planted.make("LO"))  # private, without a creator
    header.add_new(Tag(0xFFFC, 0xFFFC), "OB", planted.make("OB").encode().ljust(12, b"\0"))


# Without these there is no image to send; texts are planted beside them.
KEEPERS = {
    rule.number
    for group, _, rule in RULES.all()
    if group in ("geometry", "image", "frames") or rule.tag in ("00080060", "00080008", "00281052", "00281053")
}


def make_planted(vendor: Vendor) -> tuple[bytes, Planted]:
    planted = Planted()
    header = make_header(vendor)
    add_private(header, vendor, planted.make)
    plant(header, planted)
    header.preamble = planted.make("LO").encode().ljust(128, b"\0")
    data = encode(header, vendor, stored_pixels(vendor), [planted.make("LT")])
    return data, planted


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_no_planted_identifier_is_in_the_written_file(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    data, planted = make_planted(vendor)
    assert len(set(planted.words)) >= 200
    if vendor.name != "neusoft":  # deflated: not to be found by a search
        found = sum(word in data for word in planted.words)
        assert found >= 0.97 * len(planted.words), "the search finds what is there"
    report = Report()
    caplog.clear()
    cleaned = deidentify(data, keys=KEYS, rules=RULES, report=report)
    assert cleaned.person.shift_days < -366
    written = cleaned.data
    text = written.lower()
    for word in planted.words:
        for form in (word, word[::-1], base64.b64encode(word).rstrip(b"="), word.decode().encode("utf-16-le")):
            assert form.lower() not in text, word
    assert b"plant" not in text
    assert b"planted"[::-1] not in text
    assert caplog.text == ""
    counts = report.to_json()["classes"]
    for name in ("private tags", "overlays", "curves", "unknown tags", "free text", "names of persons"):
        assert counts[name]["removed"] >= 1, name
    assert dcmread(BytesIO(written)).preamble == bytes(128)
    assert cleaned.patient["patient_id"] == PATIENT  # the site's table alone has it


def test_there_are_enough_makers() -> None:
    assert len({vendor.name for vendor in VENDORS}) >= 15
    assert len({vendor.syntax for vendor in VENDORS}) >= 8


def test_bits_beyond_the_stored_ones_are_cleared() -> None:
    """Where old scanners put overlays, one could spell a name four bits a pixel."""
    vendor = next(vendor for vendor in VENDORS if vendor.name == "siemens")
    pixels = stored_pixels(vendor)
    hidden = pixels | (np_nibbles(pixels.shape) << 12).astype("<u2")
    clean, dirty = (
        deidentify(encode(make_header(vendor), vendor, part), keys=KEYS, rules=RULES, report=Report()).data
        for part in (pixels, hidden)
    )
    assert clean == dirty


def np_nibbles(shape: tuple[int, ...]) -> Any:
    return np.arange(int(np.prod(shape))).reshape(shape) % 16
