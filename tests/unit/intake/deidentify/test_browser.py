"""The upload page's de-identifier (`frontend/src/deidentify/`) writes the same bytes as Python of the same file and
key, and refuses with the same code and words. The files are made here and read by Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.deidentify.tables import TABLES, text_of_tables
from tests.unit.intake.deidentify.browser_files import numbers, odd_files
from voxloop.kernel.errors import Refusal

ROOT = Path(__file__).parents[4]
KEY = bytes(range(32))
RULES = read_rules()
# What the page does not unpack; `compressed_here` is its own refusal.
NOT_HERE = {"ge-j2k", "philips-jls", "canon-htj2k", "samsung"}
RUN = """
import { runnerImport } from "vite";
const { module } = await runnerImport("./tests/deidentify/program.ts");
module.run(process.argv[1], process.argv[2]);
"""


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Node says of every file; its bytes under `bytes`, the files themselves under `sources`."""
    node = shutil.which("node")
    assert node, "Node is missing; CONTRIBUTING.md says how to get it"
    folder = tmp_path_factory.mktemp("browser")
    sources = odd_files()
    for name, source in sources.items():
        (folder / name).write_bytes(source)
    (folder / "numbers.json").write_text(json.dumps(numbers()))
    subprocess.run(
        [node, "--input-type=module", "-e", RUN, "--", str(folder), KEY.hex()], cwd=ROOT / "frontend", check=True
    )
    found: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    written = {path.name.removesuffix(".out"): path.read_bytes() for path in folder.glob("*.out")}
    return {**found, "bytes": written, "sources": sources}


def test_the_tables_are_not_stale() -> None:
    assert (ROOT / TABLES).read_text() == text_of_tables(), "run `python3 manage.py deidentification_tables`"


def test_the_bytes_codes_counts_and_refusals_are_those_of_python(answer: dict[str, Any]) -> None:
    differences = []
    outcomes: dict[bool, int] = {True: 0, False: 0}
    for name, data in answer["sources"].items():
        report = Report()
        told = answer["files"][name]
        try:
            cleaned = deidentify(data, keys=SiteKeys(KEY), rules=RULES, report=report)
        except Refusal as refusal:
            outcomes[False] += 1
            if (told.get("code"), told.get("sentence")) != (refusal.code, refusal.detail):
                differences.append((name, refusal.code, told))
            continue
        if name.removesuffix(".dcm").partition("-")[2] in NOT_HERE:
            if told.get("code") != "compressed_here":
                differences.append((name, "compressed_here", told))
            continue
        outcomes[True] += 1
        expected = {
            "person": {"code": cleaned.person.code, "shiftDays": cleaned.person.shift_days},
            "patient": cleaned.patient,
            "studyUid": cleaned.study_uid,
            "seriesUid": cleaned.series_uid,
            "seriesCode": cleaned.series_code,
            "instanceCode": cleaned.instance_code,
            "classes": report.to_json()["classes"],
        }
        if told != expected or answer["bytes"].get(name) != cleaned.data:
            differences.append((name, _first(answer["bytes"].get(name), cleaned.data), told))
    assert differences == []
    assert outcomes[True] > 200
    assert outcomes[False] > 40


def _first(found: bytes | None, expected: bytes) -> Any:
    if found is None or found == expected:
        return "same bytes" if found else "no bytes"
    ours, theirs = (dcmread(BytesIO(data)) for data in (found, expected))
    return [
        (str(tag), ours.get(tag), theirs.get(tag))
        for tag in {*ours.keys(), *theirs.keys()}
        if ours.get(tag) != theirs.get(tag)
    ]


def test_numbers_are_written_as_python_writes_them(answer: dict[str, Any]) -> None:
    expected = [[repr(one), f"{one:.6g}", f"{one:.10g}", str(round(one))] for one in numbers()]
    assert answer["numbers"] == expected
