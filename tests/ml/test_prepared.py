"""A scan is prepared once: the next training takes over what did not change, and learns the same."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mlservice.contract import ScanRef, TrainRequest
from mlservice.prepared import entry_name, prepare_all
from tests.ml.bodies import NODULE, OPACITY, lines, make_scan, tiny
from voxloop.child.inside import ChildFolder


@pytest.fixture
def scans(tmp_path: Path) -> tuple[ScanRef, ...]:
    made = [make_scan(tmp_path, f"s{number}", number) for number in range(3)]
    return tuple(msgspec.structs.replace(scan, content=f"pack {scan.id}") for scan in made)


def prepared(tmp_path: Path, name: str, request: TrainRequest) -> tuple[list[Path], str]:
    """The folders and the last sentence."""
    job = tmp_path / name
    job.mkdir()
    return prepare_all(request, ChildFolder(job)), lines(job)[-1]["sentence"]


def contents(folders: list[Path]) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for folder in folders for path in sorted(folder.iterdir())]


def test_the_next_training_prepares_only_what_is_new(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    request = TrainRequest(tiny("demo"), scans[:2], 1, "f", prepared=str(tmp_path / "kept"))
    first, said = prepared(tmp_path, "first", request)
    assert said == "Prepared scan 2 of 2"
    again, said = prepared(tmp_path, "again", msgspec.structs.replace(request, scans=scans))
    assert said == "Prepared scan 3 of 3, 2 of them before"
    assert contents(again[:2]) == contents(first)
    alone, _ = prepared(tmp_path, "alone", msgspec.structs.replace(request, scans=scans, prepared=""))
    assert contents(alone) == contents(again)
    assert len(list((tmp_path / "kept").iterdir())) == 3
    # Nothing is copied, and what a training holds outlives the entry.
    entry = tmp_path / "kept" / entry_name(scans[0], request.config)
    assert os.stat(entry / "image.npy").st_ino == os.stat(again[0] / "image.npy").st_ino
    for path in entry.iterdir():
        path.unlink()
    assert np.load(again[0] / "image.npy").size > 0


def test_what_changes_the_result_is_in_the_name(scans: tuple[ScanRef, ...]) -> None:
    config = tiny("demo")
    name = entry_name(scans[0], config)
    changed = [
        entry_name(scans[1], config),
        entry_name(msgspec.structs.replace(scans[0], spacing_mm_zyx=(5.0, 1.0, 1.0)), config),
        *(
            entry_name(scans[0], tiny("demo", **change))
            for change in (
                {"window_hu": (-1000.0, 0.0)},
                {"spacing_mm_zyx": (0.0, 2.0, 2.0)},
                {"classes": (OPACITY, NODULE)},
                {"grid_px": 64},
                {"lung_channel": False, "paste_share": 0.0, "haze_share": 0.0, "consolidation_share": 0.0},
                {"loss": "dice_ce", "haze_share": 0.0, "consolidation_share": 0.0},
            )
        ),
    ]
    assert len({name, *changed}) == len(changed) + 1
    assert entry_name(scans[0], tiny("demo", steps=7, learning_rate=1.0, batch=3)) == name


def test_a_machine_that_cannot_keep_them_trains_all_the_same(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("no folder")
    request = TrainRequest(tiny("demo"), scans, 1, "f", prepared=str(tmp_path / "kept"))
    folders, said = prepared(tmp_path, "first", request)
    assert (len(folders), said) == (3, "Prepared scan 3 of 3")


def test_what_is_not_known_is_not_kept(scans: tuple[ScanRef, ...], tmp_path: Path) -> None:
    unknown = tuple(msgspec.structs.replace(scan, content="") for scan in scans)
    prepared(tmp_path, "first", TrainRequest(tiny("demo"), unknown, 1, "f", prepared=str(tmp_path / "kept")))
    assert not (tmp_path / "kept").exists()
