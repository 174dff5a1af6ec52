"""Tables of a release: the figures follow from the voxels, Parquet and CSV agree, every column is explained."""

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from annotation.datasets.exporters.listing import Listing, ScanVoxels
from annotation.datasets.exporters.tables import Writer
from tests.unit.datasets.readers import SCRIPTS
from tests.unit.datasets.release_case import chosen_release, frozen_release, oblique
from voxloop.volume.labelmap import strip_erased

NAMES = ("scans", "answers", "quantities", "lungs")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("release")
    return folder / "tables", *chosen_release(folder, ["tables"])


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(folder / f"{name}.parquet").to_pylist()
    return found


def test_quantities_are_those_of_the_voxels(made: Any) -> None:
    folder, frozen, voxels = made
    rows = rows_of(folder, "quantities")
    assert len(rows) == len(frozen["scans"]) * 4
    for row in rows:
        scan = voxels[row["scan"]]
        mask = strip_erased(scan.labels_zyx[row["layer"]]) == row["value"]
        voxel_ml = np.prod(oblique(mask.shape).spacing_mm_zyx) / 1000
        assert row["voxels"] == mask.sum()
        assert (row["unit"], row["amount"]) == ("mL", pytest.approx(mask.sum() * voxel_ml))
        assert [row["mean_hu"]] == pytest.approx([scan.hu_zyx[mask].mean()] if mask.any() else [None])


def test_lesions_are_counted_and_the_largest_is_measured(tmp_path: Path) -> None:
    """Two balls of 27 and 8 voxels, one voxel that touches the first by a corner."""
    labels = np.zeros((12, 44, 40), np.uint8)
    labels[2:5, 10:13, 10:13] = labels[5, 13, 13] = labels[8:10, 30:32, 30:32] = 1
    voxels = ScanVoxels(np.full(labels.shape, -600, np.int16), {"findings": labels})
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    writer = Writer(frozen, Listing(tmp_path))
    writer.finish([writer.add(frozen["scans"][0], voxels, {"findings": labels})])
    [row] = [row for row in rows_of(tmp_path / "tables", "quantities") if row["value"] == 1]
    voxel_ml = np.prod(oblique(labels.shape).spacing_mm_zyx) / 1000
    assert (row["lesions"], row["voxels"], row["mean_hu"]) == (2, 36, -600)
    assert row["largest_lesion"] == pytest.approx(28 * voxel_ml)
    assert row["weight_g"] == pytest.approx(36 * voxel_ml * 0.4)
    assert row["diameter_mm"] > 0


def test_parquet_and_csv_say_the_same(made: Any) -> None:
    for name in NAMES:
        with (made[0] / f"{name}.csv").open(newline="") as file:
            listed = list(csv.DictReader(file))
        parquet = rows_of(made[0], name)
        assert len(listed) == len(parquet) > 0
        for ours, theirs in zip(listed, parquet, strict=True):
            assert ours == {key: "" if value is None else str(value) for key, value in theirs.items()}


def test_every_column_is_in_the_dictionary(made: Any) -> None:
    dictionary = json.loads((made[0] / "dictionary.json").read_text())
    for name in NAMES:
        schema = pyarrow.parquet.read_schema(made[0] / f"{name}.parquet")
        assert [entry["column"] for entry in dictionary[name]] == schema.names
        assert all(entry["about"] for entry in dictionary[name])


def test_mlcroissant_accepts_the_metadata_and_loads_the_tables(made: Any) -> None:
    folder = made[0].parent
    mlcroissant = str(SCRIPTS / "mlcroissant")
    document = ["--jsonld", "croissant.json"]
    told = subprocess.run([mlcroissant, "validate", *document], cwd=folder, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "Done." in told.stderr
    assert not re.search("error|warning", told.stderr, re.IGNORECASE), told.stderr
    load = [mlcroissant, "load", *document, "--num_records", "-1", "--record_set", "quantities"]
    loaded = subprocess.run(load, cwd=folder, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    lines = [line for line in loaded.stdout.splitlines() if line.startswith("{")]
    rows = rows_of(made[0], "quantities")
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        assert f"'quantities/scan': b'{row['scan']}'" in line
        assert f"'quantities/voxels': {row['voxels']}" in line
    listed = {entry["@id"] for entry in json.loads((folder / "croissant.json").read_text())["distribution"]}
    assert listed == {f"tables/{name}.csv" for name in NAMES} | {"images", "labels", "labels-anatomy"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_answer_is_run_as_a_formula(tmp_path: Path, text: str) -> None:
    labels = np.zeros((12, 44, 40), np.uint8)
    voxels = ScanVoxels(np.zeros(labels.shape, np.int16), {"findings": labels})
    frozen = frozen_release({"VX-A-0001": voxels}, ["findings"])
    frozen["scans"][0]["answers"] = {"remark": text, "signs": ["a", text]}
    writer = Writer(frozen, Listing(tmp_path))
    writer.finish([writer.add(frozen["scans"][0], voxels, {"findings": labels})])
    with (tmp_path / "tables/answers.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{text}" in cells
    assert text not in cells
    assert [row["answer"] for row in rows_of(tmp_path / "tables", "answers")] == [text, "a", text]
