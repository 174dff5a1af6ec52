"""De-identification at the site: slices per second of one processor, beside two other programs in the same run."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from benchmarks import _deidentifiers
from benchmarks._rows import least_row, ratio_row
from benchmarks._scans import FOLDER, LIDC

LEAST_SLICES_PER_S = 400
MOST_OF_PEER = 0.2


def run() -> Iterator[dict[str, Any]]:
    """Rows of de-identification, of 512×512 slices that are not compressed, from bytes to bytes."""
    folder = FOLDER / LIDC
    if not folder.is_dir():
        return
    ours = _measure(folder)
    case = "de-identify, 133 slices of LIDC-IDRI-0001"
    yield least_row("intake", case, 1000 / ours, "slices/CPU s", LEAST_SLICES_PER_S)
    python = _deidentifiers.interpreter()
    for name in _deidentifiers.PEERS:
        if python is None:
            yield {"bench": "intake", "case": f"{name} cannot be installed here", "ours": round(ours, 3), "unit": "ms"}
        else:
            peer = _deidentifiers.measure(python, name, folder)
            yield ratio_row("intake", f"de-identify, beside {name}", ours, peer, "ms", MOST_OF_PEER)


def _measure(folder: Path) -> float:
    """Milliseconds of processor time for each slice."""
    files = [path.read_bytes() for path in sorted(folder.rglob("*.dcm"))]
    keys, rules, report = SiteKeys(bytes(32)), read_rules(), Report()
    deidentify(files[0], keys=keys, rules=rules, report=report)
    start = time.process_time()
    for data in files:
        deidentify(data, keys=keys, rules=rules, report=report)
    return 1000 * (time.process_time() - start) / len(files)
