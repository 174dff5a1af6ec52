"""What holds for every format that an export may hold."""

from pathlib import Path

import pytest

from annotation.datasets.exporters.choices import ALWAYS, BY_KEY, CHOICES, known_formats
from annotation.datasets.verify import SUMS, verify
from tests.unit.datasets.release_case import chosen_release
from voxloop.kernel.errors import Invalid
from voxloop.storage.objects import sha256_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in every format."""
    folder = tmp_path_factory.mktemp("whole")
    chosen_release(folder, list(BY_KEY))
    return folder


def test_equal_releases_give_equal_bytes_in_every_format(whole: Path, tmp_path: Path) -> None:
    chosen_release(tmp_path, list(BY_KEY))
    assert (tmp_path / SUMS).read_text() == (whole / SUMS).read_text()
    assert sha256_of(tmp_path / SUMS) == sha256_of(whole / SUMS)


def test_a_release_in_every_format_is_proven(whole: Path) -> None:
    assert verify(whole).faults == []


def test_the_readme_names_what_was_chosen(whole: Path) -> None:
    readme = (whole / "README.md").read_text()
    for choice in CHOICES:
        for path, about in choice.contents:
            assert f"| {path} | {about} |" in readme


def test_a_format_is_written_only_when_it_is_chosen(tmp_path: Path) -> None:
    chosen_release(tmp_path, [])
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == {"images", "labels", "labels-anatomy", "erased", "dicom-seg", "dicom-seg-anatomy"}


def test_formats_have_one_order() -> None:
    keys = list(BY_KEY)
    assert known_formats([]) == list(ALWAYS)
    assert known_formats([*reversed(keys), "nifti"]) == [*ALWAYS, *keys]
    with pytest.raises(Invalid):
        known_formats(["tiff"])
