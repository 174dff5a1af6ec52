"""The NIfTI files hold the same voxels at the same position, for nibabel and for ITK."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from tests.unit.datasets.release_case import oblique, scan_voxels
from voxloop.volume.geometry import Geometry
from voxloop.volume.nifti import write_image, write_labels

SHAPE = (12, 44, 40)
GRIDS = [oblique(SHAPE), Geometry.axial(SHAPE, (2.5, 0.7, 0.6), (-10.5, 3.25, -700.0))]


@pytest.mark.parametrize("geometry", GRIDS)
def test_nibabel_reads_the_voxels_and_the_affine_back(tmp_path: Path, geometry: Geometry) -> None:
    voxels = scan_voxels(1, SHAPE)
    write_image(tmp_path / "image.nii.gz", voxels.hu_zyx, geometry)
    write_labels(tmp_path / "label.nii.gz", voxels.labels_zyx["findings"], geometry)
    image, label = (
        nibabel.Nifti1Image.from_filename(tmp_path / "image.nii.gz"),
        nibabel.Nifti1Image.from_filename(tmp_path / "label.nii.gz"),
    )
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), voxels.hu_zyx.transpose(2, 1, 0))
    np.testing.assert_array_equal(np.asanyarray(label.dataobj), voxels.labels_zyx["findings"].transpose(2, 1, 0))
    assert (image.get_data_dtype(), label.get_data_dtype()) == (np.int16, np.uint8)
    np.testing.assert_array_equal(image.affine, geometry.ras_from_ijk().astype(np.float32))
    np.testing.assert_array_equal(image.affine, label.affine)
    np.testing.assert_allclose(image.header.get_qform(), geometry.ras_from_ijk(), atol=1e-4)
    assert Geometry.from_ras_affine(SHAPE, image.affine).is_same_grid(geometry, tolerance_mm=1e-4)


@pytest.mark.parametrize("geometry", GRIDS)
def test_itk_places_the_voxels_in_lps_where_the_scan_says(tmp_path: Path, geometry: Geometry) -> None:
    voxels = scan_voxels(2, SHAPE)
    write_image(tmp_path / "image.nii.gz", voxels.hu_zyx, geometry)
    image = SimpleITK.ReadImage(str(tmp_path / "image.nii.gz"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), voxels.hu_zyx)
    for ijk in [(0, 0, 0), (39, 0, 0), (0, 43, 0), (0, 0, 11), (39, 43, 11)]:
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(ijk), geometry.lps_of(ijk), atol=2e-3)


def test_equal_voxels_give_equal_bytes(tmp_path: Path) -> None:
    voxels = scan_voxels(3, SHAPE)
    for name in ("one", "two"):
        write_image(tmp_path / f"{name}.nii.gz", voxels.hu_zyx, GRIDS[0])
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()


def test_voxels_that_do_not_fit_the_grid_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="on a grid of"):
        write_image(tmp_path / "image.nii.gz", np.zeros((3, 4, 5), np.int16), GRIDS[0])
