"""A scan that came as NIfTI with other axes goes out as it came, with a mask that was drawn elsewhere on its file."""

from itertools import permutations, product
from pathlib import Path
from typing import Any
from uuid import uuid4

import nibabel
import numpy as np
import pytest
import SimpleITK
from nibabel.orientations import aff2axcodes, axcodes2ornt, inv_ornt_aff, ornt_transform

from annotation.datasets import services
from annotation.datasets.verify import verify
from annotation.intake.limits import Limits
from annotation.intake.nifti import read_nifti
from annotation.intake.services import import_now
from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_nifti
from annotation.masks.states import EMPTY
from tests.db.test_exports import exported
from tests.factories.world import World, approve, publish
from voxloop.volume.nifti import turn_axes

SHAPE = (24, 20, 18)  # of the file's i, j, k
AXES = ["".join(sign) for order in permutations(("LR", "AP", "SI")) for sign in product(*order)]


def make_file(path: Path, axes: str, values: Any = None) -> Path:
    """A NIfTI file of int16 noise (or `values`) whose axes point as `axes` says, turned a little and anisotropic."""
    turn = np.deg2rad(7)
    oblique = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    ras = np.eye(4)
    ras[:3, :3], ras[:3, 3] = oblique * [0.7, 0.9, 1.5], [-31.25, 12.5, -100.125]
    transform = ornt_transform(axcodes2ornt(("R", "A", "S")), axcodes2ornt(tuple(axes)))
    shape_ras = [0, 0, 0]
    for source, (target, _) in enumerate(transform):
        shape_ras[source] = SHAPE[int(target)]
    affine = ras @ inv_ornt_aff(transform, shape_ras)
    assert "".join(aff2axcodes(affine)) == axes
    noise = np.random.default_rng(5).integers(-1000, 1000, SHAPE).astype(np.int16)
    nibabel.Nifti1Image(noise if values is None else values, affine).to_filename(path)
    return path


@pytest.mark.parametrize("axes", AXES)
def test_turning_back_undoes_what_intake_did(tmp_path: Path, axes: str) -> None:
    source = make_file(tmp_path / "v.nii.gz", axes)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = read_nifti(source, scratch, Limits())
    assert found.origin.facts["axes"] == axes
    voxels_zyx, geometry = turn_axes(found.voxels_zyx, found.geometry, axes)
    image = nibabel.Nifti1Image.from_filename(source)
    np.testing.assert_array_equal(voxels_zyx.transpose(2, 1, 0), np.asanyarray(image.dataobj))
    np.testing.assert_allclose(geometry.ras_from_ijk(), image.affine, atol=1e-4)


@pytest.mark.django_db
def test_scan_and_mask_come_out_on_the_grid_of_their_file(world: World, settings: Any, tmp_path: Path) -> None:
    source = make_file(tmp_path / "v.nii.gz", "PIR")
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[2:9, 3:5, 4:12] = 1
    drawn[23, 19, 17] = 2
    mask = make_file(tmp_path / "m.nii.gz", "PIR", drawn)
    told = import_now(path=source, site=world.sites["a"], campaign=world.campaign, actor=world["datamanager"])
    code = told["scans"][0]["code"]
    row = publish(world, size=7).assignments.get(scan__code=code)
    begin(assignment_id=row.pk, actor=world["annotator"])
    save_nifti(
        assignment_id=row.pk,
        layer="findings",
        body=mask.read_bytes(),
        if_match=EMPTY,
        key=uuid4(),
        actor=world["annotator"],
    )
    save_answers(assignment_id=row.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=world["annotator"])
    approve(world, row)
    made = services.create_release(campaign=world.campaign, name="r1", actor=world["datamanager"])
    release = services.freeze_release(release_id=made.pk, actor=world["datamanager"])
    export = exported(world, release, formats=["nifti_original"])
    assert export.job.state == "succeeded", export.job.error
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    assert verify(folder, seal=export.seal).faults == []
    for came, went in ((source, "images"), (mask, "labels")):
        out = folder / f"nifti-original/{went}/{code}.nii.gz"
        before, after = nibabel.Nifti1Image.from_filename(came), nibabel.Nifti1Image.from_filename(out)
        np.testing.assert_array_equal(np.asanyarray(after.dataobj), np.asanyarray(before.dataobj))
        np.testing.assert_allclose(after.affine, before.affine, atol=1e-4)
        one, other = SimpleITK.ReadImage(str(came)), SimpleITK.ReadImage(str(out))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(other), SimpleITK.GetArrayFromImage(one))
        for name in ("GetOrigin", "GetSpacing", "GetDirection"):
            np.testing.assert_allclose(getattr(other, name)(), getattr(one, name)(), atol=1e-4)
