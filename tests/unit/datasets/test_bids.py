"""Names of BIDS: its validator finds no error, images and masks are those of the release."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from annotation.datasets.exporters.bids import name_subjects
from tests.unit.datasets.readers import SCRIPTS
from tests.unit.datasets.release_case import chosen_release


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("release")
    return folder, chosen_release(folder, ["bids"])[0]


def validate(folder: Path) -> list[tuple[str, str, str]]:
    """Severity, code and place of what the validator finds. Each dataset by itself: it does not read the `.bidsignore`
    of a derivative that it comes to from above (3.0.2)."""
    done = subprocess.run(
        [SCRIPTS / "bids-validator-deno", folder, "--json"], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    issues = told["issues"]["issues"]
    return [(issue["severity"], issue["code"], issue.get("location", "")) for issue in issues]


def test_the_validator_of_bids_finds_no_error(made: Any) -> None:
    for folder in ("bids", "bids/derivatives/voxloop"):
        assert [issue for issue in validate(made[0] / folder) if issue[0] == "error"] == []


def test_the_validator_would_find_one(made: Any, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(made[0] / "bids", tmp_path / "bids"))
    (copied / "participants.tsv").write_text("who\nsub-1\n")
    assert any(severity == "error" for severity, _, _ in validate(copied))


def test_every_image_and_mask_is_the_file_of_the_release(made: Any) -> None:
    folder, frozen = made
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    for scan in frozen["scans"]:
        of_scan = [file for file in listed if file["scan"] == scan["code"]]
        hashes = {file["path"]: file["sha256"] for file in of_scan}
        stem = f"sub-{scan['site']}S{scan['code'].replace('-', '')}"
        for ours, theirs in (
            (f"images/{scan['code']}.nii.gz", f"bids/{stem}/ct/{stem}_ct.nii.gz"),
            (f"labels/{scan['code']}.nii.gz", f"bids/derivatives/voxloop/{stem}/ct/{stem}_desc-findings_dseg.nii.gz"),
            (
                f"labels-anatomy/{scan['code']}.nii.gz",
                f"bids/derivatives/voxloop/{stem}/ct/{stem}_desc-anatomy_dseg.nii.gz",
            ),
        ):
            assert hashes[ours] == hashes[theirs]
        assert json.loads((folder / f"bids/{stem}/ct/{stem}_ct.json").read_text())["Modality"] == "CT"
    table = (folder / "bids/derivatives/voxloop/desc-findings_dseg.tsv").read_text().splitlines()
    assert table == ["index\tname\tcolor", "0\tbackground\tn/a", *(f"{n}\t{name}\t{hue}" for n, name, hue in SEGMENTS)]


SEGMENTS = ((1, "opacity", "#e8ac00"), (2, "cavity", "#d93f02"), (7, "nodule", "#ae4bb3"))


def test_two_subjects_never_share_a_name() -> None:
    scans = [{"site": "a", "subject": name, "code": name} for name in ("V-1", "V1", "V_1", "V-1", "é")]
    names = name_subjects(scans)
    assert list(names.values()) == ["sub-aV1", "sub-aV1x2", "sub-aV1x3", "sub-a"]
