"""Phantom series are valid CT images and hold the voxels that were written."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from openjpeg.utils import decode
from pydicom import dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)

from annotation.demonstration.dicom import SCANNERS, Scanner, write_ct_series
from voxloop.volume.geometry import Geometry

# HTJ2K came into the standard after dciodvfy was written; it is checked by decoding below.
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless]
SHAPE = (6, 40, 48)
GEOMETRY = Geometry.axial(SHAPE, (4.0, 1.8, 1.7), (-40.123456, -35.0, 112.5))


def volume() -> np.ndarray:
    return np.random.default_rng(1).integers(-1024, 3072, SHAPE).astype(np.int16)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_valid_for_dciodvfy(tmp_path: Path, syntax: str) -> None:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not here: install the Debian package dicom3tools")
    scanner = Scanner("Aster Imaging", "Aster 64", "LUNG", transfer_syntax=syntax)
    paths = write_ct_series(tmp_path, volume(), GEOMETRY, subject="P-0001", scanner=scanner, contrast=True)
    for path in paths[:2]:
        said = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
        assert "CTImage" in said.stderr
        assert "Error" not in said.stderr


@pytest.mark.parametrize("site", sorted(SCANNERS))
def test_sitk_reads_the_same(tmp_path: Path, site: str) -> None:
    hu_zyx = volume()
    paths = write_ct_series(tmp_path, hu_zyx, GEOMETRY, subject="P-0001", scanner=SCANNERS[site])
    image = SimpleITK.ReadImage([str(path) for path in paths])
    assert (SimpleITK.GetArrayFromImage(image) == hu_zyx).all()
    assert image.GetOrigin() == pytest.approx((-40.123456, -35.0, 112.5))
    assert image.GetSpacing() == pytest.approx((1.7, 1.8, 4.0))


def test_openjpeg_decodes_htj2k(tmp_path: Path) -> None:
    hu_zyx = volume()
    scanner = Scanner("Aster Imaging", "Aster 64", "LUNG", transfer_syntax=HTJ2KLossless)
    paths = write_ct_series(tmp_path, hu_zyx, GEOMETRY, subject="P-0001", scanner=scanner)
    frame = next(generate_frames(dcmread(paths[2]).PixelData, number_of_frames=1))
    assert (decode(frame).astype(np.int16) - 1024 == hu_zyx[2]).all()


def test_same_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_ct_series(tmp_path / name, volume(), GEOMETRY, subject="P-0001", scanner=SCANNERS["a"])
    assert (tmp_path / "one/0003.dcm").read_bytes() == (tmp_path / "two/0003.dcm").read_bytes()
    assert not dcmread(tmp_path / "one/0003.dcm").PatientName


def test_refuses_what_twelve_bits_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside"):
        write_ct_series(tmp_path, volume() - 1, GEOMETRY, subject="P", scanner=SCANNERS["a"])
