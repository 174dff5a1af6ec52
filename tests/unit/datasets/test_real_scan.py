"""A real chest CT and a reader's outline of its tumour go through a release unchanged."""

import shutil
import subprocess
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pytest
import SimpleITK

from annotation.datasets.exporters.folder import write_release
from annotation.datasets.exporters.listing import ScanVoxels
from annotation.datasets.verify import verify
from tests.real_data import real_data
from tests.unit.datasets.release_case import frozen_release
from voxloop.volume.geometry import Geometry


@pytest.fixture(scope="module")
def lidc() -> SimpleITK.Image:
    folder = real_data("lidc/LIDC-IDRI-0001")
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), useSeriesDetails=False, recursive=True))
    image: SimpleITK.Image = reader.Execute()
    return image


def geometry_of(image: SimpleITK.Image) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return Geometry.from_lps_affine(reversed(image.GetSize()), affine)


def test_a_real_scan_and_its_tumour_come_out_as_they_went_in(lidc: SimpleITK.Image, tmp_path: Path) -> None:
    geometry = geometry_of(lidc)
    hu = SimpleITK.GetArrayFromImage(lidc).astype(np.int16)
    tumour = SimpleITK.ReadImage(str(real_data("lidc_masks/LIDC-IDRI-0001_reader1.nii.gz")))
    assert np.allclose(tumour.TransformIndexToPhysicalPoint((0, 0, 0)), geometry.lps_of((0, 0, 0)), atol=0.01)
    labels = (SimpleITK.GetArrayFromImage(tumour) > 0).astype(np.uint8)
    assert labels.any()
    code = "VX-A-0001"
    voxels = ScanVoxels(hu, {"findings": labels})
    frozen = frozen_release({code: voxels}, ["findings"])
    frozen["scans"][0].update(geometry.to_json())
    seal = write_release(tmp_path, frozen, lambda scan: voxels, lambda percent, said: None)

    assert verify(tmp_path, seal=seal).faults == []
    image = SimpleITK.ReadImage(str(tmp_path / f"images/{code}.nii.gz"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), hu)
    for corner in [(0, 0, 0), (511, 511, 0), (0, 511, 132), (511, 0, 132)]:
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(corner), lidc.TransformIndexToPhysicalPoint(corner), atol=1e-3
        )
    exported = np.asanyarray(nibabel.Nifti1Image.from_filename(tmp_path / f"labels/{code}.nii.gz").dataobj)
    np.testing.assert_array_equal(exported.T, labels)
    seg = highdicom.seg.segread(tmp_path / f"dicom-seg/{code}.dcm").get_volume(combine_segments=True)
    assert int((seg.array == 1).sum()) == int(labels.sum())
    centre = np.argwhere(labels)[:, ::-1].mean(axis=0)
    found = (seg.affine @ [*np.argwhere(seg.array == 1).mean(axis=0), 1.0])[:3]
    np.testing.assert_allclose(found, geometry.lps_of(centre), atol=1e-3)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
def test_dciodvfy_finds_no_error_in_it(lidc: SimpleITK.Image, tmp_path: Path) -> None:
    tumour = SimpleITK.ReadImage(str(real_data("lidc_masks/LIDC-IDRI-0001_reader1.nii.gz")))
    labels = (SimpleITK.GetArrayFromImage(tumour) > 0).astype(np.uint8)
    voxels = ScanVoxels(np.zeros(labels.shape, np.int16), {"findings": labels})
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    frozen["scans"][0].update(geometry_of(lidc).to_json())
    write_release(tmp_path, frozen, lambda scan: voxels, lambda percent, said: None)
    path = tmp_path / "dicom-seg/VX-A-0001.dcm"
    told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
    assert "Segmentation" in told
    assert "Error" not in told
