"""Limits on the length of files, lines and functions (ruff limits complexity: C901 in pyproject.toml)."""

import re

from benchmarks._structure import ROOT
from benchmarks._structure.sources import (
    LONGEST_LINE,
    frontend_files,
    long_files,
    long_functions,
    longest_line,
    python_files,
)

# On a fresh machine Django is not installed at first, and models need the app registry.
LATE_IMPORTS = 5


def test_no_file_is_too_long() -> None:
    texts = python_files()
    assert len(texts) > 700
    assert long_files(texts) == {}


def test_no_function_is_too_long() -> None:
    assert long_functions(python_files()) == {}


def test_no_line_is_too_long() -> None:
    """The formatters leave comments and texts alone, and ruff does not count what excuses a line."""
    assert longest_line(python_files() | frontend_files()) <= LONGEST_LINE


def test_few_imports_are_late_and_each_says_why() -> None:
    """Ruff finds every import inside a function (PLC0415); those that stay are counted here."""
    late = [
        f"{name}:{number}"
        for name, text in [*python_files().items(), ("manage.py", (ROOT / "manage.py").read_text())]
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(r"import \w.*# noqa: .*\bPLC0415\b", line)
    ]
    assert len(late) <= LATE_IMPORTS, late
