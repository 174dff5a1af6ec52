"""A sheet as it was sent: columns and rows of a CSV file, with the line of each row. Nothing is understood yet."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

from voxloop.child import Document
from voxloop.kernel.errors import Invalid, TooLarge

LARGEST_BYTES = 8 << 20
MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 20_000, 200, 1_000
DELIMITERS = (",", ";", "\t")
ASK = "Save the sheet as CSV (UTF-8) and send that file."
SUFFIXES = (".csv",)


class Row(Document, frozen=True):
    """The cells of a row by column; `line` counts from 1, as editors and spreadsheets show it."""

    line: int
    cells: dict[str, str]


class Sheet(Document, frozen=True):
    """Columns in their order, and rows. `ragged` are lines with more or fewer cells than columns: they are no rows."""

    columns: list[str]
    rows: list[Row]
    ragged: list[int] = []


def read_sheet(path: Path) -> Sheet:
    """The sheet of a CSV file in UTF-8 with commas, semicolons or tabs; empty rows are left out.

    Raises Invalid (`unknown_file`, `bad_encoding`, `empty_sheet`, `bad_columns`), TooLarge (`sheet_too_large`)."""
    if not path.name.lower().endswith(SUFFIXES):
        raise Invalid(ASK, code="unknown_file")
    return read_table(path)


def read_table(path: Path) -> Sheet:
    """The same, whatever the file is called."""
    if path.stat().st_size > LARGEST_BYTES:
        raise TooLarge(f"A sheet holds at most {LARGEST_BYTES >> 20} MiB; send it in parts.", code="sheet_too_large")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"The file is not UTF-8 text. {ASK}", code="bad_encoding") from error
    if "\0" in text:
        raise Invalid(f"The file is no table of text. {ASK}", code="bad_encoding")
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    try:
        columns = [name.strip() for name in next(reader, [])]
        _check_columns(columns)
        return _read_rows(reader, columns)
    except csv.Error as error:
        raise Invalid(f"Line {reader.line_num} cannot be read as CSV. {ASK}", code="bad_columns") from error


def _check_columns(columns: list[str]) -> None:
    if not any(columns):
        raise Invalid("The sheet has no first line with the names of its columns; add one.", code="empty_sheet")
    if len(columns) > MOST_COLUMNS:
        raise TooLarge(f"A sheet has at most {MOST_COLUMNS} columns; leave some out.", code="sheet_too_large")
    empty = [n for n, name in enumerate(columns, start=1) if not name]
    if empty:
        raise Invalid(f"Column {empty[0]} has no name in the first line; give it one.", code="bad_columns")
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        numbers = " and ".join(str(n) for n, name in enumerate(columns, start=1) if name == twice[0])
        raise Invalid(f"Columns {numbers} have the same name; give each its own.", code="bad_columns")


def _read_rows(reader: Any, columns: list[str]) -> Sheet:
    rows: list[Row] = []
    ragged: list[int] = []
    first = reader.line_num + 1
    for cells in reader:
        line, first = first, reader.line_num + 1
        plain = [cell.strip() for cell in cells]
        if not any(plain):
            continue
        if len(plain) != len(columns) or max(map(len, plain)) > LONGEST_CELL:
            ragged.append(line)
        else:
            rows.append(Row(line, dict(zip(columns, plain, strict=True))))
        if len(rows) + len(ragged) > MOST_ROWS:
            raise TooLarge(f"A sheet has at most {MOST_ROWS} rows; send it in parts.", code="sheet_too_large")
    if not rows and not ragged:
        raise Invalid("The sheet has no row below its first line.", code="empty_sheet")
    return Sheet(columns, rows, ragged)
