"""What is written is as good DICOM as what came in, by the judgement of a program that is not ours."""

import shutil
import subprocess
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from tests.factories.vendors import VENDORS, Vendor, encode, make_header, stored_pixels
from tests.real_data import real_data

needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")


def errors_in(path: Path) -> set[str]:
    told = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False, errors="replace")
    assert "CTImage" in told.stderr or "CRImage" in told.stderr or "DXImage" in told.stderr, told.stderr
    return {line for line in told.stderr.splitlines() if line.startswith("Error")}


def new_errors(data: bytes, folder: Path) -> set[str]:
    before, after = folder / "before.dcm", folder / "after.dcm"
    before.write_bytes(data)
    cleaned = deidentify(data, keys=SiteKeys(bytes(32)), rules=read_rules(), report=Report())
    after.write_bytes(cleaned.data)
    return errors_in(after) - errors_in(before)


READABLE = [vendor for vendor in VENDORS if vendor.syntax != DeflatedExplicitVRLittleEndian]  # by dciodvfy


@needs_dciodvfy
@pytest.mark.parametrize("vendor", READABLE, ids=lambda vendor: vendor.name)
def test_no_new_error_in_files_of_any_maker(vendor: Vendor, tmp_path: Path) -> None:
    assert new_errors(encode(make_header(vendor), vendor, stored_pixels(vendor)), tmp_path) == set()


@needs_dciodvfy
def test_no_new_error_in_a_real_file(tmp_path: Path) -> None:
    path = sorted(real_data("lidc/LIDC-IDRI-0001").rglob("*.dcm"))[0]
    assert new_errors(path.read_bytes(), tmp_path) == set()
