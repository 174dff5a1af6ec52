"""Names of folders and files as they were sent, as far as they cannot name a patient.

What is refused is found again by its folder, file and series number. A path may hold the patient's name, so only known
words of this trade, short numbers and extensions are kept of it; every other folder or file is called by its number in
the order of names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotation.intake.sources import SourceFile

_WORDS = """
    abdomen anon anonymised anonymized archive axial b batch body brain case chest cor coronal covid covid19 cr ct
    data dcm de deid deidentified dicom dose dx export exports file files folder follow followup hd head hrct i id
    im image images img in input kernel label labels large localiser localizer lung lungct lungs mask masks media
    mediastinum nifti nii no of out output pa part pat patient phantom post pre recon report sag sagittal scan scans
    scout se seg segmentation ser series set slice slices small soft st std study sub subject test thick thin thorax
    tmp topogram up upload uploads vol volume x xray xrays zip
"""
WORDS = frozenset(_WORDS.split())
EXTENSIONS = frozenset({"csv", "dcm", "dicom", "gz", "ima", "img", "jpeg", "jpg", "nii", "png", "zip"})
MOST_DIGITS = 5  # more may be a date, a hospital's number of a patient, or a UID …
MOST_AFTER_ZEROS = 3  # … except for a short number with zeros before it
LONGEST = 60
PART = re.compile(r"[a-z]+|\d+|[^a-z\d]+")
SEPARATORS = re.compile(r"[ ._()\-]+")


@dataclass(frozen=True)
class Sent:
    """Where a file was among those that were sent; `turn` orders them by name."""

    folder: str
    file: str
    turn: tuple[int, int]


def name_sent(files: Sequence[SourceFile]) -> dict[Path, Sent]:
    """For each file what its folder and itself may be called."""
    ordered = sorted(files, key=lambda file: (file.folder, file.name))
    folders = {folder: n for n, folder in enumerate(sorted({file.folder for file in files}), start=1)}
    counted: dict[str, int] = {}
    named = {}
    for file in ordered:
        counted[file.folder] = number = counted.get(file.folder, 0) + 1
        folder = "" if file.folder in ("", ".") else _folder(file.folder, folders[file.folder])
        named[file.path] = Sent(folder, harmless(file.name) or f"file {number}", (folders[file.folder], number))
    return named


def harmless(name: str) -> str:
    """A file or folder name when it is made of words of this trade and short numbers only; else an empty text."""
    parts = PART.findall(name.lower())
    is_known = all(
        part in WORDS or part in EXTENSIONS or _is_short_number(part) or SEPARATORS.fullmatch(part) for part in parts
    )
    # Several short numbers may be a date of birth: 12.03.1961, 61-03-12.
    is_date = sum(part.isdigit() for part in parts) > 2
    return name if parts and is_known and not is_date and len(name) <= LONGEST else ""


def _is_short_number(part: str) -> bool:
    return part.isdigit() and (len(part) <= MOST_DIGITS or len(part.lstrip("0")) <= MOST_AFTER_ZEROS)


def harmless_upload(name: str, suffix: str) -> str:
    """The same for an uploaded file, which is otherwise called by its type."""
    return harmless(PurePosixPath(name.replace("\\", "/")).name) or f"a {suffix} file"


def _folder(path: str, number: int) -> str:
    parts = [harmless(part) for part in PurePosixPath(path).parts]
    return "/".join(parts) if all(parts) else f"folder {number}"
