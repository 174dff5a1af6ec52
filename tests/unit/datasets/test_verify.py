"""Verification of releases: every kind of tampering is detected and named."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from annotation.datasets.verify import NotARelease, main, verify
from tests.unit.datasets.forging import cover_up, edit_manifest, faults, relabel
from voxloop.storage.objects import sha256_of


def test_an_untouched_release_is_proven(release: Path) -> None:
    verdict = verify(release)
    assert verdict.faults == []
    assert (verdict.scans, verdict.release) == (4, "r1")
    assert verdict.seal == sha256_of(release / "SHA256SUMS")
    assert verify(release, seal=verdict.seal).is_proven


def test_it_is_proven_without_anything_of_ours(release: Path) -> None:
    """In an interpreter without access to the repository, by the verifier in the release."""
    ran = subprocess.run([sys.executable, "-I", "verify.py"], cwd=release, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout[:7]) == (0, "Proven:")


def test_sha256sum_agrees(release: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=release, check=True)


def test_a_missing_file_is_named(release: Path) -> None:
    (release / "images/VX-A-0001.nii.gz").unlink()
    assert ("images/VX-A-0001.nii.gz", "missing") in faults(release)


@pytest.mark.parametrize(
    "name",
    [
        "images/VX-B-0001.nii.gz",
        "labels/VX-A-0001.nii.gz",
        "dicom-seg/VX-A-0002.dcm",
        "erased/VX-A-0001.nii.gz",
        "README.md",
        "labels.json",
        "dataset.json",
        "verify.py",
    ],
)
def test_a_changed_byte_is_named(release: Path, name: str) -> None:
    raw = bytearray((release / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (release / name).write_bytes(raw)
    assert (name, "changed") in faults(release)


@pytest.mark.parametrize("name", ["labels/VX-Z-0009.nii.gz", ".hidden", "images/sub/notes.txt"])
def test_an_extra_file_is_named(release: Path, name: str) -> None:
    (release / name).parent.mkdir(exist_ok=True)
    (release / name).write_bytes(b"stowaway")
    assert faults(release) == {(name, "extra")}


def test_a_link_instead_of_a_file_is_named(release: Path, tmp_path: Path) -> None:
    (release / "README.md").rename(tmp_path / "elsewhere")
    (release / "README.md").symlink_to(tmp_path / "elsewhere")
    assert ("README.md", "not_a_file") in faults(release)


def test_swapped_labels_are_found_even_when_all_sums_were_made_again(release: Path) -> None:
    one, two = release / "labels/VX-A-0001.nii.gz", release / "labels/VX-A-0002.nii.gz"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    cover_up(release, "labels/VX-A-0001.nii.gz", "labels/VX-A-0002.nii.gz")
    assert faults(release) == {("labels/VX-A-0001.nii.gz", "not_approved"), ("labels/VX-A-0002.nii.gz", "not_approved")}


def test_one_changed_voxel_is_found_even_when_all_sums_were_made_again(release: Path) -> None:
    name = "labels/VX-C-0001.nii.gz"
    relabel(release, name, lambda voxels: voxels.__setitem__((1, 1, 32), 1))
    cover_up(release, name)
    assert faults(release) == {(name, "not_approved")}


def test_a_removed_erased_voxel_is_found_even_when_all_sums_were_made_again(release: Path) -> None:
    name = "erased/VX-A-0001.nii.gz"
    relabel(release, name, lambda voxels: voxels.__setitem__((5, 5, 6), 0))
    cover_up(release, name)
    assert faults(release) == {("labels/VX-A-0001.nii.gz", "not_approved")}


@pytest.mark.parametrize("value", [3, 200, 255])
def test_a_value_outside_the_schema_is_found(release: Path, value: Any) -> None:
    name = "labels/VX-A-0001.nii.gz"
    relabel(release, name, lambda voxels: voxels.__setitem__((0, 0, 0), value))
    cover_up(release, name)
    assert (name, "value") in faults(release)


def test_a_moved_label_is_found(release: Path) -> None:
    name = "labels/VX-A-0001.nii.gz"
    image = nibabel.Nifti1Image.from_filename(release / name)
    moved = image.affine.copy()
    moved[2, 3] += 0.5
    nibabel.Nifti1Image(np.asanyarray(image.dataobj), moved, image.header).to_filename(release / name)
    cover_up(release, name)
    assert faults(release) == {(name, "geometry")}


def test_labels_of_another_type_are_found(release: Path) -> None:
    name = "labels/VX-A-0001.nii.gz"
    relabel(release, name, lambda voxels: None, np.float32)
    cover_up(release, name)
    assert (name, "type") in faults(release)


def test_a_truncated_label_is_found(release: Path) -> None:
    name = "labels/VX-A-0001.nii.gz"
    raw = gzip.decompress((release / name).read_bytes())
    (release / name).write_bytes(gzip.compress(raw[:-1000]))
    cover_up(release, name)
    assert faults(release) == {(name, "unreadable")}


def test_an_edited_manifest_is_found(release: Path) -> None:
    edit_manifest(release, lambda frozen: frozen["scans"][0].update(author="somebody"), rehash=False)
    assert faults(release) == {("manifest.json", "manifest_hash")}


def test_a_site_on_two_sides_is_found(release: Path) -> None:
    edit_manifest(release, lambda frozen: frozen["scans"][0].update(split="test"), rehash=True)
    assert faults(release) == {("manifest.json", "split"), ("dataset.json", "split")}


def test_a_training_list_with_a_test_scan_is_found(release: Path) -> None:
    document = json.loads((release / "dataset.json").read_text())
    document["training"] += document["test"]
    (release / "dataset.json").write_text(json.dumps(document))
    cover_up(release, "dataset.json")
    assert faults(release) == {("dataset.json", "split")}


def test_the_seal_finds_what_was_made_again_as_a_whole(release: Path) -> None:
    seal = verify(release).seal
    name = "images/VX-A-0001.nii.gz"
    relabel(release, name, lambda voxels: voxels.__setitem__((0, 0, 0), 9), np.int16)
    cover_up(release, name)
    assert faults(release) == set()
    assert faults(release, seal=seal) == {("SHA256SUMS", "seal")}


def test_a_release_without_its_sums_is_not_complete(release: Path) -> None:
    (release / "SHA256SUMS").unlink()
    assert ("SHA256SUMS", "missing") in faults(release)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "voxloop-release/1"}', "\xff"])
def test_a_broken_manifest_is_a_fault_and_no_crash(release: Path, text: str) -> None:
    (release / "manifest.json").write_text(text)
    assert ("manifest.json", "unreadable") in faults(release)


def test_the_command_answers_by_its_exit_code(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(release), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    (release / "README.md").write_text("changed")
    assert main([str(release)]) == 1
    assert "README.md: The bytes" in capsys.readouterr().out
    assert main([str(tmp_path / "nowhere")]) == 2
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotARelease):
        verify(tmp_path / "plain")
