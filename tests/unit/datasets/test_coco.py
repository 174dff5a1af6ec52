"""COCO files as pycocotools reads them: every slice, voxel for voxel, and where it lies."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from tests.unit.datasets.release_case import chosen_release, oblique
from voxloop.volume.labelmap import strip_erased


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("release")
    return folder, chosen_release(folder, ["coco"])[1]


# Of pycocotools 2.0.11, where it decodes with NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize(("layer", "subfolder"), [("findings", "coco"), ("anatomy", "coco-anatomy")])
@pytest.mark.parametrize(
    ("side", "codes"),
    [("train", ["VX-A-0001", "VX-A-0002"]), ("validation", ["VX-B-0001"]), ("test", ["VX-C-0001"])],
)
def test_every_slice_is_read_back(made: Any, layer: str, subfolder: str, side: str, codes: list[str]) -> None:
    folder, voxels = made
    read = COCO(folder / subfolder / f"{side}.json")
    found = {code: np.zeros(voxels[code].hu_zyx.shape, np.uint8) for code in codes}
    slices = dict.fromkeys(codes, 0)
    for number, image in read.imgs.items():
        code = Path(image["file_name"]).name.removesuffix(".nii.gz")
        slices[code] += 1
        assert (folder / image["file_name"]).is_file()
        for annotation in read.loadAnns(read.getAnnIds(imgIds=[number])):
            mask = read.annToMask(annotation).astype(bool)
            assert mask.sum() == annotation["area"]
            y, x = np.nonzero(mask)
            assert annotation["bbox"] == [x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1]
            found[code][image["slice"]][mask] = annotation["category_id"]
    for code in codes:
        assert slices[code] == len(voxels[code].hu_zyx)
        np.testing.assert_array_equal(found[code], strip_erased(voxels[code].labels_zyx[layer]))


def test_pixels_lead_to_millimetres(made: Any) -> None:
    read = COCO(made[0] / "coco/test.json")
    [scan] = read.dataset["scans"]
    for k in (0, 32):
        lps = (np.array(scan["lps_from_ijk"]) @ [39, 43, k, 1])[:3]
        np.testing.assert_allclose(lps, oblique((33, 44, 40)).lps_of((39, 43, k)), atol=1e-4)


def test_its_categories_are_the_segments(made: Any) -> None:
    read = COCO(made[0] / "coco/train.json")
    assert {number: row["name"] for number, row in read.cats.items()} == {1: "opacity", 2: "cavity", 7: "nodule"}
