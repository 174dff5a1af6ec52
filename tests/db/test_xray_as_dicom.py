"""An X-ray that came as DICOM goes out as DICOM with the values of its file, and nobody's name."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK

from annotation.datasets import services
from annotation.datasets.verify import verify
from annotation.intake.services import import_now
from tests.db.test_exports import exported
from tests.factories.world import World, approve, label, publish
from tests.factories.xray import make_xray


@pytest.mark.django_db
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_an_x_ray_is_written_back_as_it_came(world: World, settings: Any, tmp_path: Path, photometric: str) -> None:
    folder = make_xray(tmp_path / "in", photometric)
    [source] = folder.iterdir()
    told = import_now(path=folder, site=world.sites["a"], campaign=world.campaign, actor=world["datamanager"])
    code = told["scans"][0]["code"]
    row = publish(world, size=7).assignments.get(scan__code=code)
    label(world, row)
    approve(world, row)
    made = services.create_release(campaign=world.campaign, name="xr", actor=world["datamanager"])
    release = services.freeze_release(release_id=made.pk, actor=world["datamanager"])
    export = exported(world, release, formats=["dicom"])
    assert export.job.state == "succeeded", export.job.error
    written = settings.EXPORT_ROOT / "chest-ct-xr"
    assert verify(written, seal=export.seal).faults == []
    path = written / f"dicom/{code}/0001.dcm"
    before, after = pydicom.dcmread(source), pydicom.dcmread(path)
    np.testing.assert_array_equal(after.pixel_array, before.pixel_array)
    for keyword in (
        *("SOPClassUID", "Modality", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit"),
        *("PixelRepresentation", "Rows", "Columns", "PixelSpacing"),
    ):
        assert after[keyword].value == before[keyword].value, keyword
    np.testing.assert_array_equal(
        SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))),
        SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(source))),
    )
    assert after.PatientIdentityRemoved == "YES"
    [scan] = release.manifest["scans"]
    assert (after.PatientID, after.SeriesInstanceUID) == (scan["subject"], scan["uids"]["series"])
    ours = {str(element.value) for element in after if element.VR == "UI"}
    assert not ours & {str(before[name].value) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    assert str(before.PatientID) not in {str(element.value) for element in after}
