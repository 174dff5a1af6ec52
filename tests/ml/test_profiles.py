"""Profiles are files that a person reads, copies and changes."""

import shutil
from pathlib import Path

import pytest

from mlservice.contract import profile, profile_names
from mlservice.contract.profiles import FOLDER
from voxloop.child import ContractError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The profiles, and a copy of `demo` under the name `mine`."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    shutil.copy(FOLDER / "demo.toml", tmp_path / "mine.toml")
    return tmp_path


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "mine.toml"
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def refusal(folder: Path) -> str:
    with pytest.raises(ContractError) as refused:
        profile("mine", folder)
    assert refused.value.code == "bad_profile"
    assert refused.value.sentence.endswith((".", "?"))
    return refused.value.sentence


def test_a_copy_is_a_profile_under_its_own_name(folder: Path) -> None:
    change(folder, "steps = ", "steps = 7 # ")
    ours = profile("mine", folder)
    assert profile_names(folder) == ("demo", "lesion-2d", "lesion-3d", "mine")
    assert (ours.profile, ours.steps, ours.classes) == ("mine", 7, ())
    assert ours.features == profile("demo").features


def test_what_is_wrong_is_said_with_the_name_of_the_setting(folder: Path) -> None:
    change(folder, "batch = 16", 'batch = "many"')
    assert refusal(folder) == "mine.toml: Expected `int`, got `str` - at `batch`."


def test_a_mistyped_setting_is_named_with_what_was_meant(folder: Path) -> None:
    change(folder, "steps = ", "step = ")
    assert refusal(folder) == "mine.toml: There is no setting 'step'; did you mean 'steps'?"


def test_a_missing_setting_is_named(folder: Path) -> None:
    change(folder, 'network = "basic_unet_2d"\n', "")
    assert refusal(folder) == "mine.toml: The setting 'network' is missing."


def test_what_planning_sets_is_not_set_in_a_file(folder: Path) -> None:
    change(folder, "batch = 16", "batch = 16\ncpu_threads = 4")
    assert refusal(folder) == "mine.toml: There is no setting 'cpu_threads'; planning sets it."


def test_a_value_that_cannot_be_is_told_in_words(folder: Path) -> None:
    change(folder, "ema = 0.98", "ema = 1.5")
    assert refusal(folder) == "mine.toml: The decay of the average lies between 0 and 1."


def test_a_file_that_is_no_toml_is_told_with_its_line(folder: Path) -> None:
    (folder / "mine.toml").write_text("network = \n")
    assert "line 1" in refusal(folder)
    (folder / "mine.toml").write_bytes(b"\xff\xfe")
    assert "cannot be read" in refusal(folder)


def test_a_path_is_no_name(folder: Path) -> None:
    with pytest.raises(ContractError, match="no profile"):
        profile("../profiles/demo", folder)
