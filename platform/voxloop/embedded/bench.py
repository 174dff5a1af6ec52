"""`manage.py bench`: run benchmarks and print their rows. Exit code 1 when a row misses its limit."""

import argparse
import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

COLUMNS = ("bench", "case", "ours", "peer", "unit", "ratio", "limit", "holds")


def main(root: Path, arguments: list[str]) -> int:
    """Run the named benchmarks (all without a name), each `benchmarks/<name>.py` with a `run()` that yields rows."""
    folder = root / "benchmarks"
    names = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of: {', '.join(names)}")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"no benchmark named {unknown[0]}: there are {', '.join(names)}")
    holds = True
    if not options.json:
        sys.stdout.write(table_line(dict(zip(COLUMNS, COLUMNS, strict=True))) + "\n")
    for name in options.names or names:
        rows: Iterable[dict[str, Any]] = importlib.import_module(f"benchmarks.{name}").run()
        for row in rows:
            holds = holds and row.get("holds") is not False
            full = {column: row.get(column) for column in COLUMNS}
            sys.stdout.write((json.dumps(full) if options.json else table_line(full)) + "\n")
            sys.stdout.flush()
    return 0 if holds else 1


def table_line(row: dict[str, Any]) -> str:
    """One row as text in fixed columns; figures with three significant digits."""
    widths = (8, 44, 10, 10, 8, 8, 8, 6)
    cells = [
        f"{value:.3g}" if isinstance(value, float) else "" if value is None else str(value)
        for value in (row[column] for column in COLUMNS)
    ]
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
