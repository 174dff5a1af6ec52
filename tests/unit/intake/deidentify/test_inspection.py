"""The server's inspection takes what the site writes, and reads the same voxels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.volumes import FoundVolume
from tests.factories.vendors import ROWS, VENDORS, encode, make_header, stored_pixels
from tests.unit.intake.series import convert
from voxloop.kernel.errors import Refusal

FRAMES, BITS = 6, 12


def read_back(data: bytes, folder: Path) -> FoundVolume:
    folder.mkdir()
    (folder / "one.dcm").write_bytes(data)
    (volume,) = convert(folder)
    return volume


def test_an_enhanced_ct(tmp_path: Path) -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.frames > 1)
    vendor = replace(vendor, frames=FRAMES, bits=BITS)
    header = make_header(vendor)
    rescale = Dataset()
    rescale.RescaleSlope, rescale.RescaleIntercept, rescale.RescaleType = "1", "-1024", "HU"
    header.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [rescale]
    data = encode(header, vendor, stored_pixels(vendor))
    with pytest.raises(Refusal) as caught:
        read_back(data, tmp_path / "before")
    assert caught.value.code == "not_deidentified"
    cleaned = deidentify(data, keys=SiteKeys(bytes(32)), rules=read_rules(), report=Report())
    volume = read_back(cleaned.data, tmp_path / "after")
    assert np.array_equal(volume.voxels_zyx, stored_pixels(vendor).astype(int) - 1024)
    assert volume.geometry.shape_zyx == (FRAMES, ROWS, 16)
    assert volume.geometry.spacing_mm_zyx == pytest.approx((1.25, 0.703125, 0.703125))
