"""Rows of a sheet become people with values and tests, or faults that name line, column and what to do.

Several rows may be of one person, each with another test. A person with a faulty row is held back as a whole, because
the rest of the rows would say less than the sheet does; everybody else is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from annotation.intake.clinical.mapping import (
    AGE,
    DATES,
    FIELDS,
    PSEUDONYM,
    TEST,
    TEST_DATE,
    WORDS,
    SheetMapping,
    check_mapping,
)
from annotation.intake.clinical.sheet import Row, Sheet
from annotation.scans.clinical_terms import MOST_YEARS, OLDEST
from voxloop.kernel.errors import Invalid

EARLIEST = date(1900, 1, 1)  # also when it was moved back at the site by ten years
Test = tuple[str, date, str]  # pathogen, day as the sheet writes it, result


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong in a line; `column` is theirs, empty for the whole line."""

    line: int
    column: str
    code: str
    sentence: str


@dataclass
class Person:
    """What the sheet says of one pseudonym. `values` has every field of the mapping, None where the cell is empty."""

    pseudonym: str
    lines: list[int] = field(default_factory=list)
    values: dict[str, str | int | None] = field(default_factory=dict)
    tests: set[Test] = field(default_factory=set)


class _RowFault(Exception):  # noqa: N818 - it is collected, not an end
    def __init__(self, column: str, code: str, sentence: str) -> None:
        self.fault = (column, code, sentence)


def check_columns(sheet: Sheet, mapping: SheetMapping) -> None:
    """Raise Invalid (`bad_mapping`) where the mapping names a column that the sheet lacks."""
    lacking = [column for column in mapping.columns if column not in sheet.columns]
    if lacking:
        raise Invalid(
            f"The mapping names the column “{lacking[0]}”, which the sheet does not have; change one of both.",
            code="bad_mapping",
        )


def read_people(sheet: Sheet, mapping: SheetMapping) -> tuple[dict[str, Person], list[Fault]]:
    """People by pseudonym, and every fault in order of lines. Raises Invalid (`bad_mapping`)."""
    check_mapping(mapping)
    check_columns(sheet, mapping)
    people: dict[str, Person] = {}
    faults = [
        Fault(line, "", "ragged_row", "The line has more or fewer cells than there are columns; repair it.")
        for line in sheet.ragged
    ]
    bad: dict[str, int] = {}
    for row in sheet.rows:
        name = row.cells[mapping.column_of(PSEUDONYM) or ""]
        try:
            _add(people, row, mapping)
        except _RowFault as wrong:
            faults.append(Fault(row.line, *wrong.fault))
            bad.setdefault(name, row.line)
    for name, line in bad.items():
        for other in people.pop(name, Person(name)).lines:
            told = f"Line {line} is of the same person and has to be corrected first."
            faults.append(Fault(other, "", "held_back", told))
    return people, sorted(faults)


def _add(people: dict[str, Person], row: Row, mapping: SheetMapping) -> None:
    column = mapping.column_of(PSEUDONYM) or ""
    name = row.cells[column]
    if not name:
        raise _RowFault(column, "no_pseudonym", "The pseudonym is missing; the row belongs to nobody.")
    values = dict(_values(row, mapping))
    test = _test(row, mapping)
    person = people.get(name)
    if person is None:
        person = people[name] = Person(name, values=values)
    for told, value in values.items():
        if person.values[told] != value:
            raise _RowFault(
                mapping.column_of(told) or "",
                "contradiction",
                f"{FIELDS[told]} differs from line {person.lines[0]}, of the same person; correct one of them.",
            )
    person.lines.append(row.line)
    if test is not None:
        person.tests.add(test)


def _values(row: Row, mapping: SheetMapping) -> Iterator[tuple[str, str | int | None]]:
    for name in (AGE, "sex", "hospitalisation", "diagnosis"):
        if name in mapping.fixed:
            yield name, mapping.fixed[name]
        elif column := mapping.column_of(name):
            cell = row.cells[column]
            yield name, (_age(column, cell) if name == AGE else _word(name, column, cell, mapping)) if cell else None


def _age(column: str, cell: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 3 and int(cell) <= MOST_YEARS):
        raise _RowFault(column, "bad_age", f"The age is not whole years from 0 to {MOST_YEARS}; write such a number.")
    return min(int(cell), OLDEST)


def _word(name: str, column: str, cell: str, mapping: SheetMapping) -> str:
    theirs = {word.strip().lower(): ours for word, ours in mapping.values.get(name, {}).items()}
    found = theirs.get(cell.lower())
    if found is None and cell.lower() in WORDS[name]:
        found = cell.lower()
    if found is None:
        words = ", ".join(WORDS[name])
        raise _RowFault(
            column, "unknown_word", f"The word is not mapped to one of {FIELDS[name]}: map it, or write one of {words}."
        )
    return found


def _test(row: Row, mapping: SheetMapping) -> Test | None:
    """The test of a row; None where its cells are empty."""
    if not mapping.has_tests:
        return None
    cells = {name: row.cells[column] for name in TEST if (column := mapping.column_of(name))}
    if not any(cells.values()):
        return None
    for name, cell in cells.items():
        if not cell:
            raise _RowFault(
                mapping.column_of(name) or "",
                "incomplete_test",
                f"{FIELDS[name]} is missing; a test needs pathogen, date and result.",
            )
    pathogen, result = (
        mapping.fixed.get(name) or _word(name, mapping.column_of(name) or "", cells[name], mapping)
        for name in ("pathogen", "result")
    )
    return pathogen, _day(mapping.column_of(TEST_DATE) or "", cells[TEST_DATE], mapping.dates), result


def _day(column: str, cell: str, written: str) -> date:
    try:
        # A time zone would change nothing: it is a day, and only its distance to another counts.
        day = datetime.strptime(cell, DATES[written]).date()  # noqa: DTZ007
    except ValueError:
        day = None
    if day is None or day < EARLIEST or (written != "YYYY-MM-DD" and len(cell) < len("1.1.1900")):
        raise _RowFault(column, "bad_date", f"The date is not a day as {written}; write it so, or change the mapping.")
    return day
