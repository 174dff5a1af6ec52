"""What the browser's de-identifier reads (`frontend/src/deidentify/`): the rule file and the lists that decide here, as
one JSON document. It is made of the Python, so that both sides judge by the same words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom._dicom_dict import DicomDictionary

from annotation.intake.deidentify.report import class_of
from annotation.intake.deidentify.rules import FILE
from annotation.intake.deidentify.screen import PAGE_NAMES, PAGES
from annotation.intake.deidentify.values import NO_CONTRAST
from annotation.intake.dicom.identity import DUMMY_WORDS
from annotation.intake.dicom.vocabulary import (
    KERNEL_NAMES,
    KERNEL_SCHEMES,
    MANUFACTURERS,
    MODALITIES,
    MODELS,
    OTHER,
)
from annotation.intake.limits import Limits

TABLES = Path("frontend/src/deidentify/tables.json")


@dataclass(frozen=True)
class _Classes:
    """The classes of the attributes that DICOM defines, small enough to travel: a letter for each class, and for each
    tag, in order, how much larger it is than the one before, and its letter."""

    letters: dict[str, str]
    tags: str


def tables() -> dict[str, Any]:
    """The whole document."""
    limits = Limits()
    classes = _classes()
    return {
        "about": "Made by `python3 manage.py deidentification_tables`: never edited.",
        "rules": json.loads(FILE.read_bytes()),
        "limits": {
            "mostFiles": limits.most_files,
            "mostFileBytes": limits.most_file_bytes,
            "mostVoxels": limits.most_voxels,
        },
        "vocabulary": {
            "other": OTHER,
            "manufacturer": MANUFACTURERS,
            "model": MODELS,
            "kernels": sorted(KERNEL_NAMES),
            "kernelSchemes": KERNEL_SCHEMES.pattern.replace("(?P<", "(?<"),
            "modalities": sorted(MODALITIES),
            "pages": PAGES.pattern,
            "pageNames": PAGE_NAMES.pattern,
        },
        "dummyWords": sorted(DUMMY_WORDS),
        "noContrast": sorted(NO_CONTRAST),
        "classes": {"letters": classes.letters, "tags": classes.tags},
    }


def text_of_tables() -> str:
    """The file's text."""
    return json.dumps(tables(), ensure_ascii=True, separators=(",", ":")) + "\n"


def _classes() -> _Classes:
    letters: dict[str, str] = {}
    before, parts = 0, []
    for tag in sorted(DicomDictionary):
        name = class_of(tag)
        letter = letters.setdefault(name, chr(ord("a") + len(letters)))
        parts.append(f"{tag - before}{letter}")
        before = tag
    return _Classes({letter: name for name, letter in letters.items()}, "".join(parts))
