"""NIfTI in: HU, orientation, the mask on the same grid, and what is refused."""

import gzip
from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from annotation.intake.limits import Limits
from annotation.intake.nifti import read_mask, read_nifti
from tests.real_data import real_data
from voxloop.kernel.errors import Refusal
from voxloop.volume.geometry import LPS_TO_RAS, Geometry

SHAPE = (7, 9, 11)
LIMITS = Limits()
GRID = Geometry.axial(SHAPE, (3.0, 1.5, 0.8), (-10.0, 20.0, 30.0))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def hu() -> np.ndarray:
    return np.random.default_rng(3).integers(-1024, 3072, SHAPE).astype(np.int16)


def write(path: Path, voxels_zyx: np.ndarray, geometry: Geometry = GRID) -> Path:
    nibabel.Nifti1Image(voxels_zyx.transpose(2, 1, 0), geometry.ras_from_ijk()).to_filename(path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_round_trip(tmp_path: Path, scratch: Path, name: str) -> None:
    volume = read_nifti(write(tmp_path / name, hu()), scratch, LIMITS)
    assert (volume.voxels_zyx == hu()).all()
    assert volume.geometry.is_same_grid(GRID)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product((1, -1), repeat=3)))
def test_every_orientation_is_brought_to_one(
    tmp_path: Path, scratch: Path, order: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    """A volume stored with axes in any order and direction gives the same result."""
    xyz = hu().transpose(2, 1, 0)
    moved = xyz.transpose(order)[tuple(slice(None, None, flip) for flip in flips)]
    back = np.zeros((4, 4))  # index in the original from index in the moved one
    back[3, 3] = 1
    for axis, source in enumerate(order):
        back[source, axis] = flips[axis]
        back[source, 3] = 0 if flips[axis] == 1 else xyz.shape[source] - 1
    path = tmp_path / "a.nii"
    nibabel.Nifti1Image(moved, GRID.ras_from_ijk() @ back).to_filename(path)
    volume = read_nifti(path, scratch, LIMITS)
    assert (volume.voxels_zyx == hu()).all()
    assert volume.geometry.is_same_grid(GRID)


@pytest.mark.parametrize(("unit", "per_mm"), [("meter", 0.001), ("micron", 1000.0), ("mm", 1.0), ("unknown", 1.0)])
def test_lengths_are_read_in_the_unit_of_the_header(tmp_path: Path, scratch: Path, unit: str, per_mm: float) -> None:
    image = nibabel.Nifti1Image(hu().transpose(2, 1, 0), np.diag([per_mm] * 3 + [1]) @ GRID.ras_from_ijk())
    image.header.set_xyzt_units(unit)
    image.to_filename(tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii", scratch, LIMITS).geometry.is_same_grid(GRID)


def test_oblique_is_kept(tmp_path: Path, scratch: Path) -> None:
    c, s = np.cos(0.2), np.sin(0.2)
    turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    oblique = Geometry.from_lps_affine(SHAPE, turn @ GRID.affine())
    volume = read_nifti(write(tmp_path / "a.nii", hu(), oblique), scratch, LIMITS)
    assert (volume.voxels_zyx == hu()).all()
    assert volume.geometry.is_same_grid(oblique)


def test_scale_nan_and_values_beyond_12_bits(tmp_path: Path, scratch: Path) -> None:
    values = hu().astype(np.float32)
    values[0, 0, :3] = [np.nan, 30710, -10240]
    volume = read_nifti(write(tmp_path / "a.nii.gz", values), scratch, LIMITS)
    assert volume.voxels_zyx[0, 0, :3].tolist() == [-1024, 30710, -10240]
    image = nibabel.Nifti1Image((hu() // 2).transpose(2, 1, 0), GRID.ras_from_ijk())
    image.header.set_slope_inter(2, -10)
    image.to_filename(tmp_path / "b.nii")
    again = read_nifti(tmp_path / "b.nii", scratch, LIMITS)
    assert (again.voxels_zyx == hu() // 2 * 2 - 10).all()


def test_mask(tmp_path: Path, scratch: Path) -> None:
    labels = (hu() > 1000).astype(np.uint8) * 2
    assert (read_mask(write(tmp_path / "m.nii.gz", labels), GRID, scratch, LIMITS) == labels).all()


@pytest.mark.parametrize(
    ("labels", "geometry", "code"),
    [
        (np.ones((7, 9, 10), np.uint8), Geometry.axial((7, 9, 10), (3.0, 1.5, 0.8)), "other_grid"),
        (np.ones(SHAPE, np.uint8), Geometry.axial(SHAPE, (3.0, 1.5, 0.8)), "other_grid"),
        (np.full(SHAPE, 255, np.uint8), GRID, "bad_mask"),
        (np.full(SHAPE, 0.5, np.float32), GRID, "bad_mask"),
        (np.full(SHAPE, 300, np.int16), GRID, "bad_mask"),
    ],
)
def test_masks_refused(tmp_path: Path, scratch: Path, labels: np.ndarray, geometry: Geometry, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_mask(write(tmp_path / "m.nii.gz", labels, geometry), GRID, scratch, LIMITS)
    assert refusal.value.code == code


def refused(path: Path, scratch: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(Refusal) as refusal:
        read_nifti(path, scratch, limits)
    return refusal.value.code


def test_refused(tmp_path: Path, scratch: Path) -> None:
    noise = tmp_path / "noise.nii"
    noise.write_bytes(bytes(range(256)) * 4)
    assert refused(noise, scratch) == "bad_nifti"
    whole = write(tmp_path / "whole.nii", hu()).read_bytes()
    (tmp_path / "cut.nii").write_bytes(whole[:-20])
    assert refused(tmp_path / "cut.nii", scratch) == "bad_nifti"
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(whole)[:-30])
    assert refused(tmp_path / "cut.nii.gz", scratch) == "bad_nifti"
    assert refused(write(tmp_path / "flat.nii", np.zeros(SHAPE, np.int16)), scratch) == "empty_volume"
    assert refused(tmp_path / "whole.nii", scratch, Limits(most_voxels=100)) == "volume_too_large"
    nibabel.Nifti1Image(np.zeros((4, 4, 6, 3), np.int16), np.eye(4)).to_filename(tmp_path / "four.nii")
    assert refused(tmp_path / "four.nii", scratch) == "bad_nifti"
    nowhere = nibabel.Nifti1Image(hu().transpose(2, 1, 0), None)
    nowhere.set_sform(None, 0)
    nowhere.set_qform(None, 0)
    nowhere.to_filename(tmp_path / "nowhere.nii")
    assert refused(tmp_path / "nowhere.nii", scratch) == "no_orientation"


@pytest.mark.parametrize(
    "axes",
    [
        np.diag([1.0, 1.0, 0.0]),
        np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        np.full((3, 3), np.nan),
        np.diag([1.0, np.inf, 1.0]),
    ],
    ids=["flat", "two axes in one", "no number", "infinite"],
)
def test_a_grid_that_is_none(tmp_path: Path, scratch: Path, axes: np.ndarray) -> None:
    image = nibabel.Nifti1Image(hu().transpose(2, 1, 0), np.eye(4))
    image.to_filename(tmp_path / "bent.nii")
    raw = bytearray((tmp_path / "bent.nii").read_bytes())
    rows = np.hstack([axes, np.zeros((3, 1))]).astype(np.float32)
    raw[280:328] = rows.tobytes()  # srow_x, srow_y, srow_z
    raw[252:256] = np.array([0, 2], np.int16).tobytes()  # no qform, an sform
    (tmp_path / "bent.nii").write_bytes(raw)
    assert refused(tmp_path / "bent.nii", scratch) == "bad_geometry"


def test_gzip_bomb(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(bytes(32 << 20)))
    assert refused(tmp_path / "bomb.nii.gz", scratch, Limits(most_voxels=1 << 20)) == "archive_ratio"


def test_declared_size_allocates_nothing(tmp_path: Path, scratch: Path) -> None:
    data = bytearray(write(tmp_path / "a.nii", hu()).read_bytes())
    data[42:48] = b"\xff\x7f" * 3  # 32767³ voxels
    (tmp_path / "a.nii").write_bytes(data)
    assert refused(tmp_path / "a.nii", scratch) in {"volume_too_large", "bad_nifti"}


def test_elastix_lung_after_conversion(tmp_path: Path, scratch: Path) -> None:
    folder = real_data("elastix/Data")
    image = SimpleITK.ReadImage(str(folder / "3DCT_lung_baseline_small.mha"))
    SimpleITK.WriteImage(image, str(tmp_path / "lung.nii.gz"))
    volume = read_nifti(tmp_path / "lung.nii.gz", scratch, LIMITS)
    assert (volume.voxels_zyx == SimpleITK.GetArrayFromImage(image)).all()
    assert volume.geometry.spacing_mm_zyx == pytest.approx(image.GetSpacing()[::-1], rel=1e-3)
    first = volume.geometry.lps_of((0, 0, 0))
    assert first == pytest.approx(image.GetOrigin(), abs=1e-2)


def test_nifti_grids_are_lps(tmp_path: Path, scratch: Path) -> None:
    volume = read_nifti(write(tmp_path / "a.nii", hu()), scratch, LIMITS)
    assert np.allclose(LPS_TO_RAS @ volume.geometry.affine(), GRID.ras_from_ijk())
