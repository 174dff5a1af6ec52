"""Mask files of other programs, each written by its own library, read back equal on the scan's grid."""

import gzip
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from annotation.datasets.exporters.dicom_source import Source, slice_headers
from annotation.intake.limits import Limits
from annotation.masks.foreign.found import ForeignMask
from annotation.masks.foreign.read import read_foreign
from annotation.masks.mapping import apply_map
from annotation.work.schema import parse_schema
from annotation.work.standard import CHEST_CT
from voxloop.kernel.errors import Refusal
from voxloop.volume.geometry import Geometry

SHAPE = (7, 9, 11)
GRID = Geometry.axial(SHAPE, (2.5, 0.7, 0.8), (-120.3, -98.7, 41.25))
TURN = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1.0]])
OBLIQUE = Geometry.from_lps_affine(
    SHAPE, np.block([[TURN * np.array([0.8, 0.7, 2.5]), np.array([[3.0], [-7.5], [11.0]])], [np.zeros((1, 3)), 1]])
)
Labels = np.ndarray[Any, Any]


def some_labels() -> Labels:
    """Two values with a gap, one voxel in a corner, others apart: no symmetry."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 0, 0] = labels[5, 2:4, 3:8] = 2
    labels[1, 4:8, 1:3] = labels[6, 8, 10] = 5
    return labels


def values_of(found: ForeignMask, layer: int = 0) -> Labels:
    """The layer with the file's own values."""
    values = np.array([0, *(label.value for label in found.labels)])
    result: Labels = values[found.layers[layer]]
    return result


def refusal(path: Path, grid: Geometry = GRID, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_foreign(path, grid, path.parent, **more)
    return caught.value


def write_itk(path: Path, labels: Labels, grid: Geometry, *, compress: bool = True) -> Path:
    image = SimpleITK.GetImageFromArray(labels)
    affine = grid.affine()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    SimpleITK.WriteImage(image, str(path), compress)
    return path


def write_nifti(path: Path, labels: Labels, grid: Geometry, order: str = "LPS") -> Path:
    image = nibabel.Nifti1Image(labels.transpose(2, 1, 0), grid.ras_from_ijk())
    start = nibabel.orientations.io_orientation(image.affine)
    turn = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(order))
    nibabel.save(image.as_reoriented(turn), path)
    return path


@pytest.mark.parametrize("grid", [GRID, OBLIQUE], ids=["axial", "oblique"])
@pytest.mark.parametrize("name", ["mask.mha", "mask.nrrd", "mask.nii.gz", "mask.nii"])
def test_itk_writes_and_it_is_read_equal(tmp_path: Path, name: str, grid: Geometry) -> None:
    found = read_foreign(write_itk(tmp_path / name, some_labels(), grid), grid, tmp_path / ".")
    assert np.array_equal(values_of(found), some_labels())
    assert [(one.value, one.voxels) for one in found.labels] == [(2, 11), (5, 9)]
    assert not found.is_resampled


@pytest.mark.parametrize("order", ["LPS", "RAS", "LAS", "SPL", "AIR"])
def test_another_order_of_axes_is_the_same_mask(tmp_path: Path, order: str) -> None:
    found = read_foreign(write_nifti(tmp_path / "m.nii.gz", some_labels(), OBLIQUE, order), OBLIQUE, tmp_path)
    assert np.array_equal(values_of(found), some_labels())


def test_values_of_any_size_and_floats_are_labels(tmp_path: Path) -> None:
    wide = some_labels().astype(np.int32) * 12_000 + (some_labels() == 5) * 195_000
    wide[3, 3, 3] = 255
    found = read_foreign(write_itk(tmp_path / "wide.nrrd", wide, GRID), GRID, tmp_path)
    assert [one.value for one in found.labels] == [255, 24_000, 255_000]
    assert np.array_equal(values_of(found), wide)
    found = read_foreign(write_itk(tmp_path / "float.mha", some_labels().astype(np.float32), GRID), GRID, tmp_path)
    assert np.array_equal(values_of(found), some_labels())


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf, -1.0])
def test_what_is_no_label_is_refused(tmp_path: Path, bad: float) -> None:
    values = some_labels().astype(np.float32)
    values[3, 3, 3] = bad
    assert refusal(write_itk(tmp_path / "m.mha", values, GRID)).code == "bad_mask"


def test_an_image_is_no_mask(tmp_path: Path) -> None:
    image = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    told = refusal(write_itk(tmp_path / "m.nrrd", image, GRID))
    assert told.code == "too_many_labels"
    assert "692 different values" in told.detail


def test_half_a_voxel_beside_is_refused_with_both_grids_or_resampled_when_asked(tmp_path: Path) -> None:
    beside = Geometry.axial(SHAPE, (2.5, 0.7, 0.8), (-120.3 + 0.4, -98.7, 41.25))
    path = write_itk(tmp_path / "m.mha", some_labels(), beside)
    told = refusal(path)
    assert told.code == "other_grid"
    assert "(-119.9000, -98.7000, 41.2500)" in told.detail
    assert "(-120.3000, -98.7000, 41.2500)" in told.detail
    assert "11×9×7 voxels of 0.8×0.7×2.5 mm" in told.detail
    finer = Geometry.axial((14, 9, 11), (1.25, 0.7, 0.8), (-120.3, -98.7, 41.25 - 0.625))
    doubled = np.repeat(some_labels(), 2, axis=0)
    found = read_foreign(write_itk(tmp_path / "n.mha", doubled, finer), GRID, tmp_path, may_resample=True)
    assert found.is_resampled
    assert np.array_equal(values_of(found), some_labels())


def test_another_size_is_refused_and_so_is_a_hair_too_far(tmp_path: Path) -> None:
    assert refusal(write_itk(tmp_path / "m.mha", some_labels()[:6], GRID)).code == "other_grid"
    for apart, fits in ((0.0008, True), (0.002, False)):
        moved = Geometry.axial(SHAPE, (2.5, 0.7, 0.8), (-120.3, -98.7 + apart, 41.25))
        path = write_itk(tmp_path / f"{apart}.nrrd", some_labels(), moved)
        if fits:
            assert np.array_equal(values_of(read_foreign(path, GRID, tmp_path)), some_labels())
        else:
            assert refusal(path).code == "other_grid"


def write_slicer(path: Path, layers: Labels, first_xyz: tuple[int, int, int], segments: list[dict[str, Any]]) -> Path:
    """As 3D Slicer writes it: layers first, cut to what is drawn, custom fields for each segment."""
    header: dict[str, Any] = {
        "space": "left-posterior-superior",
        "kinds": ["list", "domain", "domain", "domain"],
        "space directions": np.vstack([np.full(3, np.nan), GRID.affine()[:3, :3].T]),
        "space origin": GRID.lps_of(first_xyz),
        "encoding": "gzip",
        "Segmentation_ReferenceImageExtentOffset": " ".join(map(str, first_xyz)),
    }
    for n, one in enumerate(segments):
        header |= {f"Segment{n}_{key}": str(value) for key, value in one.items()}
    nrrd.write(str(path), layers.transpose(0, 3, 2, 1), header)
    path.write_bytes(path.read_bytes().replace(b"Lesion", "Lésion".encode()))  # as Slicer; pynrrd writes ASCII only
    return path


def test_segments_of_slicer_overlap_and_are_cut_to_an_extent(tmp_path: Path) -> None:
    whole = np.zeros((2, *SHAPE), np.uint8)
    whole[0, 2:5, 3:6, 4:9], whole[0, 2, 7, 4] = 1, 2
    whole[1, 3:5, 4:6, 4:6] = 1
    segments = [
        {"ID": "Segment_1", "Name": "Left lung", "LabelValue": 1, "Layer": 0},
        {"ID": "Segment_2", "Name": "Lesion", "LabelValue": 2, "Layer": 0},
        {"ID": "Segment_3", "Name": "Nodule", "LabelValue": 1, "Layer": 1},
    ]
    cut = whole[:, 2:5, 3:8, 4:9]
    found = read_foreign(write_slicer(tmp_path / "m.seg.nrrd", cut, (4, 3, 2), segments), GRID, tmp_path)
    assert (found.format, found.software) == ("seg_nrrd", "3D Slicer")
    assert [one.voxels for one in found.labels] == [45, 1, 8]
    assert [one.name for one in found.labels] == ["Left lung", "Lésion", "Nodule"]
    assert np.array_equal(found.layers[0], whole[0])
    assert np.array_equal(found.layers[1], whole[1] * 3)
    outside = write_slicer(tmp_path / "o.seg.nrrd", cut, (9, 3, 2), segments)
    assert refusal(outside).code == "outside_scan"


FORMS = {"BINARY": "binary", "FRACTIONAL": "fractional", "LABELMAP": "labelmap"}


def write_seg(path: Path, pixels: Labels, kind: str, names: list[str], grid: Geometry = GRID) -> Path:
    images = slice_headers(grid, Source("p", "1.2.3", "1.2.4", "1.2.5"))
    filled = [k for k in range(len(images)) if pixels[k].any()]
    described = [
        highdicom.seg.SegmentDescription(
            n, name, Code("123037004", "SCT", "Anatomical Structure"), Code("39607008", "SCT", "Lung"), "MANUAL"
        )
        for n, name in enumerate(names, start=1)
    ]
    highdicom.seg.Segmentation(
        source_images=[images[k] for k in filled],
        pixel_array=pixels[filled],
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=1,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="A Person",
        manufacturer_model_name="highdicom",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=ExplicitVRLittleEndian,
    ).save_as(path)
    return path


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("grid", [GRID, OBLIQUE], ids=["axial", "oblique"])
def test_highdicom_writes_segments_and_they_are_read_equal(tmp_path: Path, kind: str, grid: Geometry) -> None:
    labels = (some_labels() == 2) * np.uint8(1) + (some_labels() == 5) * np.uint8(2)
    found = read_foreign(write_seg(tmp_path / "m.dcm", labels, kind, ["one", "two"], grid), grid, tmp_path)
    assert (found.format, found.software) == (f"dicom_seg_{FORMS[kind]}", "highdicom")
    assert [(one.value, one.name, one.voxels) for one in found.labels] == [(1, "one", 11), (2, "two", 9)]
    assert np.array_equal(found.layers[0], labels)


def test_overlapping_segments_lie_in_two_layers(tmp_path: Path) -> None:
    pixels = np.zeros((*SHAPE, 2), np.uint8)
    pixels[2:5, 3:6, 4:9, 0] = pixels[3, 4, 4:11, 1] = 1
    found = read_foreign(write_seg(tmp_path / "m.dcm", pixels, "BINARY", ["lung", "nodule"]), GRID, tmp_path)
    assert [np.array_equal(layer > 0, pixels[..., n] > 0) for n, layer in enumerate(found.layers)] == [True, True]


def test_a_voxel_of_two_segments_or_of_too_many_is_refused(tmp_path: Path) -> None:
    pixels = np.zeros((*SHAPE, 17), np.uint8)
    pixels[3, 4, 5] = 1
    path = write_seg(tmp_path / "m.dcm", pixels, "BINARY", [str(n) for n in range(17)])
    assert refusal(path).code == "too_much_overlap"
    path = write_seg(tmp_path / "n.dcm", pixels[..., :2], "BINARY", ["lung", "nodule"])
    layers = read_foreign(path, GRID, tmp_path).layers
    chest = parse_schema(CHEST_CT).layer("findings")
    with pytest.raises(Refusal, match="1 voxel would belong to two segments") as caught:
        apply_map(layers, {1: "atelectasis", 2: "infectious_cavity"}, chest, SHAPE)
    assert caught.value.code == "segments_overlap"
    assert apply_map(layers, {1: "atelectasis", 2: "atelectasis"}, chest, SHAPE).any()


def test_a_fractional_one_needs_a_threshold(tmp_path: Path) -> None:
    share = np.zeros((*SHAPE, 1), np.float32)
    share[2, 3, 4:8, 0] = [0.2, 0.4, 0.6, 1.0]
    path = write_seg(tmp_path / "m.dcm", share, "FRACTIONAL", ["one"])
    assert refusal(path).code == "needs_threshold"
    assert [read_foreign(path, GRID, tmp_path, threshold=t).labels[0].voxels for t in (0.3, 0.5, 1.0)] == [3, 2, 1]
    assert refusal(path, threshold=0.0).code == "bad_threshold"


def test_a_segmentation_of_another_place_is_refused(tmp_path: Path) -> None:
    beside = Geometry.axial(SHAPE, (2.5, 0.7, 0.8), (-120.3, -98.7, 42.5))
    path = write_seg(tmp_path / "m.dcm", (some_labels() > 0).astype(np.uint8), "BINARY", ["one"], beside)
    assert refusal(path).code == "other_grid"


@pytest.mark.parametrize("name", ["m.mha", "m.nrrd", "m.nii.gz", "m.dcm"])
def test_a_broken_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not a mask")
    assert refusal(path).code in {"bad_file", "bad_nifti"}
    if name == "m.dcm":
        write_seg(path, (some_labels() > 0).astype(np.uint8), "BINARY", ["one"])
    else:
        write_itk(path, np.random.default_rng(3).integers(0, 9, SHAPE, np.uint8), GRID)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(path).code in {"bad_file", "bad_nifti"}


def test_voxels_in_another_file_are_not_fetched(tmp_path: Path) -> None:
    write_itk(tmp_path / "m.mha", some_labels(), GRID, compress=False)
    body = (tmp_path / "m.mha").read_bytes()
    (tmp_path / "m.mha").write_bytes(body.replace(b"= LOCAL", b"= /etc/passwd"))
    assert refusal(tmp_path / "m.mha").code == "detached"
    write_itk(tmp_path / "n.nrrd", some_labels(), GRID)
    head, _, data = (tmp_path / "n.nrrd").read_bytes().partition(b"\n\n")
    (tmp_path / "n.nrrd").write_bytes(head + b"\ndata file: /etc/passwd\n\n" + data)
    assert refusal(tmp_path / "n.nrrd").code == "detached"


def test_a_file_without_a_place_is_refused(tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "m.nrrd"), some_labels().transpose(2, 1, 0))
    assert refusal(tmp_path / "m.nrrd").code == "no_orientation"


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    small = Limits(most_voxels=100)
    for name in ("m.mha", "m.nrrd", "m.nii.gz"):
        assert refusal(write_itk(tmp_path / name, some_labels(), GRID), limits=small).code == "volume_too_large"
    path = write_itk(tmp_path / "n.nii", some_labels(), GRID)
    (tmp_path / "bomb").mkdir()
    (tmp_path / "bomb" / "n.nii.gz").write_bytes(gzip.compress(path.read_bytes() + bytes(8 << 20)))
    assert refusal(tmp_path / "bomb" / "n.nii.gz").code == "archive_ratio"
