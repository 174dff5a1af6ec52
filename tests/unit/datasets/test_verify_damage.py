"""Verification of releases: files that cannot be what they claim, and manifests that lack something."""

import gzip
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from annotation.datasets.verify import verify
from tests.unit.datasets.forging import cover_up, edit_manifest, faults, relabel
from voxloop.storage.objects import sha256_of


def test_voxels_both_erased_and_labelled_are_found(release: Path) -> None:
    name = "erased/VX-A-0001.nii.gz"
    relabel(release, name, lambda voxels: voxels.__setitem__((31, 12, 4), 1))
    cover_up(release, name)
    assert faults(release) == {(name, "erased")}


@pytest.mark.parametrize(
    "name", ["images/VX-A-0001.nii.gz", "erased/VX-A-0001.nii.gz", "labels-anatomy/VX-B-0001.nii.gz"]
)
def test_a_file_on_another_grid_is_named_once(release: Path, name: str) -> None:
    image = nibabel.Nifti1Image.from_filename(release / name)
    voxels = np.asanyarray(image.dataobj)[:-1]
    nibabel.Nifti1Image(voxels, image.affine, image.header).to_filename(release / name)
    cover_up(release, name)
    assert [(fault.file, fault.code) for fault in verify(release).faults] == [(name, "geometry")]


def test_an_image_that_is_none_does_not_hide_what_is_wrong_with_its_masks(release: Path) -> None:
    image, label = "images/VX-C-0001.nii.gz", "labels/VX-C-0001.nii.gz"
    (release / image).write_bytes(gzip.compress(b"no image"))
    relabel(release, label, lambda voxels: voxels.__setitem__((1, 1, 32), 1))
    cover_up(release, image, label)
    found = [(fault.file, fault.code) for fault in verify(release).faults]
    assert found == [(image, "unreadable"), (label, "not_approved")]


def test_scaled_labels_are_found(release: Path) -> None:
    """Some programs apply the scale and others do not; an empty mask shows no other sign of it."""
    name = "labels/VX-A-0002.nii.gz"
    raw = bytearray(gzip.decompress((release / name).read_bytes()))
    raw[112:116] = np.float32(2).tobytes()  # scl_slope
    (release / name).write_bytes(gzip.compress(bytes(raw)))
    cover_up(release, name)
    assert faults(release) == {(name, "type")}


def test_lists_that_contradict_each_other_are_found(release: Path) -> None:
    document = json.loads((release / "manifest.json").read_text())
    document["files"] = [entry for entry in document["files"] if entry["path"] != "README.md"]
    (release / "manifest.json").write_text(json.dumps(document))
    sums = (release / "SHA256SUMS").read_text().splitlines()
    changed = sha256_of(release / "manifest.json")
    kept = [f"{changed}  manifest.json" if line.endswith("  manifest.json") else line for line in sums]
    (release / "SHA256SUMS").write_text("\n".join(kept) + "\n")
    assert faults(release) == {("README.md", "listing")}


def test_a_subject_on_two_sides_is_found_where_its_site_is_not_known_to_be(release: Path) -> None:
    """Two sites may use the same pseudonym; within one it is one person."""

    def same_subject(frozen: dict[str, Any]) -> None:
        for scan in frozen["scans"]:
            scan["subject"] = "S-1"

    edit_manifest(release, same_subject, rehash=True)
    assert faults(release) == set()


@pytest.mark.parametrize(
    "change",
    [
        lambda frozen: frozen["schema"]["definition"]["layers"].pop(),
        lambda frozen: frozen["scans"][0]["layers"]["findings"].pop("content_hash"),
        lambda frozen: frozen["scans"][0].pop("shape_zyx"),
        lambda frozen: frozen["scans"][0].update(lps_from_ijk="none"),
        lambda frozen: frozen.update(scans=7),
    ],
    ids=["no layer", "no hash", "no shape", "no affine", "no scans"],
)
def test_a_manifest_that_lacks_something_is_a_fault_and_no_crash(release: Path, change: Any) -> None:
    edit_manifest(release, change, rehash=True)
    assert ("manifest.json", "unreadable") in faults(release)


def test_a_list_for_training_programs_that_is_none_is_a_fault(release: Path) -> None:
    (release / "dataset.json").write_text('{"training": 1}')
    cover_up(release, "dataset.json")
    assert faults(release) == {("dataset.json", "unreadable")}


def test_progress_never_goes_back_and_ends_with_all(release: Path) -> None:
    told: list[tuple[int, int, str]] = []
    verify(release, progress=lambda done, total, what: told.append((done, total, what)))
    shares = [done / total for done, total, _ in told]
    assert shares == sorted(shares)
    assert told[-1][0] == told[-1][1]
    assert {"VX-A-0001", "VX-C-0001", "README.md"} <= {what for _, _, what in told}
