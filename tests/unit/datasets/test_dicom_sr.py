"""Measurement reports, read by highdicom and by dcmqi: the figures are those of the voxels, at the right segment."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest

from tests.unit.datasets.readers import SCRIPTS
from tests.unit.datasets.release_case import FINDINGS, chosen_release, oblique
from voxloop.volume.labelmap import strip_erased


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("release")
    return folder, chosen_release(folder, ["dicom_sr"])[1]


def truth(voxels: Any, segment: int) -> dict[str, float]:
    """mL and mean HU of a segment, from the arrays alone; no mean of nothing."""
    inside = voxels.hu_zyx[strip_erased(voxels.labels_zyx["findings"]) == segment]
    ml = inside.size * np.prod(oblique(voxels.hu_zyx.shape).spacing_mm_zyx) / 1000
    figures = {"Volume": float(ml)}
    return figures | {"Attenuation Coefficient": float(inside.mean())} if inside.size else figures


@pytest.mark.parametrize("code", ["VX-A-0001", "VX-A-0002", "VX-C-0001"])
def test_highdicom_reads_the_figures_of_every_segment(made: Any, code: str) -> None:
    folder, voxels = made
    report = highdicom.sr.srread(folder / f"dicom-sr/{code}.dcm")
    seg = pydicom.dcmread(folder / f"dicom-seg/{code}.dcm")
    content: Any = report.content
    groups = content.get_volumetric_roi_measurement_groups()
    assert len(groups) == len(FINDINGS["segments"])
    for number, (segment, group) in enumerate(zip(FINDINGS["segments"], groups, strict=True), start=1):
        told = {item.name.meaning: item.value for item in group.get_measurements()}
        assert told == pytest.approx(truth(voxels[code], int(segment["id"])), rel=1e-9)
        assert group.tracking_uid == seg.SegmentSequence[number - 1].TrackingUID
        assert group.reference_type.meaning == "Referenced Segment"
        assert group.referenced_segment.referenced_segment_numbers == [number]
        assert group.referenced_segment.referenced_sop_instance_uid == seg.SOPInstanceUID
    assert report.StudyInstanceUID == seg.StudyInstanceUID
    assert report.PatientID == seg.PatientID


def test_dcmqi_reads_the_same_figures(made: Any, tmp_path: Path) -> None:
    folder, voxels = made
    path = folder / "dicom-sr/VX-A-0001.dcm"
    done = subprocess.run(
        [SCRIPTS / "tid1500reader", "--inputDICOM", path, "--outputMetadata", tmp_path / "read.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    groups = json.loads((tmp_path / "read.json").read_text())["Measurements"]
    assert [group["TrackingIdentifier"] for group in groups] == ["opacity", "cavity", "nodule"]
    for segment, group in zip(FINDINGS["segments"], groups, strict=True):
        volume = group["measurementItems"][0]
        assert (volume["quantity"]["CodeMeaning"], volume["units"]["CodeValue"]) == ("Volume", "mL")
        expected_ml = truth(voxels["VX-A-0001"], int(segment["id"]))["Volume"]
        assert float(volume["value"]) == pytest.approx(expected_ml, rel=1e-6)
    assert groups[0]["Finding"]["CodeMeaning"] == "Pneumonia"


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.parametrize("code", ["VX-A-0001", "VX-A-0002"])
def test_dciodvfy_finds_no_error(made: Any, code: str) -> None:
    told = subprocess.run(
        ["dciodvfy", made[0] / f"dicom-sr/{code}.dcm"], capture_output=True, text=True, check=False
    ).stderr
    assert "EnhancedSR" in told
    assert "Error" not in told
