"""Whose scan is whose: the site's table out of the vault, with the server's codes of scans out of the journal."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from annotation.intake.deidentify.vault import Vault
from annotation.intake.sending.journal import read_scans

COLUMNS = (
    "campaign",
    "scan",
    "code",
    "patient_id",
    "name",
    "birth_date",
    "shift_days",
    "study_uid",
    "series_uid",
)


def write_table(vault: Vault, journal: Path) -> str:
    """CSV with a row for each series that left, in order of campaign and scan; `shift_days` is what was added to dates.

    Raises Invalid (`bad_journal`)."""
    scans = read_scans(journal)
    rows = []
    for campaign in vault.campaigns():
        for code, person in vault.subjects(campaign).items():
            for series_code, uids in person["series"].items():
                for scan in scans.get((campaign, series_code)) or [""]:
                    rows.append({**person, **uids, "campaign": campaign, "scan": scan, "code": code})
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: (row["campaign"], row["scan"], row["series_uid"])))
    return out.getvalue()
