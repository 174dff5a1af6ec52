"""`dataset.json` as MONAI reads it: paths of images and labels on each side."""

from pathlib import Path

import numpy as np
import pytest
from monai.data.decathlon_datalist import load_decathlon_datalist
from monai.data.image_reader import NibabelReader

from tests.unit.datasets.release_case import chosen_release, oblique
from voxloop.volume.labelmap import strip_erased


@pytest.mark.parametrize(
    ("side", "codes"),
    [("training", ["VX-A-0001", "VX-A-0002"]), ("validation", ["VX-B-0001"]), ("test", ["VX-C-0001"])],
)
def test_monai_loads_every_side_with_voxels_and_affine(tmp_path: Path, side: str, codes: list[str]) -> None:
    _, voxels = chosen_release(tmp_path, [])
    rows = load_decathlon_datalist(tmp_path / "dataset.json", data_list_key=side, base_dir=tmp_path)
    assert [Path(row["image"]).name for row in rows] == [f"{code}.nii.gz" for code in codes]
    reader = NibabelReader()
    for code, row in zip(codes, rows, strict=True):
        written = {"image": voxels[code].hu_zyx, "label": strip_erased(voxels[code].labels_zyx["findings"])}
        for key, expected_zyx in written.items():
            array, facts = reader.get_data(reader.read(row[key]))
            np.testing.assert_array_equal(array.transpose(2, 1, 0), expected_zyx)
            np.testing.assert_allclose(facts["affine"], oblique(expected_zyx.shape).ras_from_ijk(), atol=1e-4)
