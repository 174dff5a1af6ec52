"""What the columns and words of a site's sheet mean: kept as a file at the site, and remembered for it here.

`{"columns": {"Pat-Nr": "pseudonym", "Alter": "age", …}, "values": {"sex": {"w": "female"}},
  "fixed": {"pathogen": "sars_cov_2"}, "dates": "DD.MM.YYYY"}`"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from annotation.scans.clinical_terms import DIAGNOSES, HOSPITALISATIONS, PATHOGENS, RESULTS, SEXES
from voxloop.child import ContractError, Document, from_json
from voxloop.child.documents import VERSION
from voxloop.kernel.errors import Invalid

PSEUDONYM, AGE, TEST_DATE = "pseudonym", "age", "test_date"
FIELDS: Mapping[str, str] = {
    PSEUDONYM: "Pseudonym",
    AGE: "Age, years",
    "sex": "Sex",
    "hospitalisation": "Hospitalisation",
    "diagnosis": "Diagnosis class",
    "pathogen": "Test: pathogen",
    TEST_DATE: "Test: date",
    "result": "Test: result",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "sex": SEXES,
    "hospitalisation": HOSPITALISATIONS,
    "diagnosis": DIAGNOSES,
    "pathogen": PATHOGENS,
    "result": RESULTS,
}
TEST = ("pathogen", TEST_DATE, "result")
DATES: Mapping[str, str] = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
}
LARGEST_BYTES = 256 << 10


class SheetMapping(Document, frozen=True):
    """Their column → our field, their word → ours by field, words that hold for every row, and how days are written."""

    columns: dict[str, str]
    values: dict[str, dict[str, str]] = {}
    fixed: dict[str, str] = {}
    dates: str = "YYYY-MM-DD"

    def column_of(self, field: str) -> str | None:
        """Their column with a field; None where the sheet has none."""
        return next((column for column, meant in self.columns.items() if meant == field), None)

    @property
    def fields(self) -> set[str]:
        """The fields that the sheet tells."""
        return set(self.columns.values()) | set(self.fixed)

    @property
    def has_tests(self) -> bool:
        """Whether the sheet tells tests: it then has all three columns of one."""
        return bool({TEST_DATE, "result"} & set(self.columns.values()))


def check_mapping(mapping: SheetMapping) -> None:
    """Raise Invalid (`bad_mapping`) with what to change."""
    fault = next(_faults(mapping), None)
    if fault:
        raise Invalid(fault, code="bad_mapping")


def _faults(mapping: SheetMapping) -> Any:
    unknown = sorted(set(mapping.columns.values()) - set(FIELDS))
    if unknown:
        yield f"There is no field {unknown[0]}; the fields are {', '.join(FIELDS)}."
    twice = [field for field, count in Counter(mapping.columns.values()).items() if count > 1]
    if twice:
        yield f"Two columns are mapped to “{FIELDS.get(twice[0], twice[0])}”; choose one."
    if PSEUDONYM not in mapping.columns.values():
        yield "Say which column holds the pseudonym; without it no row belongs to anybody."
    if mapping.dates not in DATES:
        yield f"Days are written as {', '.join(DATES)}; say which."
    for field, words in mapping.values.items():
        known = WORDS.get(field)
        if known is None:
            yield f"“{field}” has no list of words to map to; only {', '.join(WORDS)} have."
            continue
        stray = next((ours for ours in words.values() if ours not in known), None)
        if stray is not None:
            yield f"“{stray}” is no word of “{FIELDS[field]}”; the words are {', '.join(known)}."
    for field, word in mapping.fixed.items():
        if field not in WORDS or word not in WORDS[field]:
            yield f"“{word}” cannot hold for every row as {field}; take a word of its list."
        elif field in mapping.columns.values():
            yield f"“{FIELDS[field]}” has a column and a word for every row; take one of both."
    told = mapping.fields & set(TEST)
    if mapping.has_tests and told != set(TEST):
        lacking = ", ".join(FIELDS[field] for field in TEST if field not in told)
        yield f"A test needs pathogen, date and result; map also {lacking}."


def read_mapping(path: Path) -> SheetMapping:
    """The mapping of a file. Raises Invalid (`bad_mapping`)."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise Invalid(f"{path.name} is larger than a mapping may be.", code="bad_mapping")
        return mapping_of(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise Invalid(f"There is no readable file {path.name}; name the mapping's file.", code="bad_mapping") from error
    except ValueError as error:
        raise Invalid(f"{path.name} is not JSON; see docs/clinical.md for its form.", code="bad_mapping") from error


def mapping_of(values: Any) -> SheetMapping:
    """A checked mapping from JSON values. Raises Invalid (`bad_mapping`)."""
    try:
        told = {**values, "contract": VERSION} if isinstance(values, dict) else values
        mapping = from_json(SheetMapping, told)
    except ContractError as error:
        sentence = str(error.sentence).replace("SheetMapping", "The mapping")
        raise Invalid(f"{sentence} See docs/clinical.md for its form.", code="bad_mapping") from error
    check_mapping(mapping)
    return mapping


def own_names(columns: Sequence[str]) -> dict[str, str]:
    """The columns that are called as our fields are; what is called otherwise is not guessed."""
    found: dict[str, str] = {}
    for column in columns:
        plain = column.strip().lower().replace(" ", "_")
        if plain in FIELDS and plain not in found.values():
            found[column] = plain
    return found
