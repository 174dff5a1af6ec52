"""CT images written back as DICOM: the voxels and their place by SimpleITK, pydicom and dciodvfy."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK

from annotation.datasets.exporters.dicom_images import Writer
from annotation.datasets.exporters.dicom_seg import write_layer
from annotation.datasets.exporters.listing import Listing, ScanVoxels
from tests.unit.datasets.release_case import frozen_release, oblique, scan_voxels
from voxloop.volume.geometry import Geometry

SHAPE = (12, 44, 40)
UIDS = {"study": "1.2.3", "series": "1.2.3.4", "frame_of_reference": "1.2.3.5"}
INSTANCES = [f"1.2.3.4.{k}" for k in range(SHAPE[0])]


def case(*, modality: str = "CT", is_dicom: bool = True) -> tuple[dict[str, Any], ScanVoxels]:
    """A scan on an oblique grid whose HU touch both ends of int16."""
    voxels = scan_voxels(1, SHAPE)
    voxels.hu_zyx[0, 0, 0], voxels.hu_zyx[-1, -1, -1] = -32768, 32767
    voxels = ScanVoxels(voxels.hu_zyx, voxels.labels_zyx, INSTANCES if is_dicom else None)
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    frozen["scans"][0].update(uids=UIDS if is_dicom else {}, modality=modality)
    return frozen, voxels


def written(folder: Path, frozen: dict[str, Any], voxels: ScanVoxels) -> Path:
    listing = Listing(folder)
    writer = Writer(frozen, listing)
    writer.add(frozen["scans"][0], voxels, {})
    writer.finish([None])
    return folder / "dicom/VX-A-0001"


@pytest.mark.parametrize("is_dicom", [True, False])
def test_itk_reads_the_voxels_at_their_place(tmp_path: Path, is_dicom: bool) -> None:
    frozen, voxels = case(is_dicom=is_dicom)
    folder = written(tmp_path, frozen, voxels)
    reader = SimpleITK.ImageSeriesReader()
    names = reader.GetGDCMSeriesFileNames(str(folder))
    assert len(names) == SHAPE[0]
    reader.SetFileNames(names)
    image = reader.Execute()
    read_zyx = SimpleITK.GetArrayFromImage(image)
    # GDCM orders slices along the normal, here from the last k to the first.
    by_k = [round(float(np.linalg.solve(oblique(SHAPE).affine(), [*point, 1])[2])) for point in _origins(image)]
    np.testing.assert_array_equal(read_zyx[np.argsort(by_k)], voxels.hu_zyx)
    for n, k in enumerate(by_k):
        for i, j in [(0, 0), (39, 0), (0, 43), (39, 43)]:
            lps = image.TransformIndexToPhysicalPoint((i, j, n))
            np.testing.assert_allclose(lps, oblique(SHAPE).lps_of((i, j, k)), atol=1e-4)


def _origins(image: SimpleITK.Image) -> list[Any]:
    return [image.TransformIndexToPhysicalPoint((0, 0, n)) for n in range(image.GetSize()[2])]


def test_the_segmentation_refers_to_the_images(tmp_path: Path) -> None:
    frozen, voxels = case()
    folder = written(tmp_path, frozen, voxels)
    write_layer(
        tmp_path / "seg.dcm", voxels.labels_zyx["findings"] * 0 + 1, frozen, frozen["scans"][0], "findings", voxels
    )
    seg = highdicom.seg.segread(tmp_path / "seg.dcm")
    images = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    there = {image.SOPInstanceUID for image in images}
    assert {sop for _study, _series, sop in seg.get_source_image_uids()} == there
    assert {image.FrameOfReferenceUID for image in images} == {seg.FrameOfReferenceUID}
    assert [image.InstanceNumber for image in images] == list(range(1, 13))
    assert {image.PatientIdentityRemoved for image in images} == {"YES"}
    for image, hu_yx in zip(images, voxels.hu_zyx, strict=True):
        np.testing.assert_array_equal(image.pixel_array * image.RescaleSlope + image.RescaleIntercept, hu_yx)


def test_no_decimal_has_an_exponent(tmp_path: Path) -> None:
    """Viewers by dcmjs cut it off, and a cosine of 6e-17 becomes 6."""
    frozen, voxels = case()
    tilted = np.diag([0.7, 0.7, 2.5, 1.0])
    tilted[0, 1], tilted[1, 2], tilted[2, 3] = 4.3e-17, -2.1e-9, -1e-7
    frozen["scans"][0].update(Geometry.from_lps_affine(SHAPE, tilted).to_json())
    folder = written(tmp_path, frozen, voxels)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        for element in (image.ImageOrientationPatient, image.ImagePositionPatient, image.PixelSpacing):
            assert not any("e" in value.original_string.lower() for value in element)


def xray(modality: str, **kept: Any) -> tuple[dict[str, Any], ScanVoxels]:
    """An X-ray as the pack has it: uint16, bright = dense."""
    values = np.random.default_rng(2).integers(0, 200, (1, 45, 41)).astype(np.uint16)
    voxels = ScanVoxels(values, {"findings": np.zeros(values.shape, np.uint8)}, ["1.2.3.4.0"])
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    frozen["scans"][0].update(Geometry.axial((1, 45, 41), (1.0, 0.4, 0.5)).to_json())
    frozen["scans"][0].update(uids=UIDS, modality=modality, **({"projection": kept} if kept else {}))
    return frozen, voxels


XRAYS: dict[str, dict[str, Any]] = {
    "not known any more": {},
    "MONOCHROME1": {
        "orientation": ["L", "F"],
        "inverted_at": 4095,
        "bits_allocated": 16,
        "bits_stored": 12,
        "offset": 0,
        "is_signed": False,
    },
    "8 bits": {
        "orientation": ["L", "F"],
        "inverted_at": None,
        "bits_allocated": 8,
        "bits_stored": 8,
        "offset": 0,
        "is_signed": False,
    },
    "signed": {"inverted_at": None, "bits_allocated": 16, "bits_stored": 16, "offset": -300, "is_signed": True},
    "for processing": {
        "orientation": ["A", "F"],
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1.1",
        "view": "PA",
        "body_part": "CHEST",
    },
}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.parametrize("modality", ["CR", "DX"])
@pytest.mark.parametrize("kept", XRAYS.values(), ids=list(XRAYS))
def test_an_x_ray_is_a_valid_object_with_the_values_of_its_file(
    tmp_path: Path, modality: str, kept: dict[str, Any]
) -> None:
    frozen, voxels = xray(modality, **kept)
    path = written(tmp_path, frozen, voxels) / "0001.dcm"
    told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    is_full = modality == "CR" or bool(kept.get("orientation"))
    assert {"CR": "CRImage", "DX": "DXImage" if is_full else "SCImage"}[modality] in told
    assert "Error" not in told, told
    image = pydicom.dcmread(path)
    values = voxels.hu_zyx[0].astype(int)
    top = kept.get("inverted_at")
    np.testing.assert_array_equal(image.pixel_array, (values if top is None else top - values) + kept.get("offset", 0))
    assert image.PhotometricInterpretation == ("MONOCHROME2" if top is None else "MONOCHROME1")
    assert [float(side) for side in image.ImagerPixelSpacing] == [0.4, 0.5]
    assert "PixelSpacing" not in image


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.parametrize("is_dicom", [True, False])
def test_dciodvfy_finds_no_error(tmp_path: Path, is_dicom: bool) -> None:
    frozen, voxels = case(is_dicom=is_dicom)
    folder = written(tmp_path, frozen, voxels)
    told = subprocess.run(["dciodvfy", folder / "0001.dcm"], capture_output=True, text=True, check=False).stderr
    assert "CTImage" in told
    assert "Error" not in told
