"""What was sent is called as it was sent, unless that could name a patient."""

from pathlib import Path

import pytest

from annotation.intake.naming import Sent, harmless, harmless_upload, name_sent
from annotation.intake.sources import SourceFile


@pytest.mark.parametrize(
    "name", ["SE000003", "IM00017.dcm", "chest-ct 12", "Series 2", "thin_lung.nii.gz", "00017", "1"]
)
def test_words_of_the_trade_and_short_numbers_are_kept(name: str) -> None:
    assert harmless(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "DOE^JANE",
        "jane_doe.zip",
        "Müller",
        "19610312",
        "61-03-12",
        "12.03.1961.dcm",
        "1.2.840.113619.2.5",
        "P-0042317",
        "id 483920",
        "",
        "a" * 200,
    ],
)
def test_what_may_name_a_patient_is_not(name: str) -> None:
    assert harmless(name) == ""


def test_other_folders_and_files_are_called_by_their_number() -> None:
    sent = [("DOE^JANE/SE3", "IM1.dcm"), ("DOE^JANE/SE3", "jane.dcm"), ("series 4", "IM1.dcm"), (".", "chest.dcm")]
    files = [SourceFile(Path(str(n)), folder, name) for n, (folder, name) in enumerate(sent)]
    named = name_sent(files)
    assert [named[file.path] for file in files] == [
        Sent("folder 2", "IM1.dcm", (2, 1)),
        Sent("folder 2", "file 2", (2, 2)),
        Sent("series 4", "IM1.dcm", (3, 1)),
        Sent("", "chest.dcm", (1, 1)),
    ]


def test_an_upload_is_called_by_its_name_or_its_type() -> None:
    assert harmless_upload("C:\\data\\chest 12.zip", ".zip") == "chest 12.zip"
    assert harmless_upload("Doe Jane.zip", ".zip") == "a .zip file"
