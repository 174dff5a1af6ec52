"""Everything that can go wrong: the fault scenarios by name, then kills, bad inputs, saves, the front and back-ups.

A scenario is a test with the mark `fault("name")`: real processes, a real fault, and a checker of what must hold. Its
figure is how long the whole of it took, or what the test itself recorded as `figure` (value and unit).
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks._rows import least_row

ROOT = Path(__file__).resolve().parents[1]
LEAST_SCENARIOS = 60


def run() -> Iterator[dict[str, Any]]:
    """Rows of every scenario, and how many there were."""
    survived = 0
    for row in scenarios():
        survived += bool(row["holds"])
        yield row
    yield least_row("reliability", "fault scenarios survived or refused in words", survived, "", LEAST_SCENARIOS)


def scenarios() -> Iterator[dict[str, Any]]:
    """Run the marked tests, one after the other; a row each."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "manage.py",
            "test",
            "-m",
            "fault",
            "-p",
            "no:randomly",
            "-q",
            f"--junitxml={report}",
        ]
        subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False)
        # Written by pytest on this machine a moment ago.
        cases = ElementTree.parse(report).getroot().iter("testcase")
        for case in cases:
            yield row_of(case)


def row_of(case: ElementTree.Element) -> dict[str, Any]:
    """The row of one test in a JUnit report."""
    told = {entry.get("name"): entry.get("value", "") for entry in case.iter("property")}
    figure, _, unit = told.get("figure", f"{float(case.get('time', '0')):.2f} s").partition(" ")
    holds = not any(case.find(fault) is not None for fault in ("failure", "error", "skipped"))
    return {"bench": "reliability", "case": told.get("fault", case.get("name")), "ours": float(figure), "unit": unit,
            "holds": holds}  # fmt: skip
