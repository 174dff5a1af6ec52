"""Fault scenarios by name, then kills, then bad inputs. A scenario is a test with the mark `fault("name")`: real
processes, a real fault, and a check of what must hold. Its figure is its duration, or what the test recorded as
`figure` (value and unit)."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks._badinputs.product import run_on_product
from benchmarks._kills import kill_rows, run_kills
from benchmarks._rows import least_row, plain_row
from tests.product import Product, new_database
from voxloop.embedded.testing import database

ROOT = Path(__file__).resolve().parents[1]
LEAST_SCENARIOS = 60
KILLS, GENERATED, SEED = 200, 10_000, 20_261


def run() -> Iterator[dict[str, Any]]:
    """Rows of every scenario, then of the kills, then of the bad inputs. Takes about half an hour on two cores."""
    survived = 0
    for row in scenarios():
        survived += bool(row["holds"])
        yield row
    yield least_row("reliability", "fault scenarios survived or refused in words", survived, "", LEAST_SCENARIOS)
    yield from kill_rows(run_kills(KILLS, SEED), "reliability", KILLS)
    yield from bad_inputs()


def bad_inputs() -> Iterator[dict[str, Any]]:
    """Send every named and many generated bad inputs to a running product."""
    with database(ROOT), new_database() as url, tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), url)
        try:
            product.manage("prepare_broker", "--migrate")
            facts = run_on_product(product, seed=SEED, count=GENERATED)
        finally:
            product.stop()
    yield least_row("reliability", "bad inputs: named", facts.named, "", 300)
    yield least_row("reliability", "bad inputs: generated", facts.generated, "", GENERATED)
    for name, left in (
        ("5xx", facts.faults),
        ("refusals without a code", facts.without_code),
        ("unanswered", facts.unanswered),
        ("rows left behind", facts.rows_left),
        ("files left behind", facts.files_left),
    ):
        yield plain_row("reliability", f"bad inputs: {name}", len(left), "", 0)
    if facts.memory_growth_percent is not None:
        yield plain_row("reliability", "bad inputs: growth of the web process", facts.memory_growth_percent, "%", 5)


def scenarios() -> Iterator[dict[str, Any]]:
    """Run the marked tests in sequence; a row each."""
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
        # Trusted: just written by pytest on this machine.
        cases = ElementTree.parse(report).getroot().iter("testcase")
        for case in cases:
            yield row_of(case)


def row_of(case: ElementTree.Element) -> dict[str, Any]:
    """The row of one test in a JUnit report."""
    told = {entry.get("name"): entry.get("value", "") for entry in case.iter("property")}
    figure, _, unit = told.get("figure", f"{float(case.get('time', '0')):.2f} s").partition(" ")
    holds = not any(case.find(fault) is not None for fault in ("failure", "error", "skipped"))
    return {
        "bench": "reliability",
        "case": told.get("fault", case.get("name")),
        "ours": float(figure),
        "unit": unit,
        "holds": holds,
    }
