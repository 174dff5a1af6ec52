"""Pseudonymise a sheet with clinical records at the site: `manage.py pseudonymise_sheet`, and
`python -m annotation.intake.sending.sheet` where there is no Django.

What is not mapped is not written. A patient's number becomes the code that the images got, days move with theirs, ages
above 90 become 90, and only listed words are written. Rows that cannot be written are named by line and column."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from annotation.intake.clinical.mapping import FIELDS, PSEUDONYM, TEST, read_mapping
from annotation.intake.clinical.people import Fault, Person, read_people
from annotation.intake.clinical.sheet import read_sheet
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.vault import Vault
from annotation.intake.sending.command import BAD_ARGUMENTS, FAILED, HOME, Write, ask_passphrase
from voxloop.kernel.cells import plain_cell
from voxloop.kernel.errors import Invalid, Refusal

ABOUT = (
    "Write a sheet with clinical records so that it may leave the hospital: codes of the vault for patients' numbers, "
    "days moved as those of the images, listed words only. Nothing is sent."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("sheet", type=Path, metavar="FILE.csv", help="a row for each patient, or for each test of one")
    parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign that the images were sent to")
    parser.add_argument("--mapping", required=True, type=Path, metavar="FILE.json", help="what columns and words mean")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv", help="the new file; never overwritten")
    parser.add_argument("--vault", type=Path, default=HOME, metavar="FOLDER", help=f"the site's vault (default {HOME})")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def main(arguments: Sequence[str]) -> int:
    """Run one command line; answers the exit code: 0 done, 1 failed, 2 bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m annotation.intake.sending.sheet", description=ABOUT)
    add_arguments(parser)
    return run(parser.parse_args(arguments), sys.stdout.write, sys.stderr.write)


def run(options: argparse.Namespace, out: Write, err: Write) -> int:
    """Write the file, and tell what was left out."""
    try:
        written, faults = pseudonymise(
            options.sheet, options.out, campaign=options.campaign, mapping=options.mapping, vault=options.vault
        )
    except Refusal as refusal:
        if options.json:
            out(json.dumps({"error": refusal.detail, "code": refusal.code}) + "\n")
        err(f"{refusal.detail}\n")
        return BAD_ARGUMENTS if refusal.code in ("no_such_file", "file_exists") else FAILED
    told = [{"line": one.line, "column": one.column, "code": one.code, "reason": one.sentence} for one in faults]
    if options.json:
        out(json.dumps({"people": written, "faults": told}) + "\n")
    else:
        out(f"{written} {'person' if written == 1 else 'people'} written to {options.out}.\n")
        for one in faults:
            where = f"line {one.line}" + (f", {one.column}" if one.column else "")
            out(f"Left out: {where} ({one.code}). {one.sentence}\n")
    return 0 if written else FAILED


def pseudonymise(sheet: Path, out: Path, *, campaign: str, mapping: Path, vault: Path) -> tuple[int, list[Fault]]:
    """Write the sheet; returns the number of people in it, and what was left out. Raises Invalid."""
    if not sheet.exists():
        raise Invalid(f"There is no file {sheet}.", code="no_such_file")
    if out.exists():
        raise Invalid(f"There is already a file {out}; name another one.", code="file_exists")
    path = vault / "vault.json"
    if not path.exists():
        raise Invalid(f"There is no vault in {vault}; name its folder by --vault.", code="no_vault")
    meant = read_mapping(mapping)
    people, faults = read_people(read_sheet(sheet), meant)
    opened = Vault.open(path, ask_passphrase(is_new=False))
    known = opened.subjects(campaign)
    if not known:
        told = ", ".join(opened.campaigns()) or "none"
        raise Invalid(f"No image was sent to {campaign} yet; the vault knows {told}.", code="not_in_vault")
    keys, column = opened.keys(campaign), meant.column_of(PSEUDONYM) or ""
    rows: list[dict[str, str]] = []
    written = 0
    for person in people.values():
        code = keys.person("patient", person.pseudonym).code
        if code in known:
            rows += _rows_of(person, keys)
            written += 1
            continue
        told = "No image of a patient of this number was sent; send the images first, or look for lost leading zeros."
        faults += [Fault(line, column, "not_in_vault", told) for line in person.lines]
    fields = [name for name in FIELDS if name in meant.fields | {PSEUDONYM} and (meant.has_tests or name not in TEST)]
    _write(out, fields, rows)
    return written, sorted(faults)


def _rows_of(person: Person, keys: SiteKeys) -> list[dict[str, str]]:
    """One row without a test, else one for each; what cannot be moved within the calendar has no day to tell."""
    moved = keys.person("patient", person.pseudonym)
    same = {PSEUDONYM: moved.code}
    same |= {name: "" if value is None else str(value) for name, value in person.values.items()}
    rows = []
    for pathogen, day, result in sorted(person.tests):
        shifted = moved.move(day)
        if shifted is not None:
            rows.append({**same, "pathogen": pathogen, "test_date": shifted.isoformat(), "result": result})
    return rows or [same]


def _write(path: Path, fields: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    """A new file, readable by its owner only."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(fields)
        writer.writerows([plain_cell(row.get(name, "")) for name in fields] for row in rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
