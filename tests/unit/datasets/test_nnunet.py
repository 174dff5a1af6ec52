"""The raw dataset for nnU-Net v2: what its own verifier asks for, and the voxels that were approved."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from annotation.datasets.exporters.manifest import dataset_document
from annotation.datasets.exporters.nnunet import numbered_segments
from annotation.datasets.verify import verify
from tests.unit.datasets.release_case import FINDINGS, chosen_release

VALUES = {0: 0, 1: 1, 2: 2, 7: 3}


@pytest.fixture(scope="module")
def nnunet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    chosen_release(folder, ["nnunet"])
    return folder / "nnunet" / "Dataset100_ChestCt"


def check_integrity(folder: Path) -> int:
    """The checks of `nnunetv2.experiment_planning.verify_dataset_integrity` (2.8.1), and equal grids where it only
    warns; returns the number of training cases."""
    document = json.loads((folder / "dataset.json").read_text())
    assert {"labels", "channel_names", "numTraining", "file_ending"} <= document.keys()
    ending, labels = document["file_ending"], dict(document["labels"])
    assert labels["background"] == 0
    ignored = labels.pop("ignore", None)
    expected = sorted(labels.values())
    if ignored is not None:
        assert ignored == max(expected) + 1
        expected.append(ignored)
    assert expected == list(range(len(expected)))
    images = sorted(path.name.removesuffix(f"_0000{ending}") for path in (folder / "imagesTr").iterdir())
    assert images == sorted(path.name.removesuffix(ending) for path in (folder / "labelsTr").iterdir())
    assert len(images) == document["numTraining"] > 0
    for case in images:
        image = SimpleITK.ReadImage(str(folder / "imagesTr" / f"{case}_0000{ending}"))
        label = SimpleITK.ReadImage(str(folder / "labelsTr" / f"{case}{ending}"))
        assert set(np.unique(SimpleITK.GetArrayFromImage(label))) <= set(expected)
        assert (image.GetSize(), image.GetSpacing()) == (label.GetSize(), label.GetSpacing())
        assert (image.GetOrigin(), image.GetDirection()) == (label.GetOrigin(), label.GetDirection())
    return len(images)


def test_it_is_what_the_verifier_of_nnunet_asks_for(nnunet: Path) -> None:
    assert check_integrity(nnunet) == 3
    assert json.loads((nnunet / "dataset.json").read_text())["channel_names"] == {"0": "CT"}


def test_its_labels_are_the_approved_ones_under_consecutive_values(nnunet: Path) -> None:
    for side, codes in {"Tr": ["VX-A-0001", "VX-A-0002", "VX-B-0001"], "Ts": ["VX-C-0001"]}.items():
        for code in codes:
            ours = SimpleITK.ReadImage(str(nnunet.parents[1] / f"labels/{code}.nii.gz"))
            theirs = SimpleITK.ReadImage(str(nnunet / f"labels{side}/{code}.nii.gz"))
            expected = np.vectorize(VALUES.get, otypes=[np.uint8])(SimpleITK.GetArrayFromImage(ours))
            np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(theirs), expected)
            assert theirs.TransformIndexToPhysicalPoint((3, 5, 7)) == ours.TransformIndexToPhysicalPoint((3, 5, 7))
            image = nnunet / f"images{side}/{code}_0000.nii.gz"
            assert image.read_bytes() == (nnunet.parents[1] / f"images/{code}.nii.gz").read_bytes()
    document = json.loads((nnunet / "dataset.json").read_text())
    assert document["labels"] == {"background": 0, "opacity": 1, "cavity": 2, "nodule": 3}
    assert document["segment_ids"] == {"opacity": 1, "cavity": 2, "nodule": 7}


def test_an_image_is_on_disk_once(nnunet: Path) -> None:
    image = nnunet / "imagesTr/VX-A-0001_0000.nii.gz"
    assert os.path.samefile(image, nnunet.parents[1] / "images/VX-A-0001.nii.gz")


def test_its_first_fold_is_the_frozen_split(nnunet: Path) -> None:
    folds = json.loads((nnunet / "splits_final.json").read_text())
    assert folds == [{"train": ["VX-A-0001", "VX-A-0002"], "val": ["VX-B-0001"]}]


def test_a_release_with_it_is_proven(nnunet: Path) -> None:
    verdict = verify(nnunet.parents[1])
    assert verdict.faults == []
    assert "`nnunet/Dataset100_…`" in (nnunet.parents[1] / "README.md").read_text()


def test_what_was_not_judged_has_the_highest_value() -> None:
    segments = [{"id": 4, "key": "ignore"}, {"id": 9, "key": "nodule"}, {"id": 2, "key": "opacity"}]
    assert numbered_segments({"segments": segments}) == {"opacity": 1, "nodule": 2, "ignore": 3}


@pytest.mark.parametrize(("ids", "is_listed"), [([1, 2, 3], True), ([1, 2, 7], False), ([2, 3], False)])
def test_the_list_beside_the_images_is_for_nnunet_only_without_gaps(ids: list[int], is_listed: bool) -> None:
    """A list with gaps would be refused by nnU-Net at once; one without is what it always was."""
    layer = {**FINDINGS, "segments": [{"id": value, "key": f"s{value}"} for value in ids]}
    frozen: dict[str, Any] = {
        "release": {"name": "r1", "licence": ""},
        "campaign": {"name": "Chest CT"},
        "schema": {"definition": {"layers": [layer]}},
        "scans": [{"code": "VX-A-0001", "modality": "CT", "split": "train", "layers": {"findings": {}}}],
    }
    document = dataset_document(frozen)
    assert ("dataset" in document) == is_listed
    assert document["training"] == [{"image": "images/VX-A-0001.nii.gz", "label": "labels/VX-A-0001.nii.gz"}]
