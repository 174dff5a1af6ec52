"""How the code is built: cycles, sizes, complexity, types, duplicates, and how much of it is tests."""

from collections.abc import Iterator
from typing import Any

from benchmarks._rows import least_row, plain_row
from benchmarks._structure import ROOT, programs, sources
from benchmarks._structure.contract import read_document, untyped_operations
from benchmarks._structure.cycles import cycles_of, imports_of

MOST_COMPLEX_FUNCTIONS = 4
MOST_DUPLICATES = 10
LEAST_TESTS = 0.8


def run() -> Iterator[dict[str, Any]]:
    """A row for each figure; the last ones take minutes or a download."""
    python, frontend = sources.python_files(), sources.frontend_files()
    yield from rows_of_python(python)
    yield from rows_of_typescript(frontend)
    longest = sources.longest_line(python | frontend)
    yield row("longest line, Python, TypeScript and CSS", longest, "characters", sources.LONGEST_LINE)
    templates = len(sources.long_breakable_lines(sources.template_files()))
    yield row("breakable template lines > 120 characters", templates, "lines", 0)
    yield row("untyped API operations", len(untyped_operations(read_document())), "operations", 0)
    yield from rows_of_types(python)
    yield row_of_duplicates(programs.duplicate_pairs())


def rows_of_python(texts: sources.Texts) -> Iterator[dict[str, Any]]:
    """What a walk through the files says."""
    product = {name: text for name, text in texts.items() if name.startswith(sources.PRODUCT)}
    yield row("cycles, Python", len(cycles_of(imports_of(product))), "cycles", 0)
    yield row("files > 300 lines, Python", len(sources.long_files(texts)), "files", 0)
    yield row("functions > 60 lines, Python", len(sources.long_functions(texts)), "functions", 0)
    complexity = len(programs.complex_functions())
    yield row("complexity > 15, Python", complexity, "functions", MOST_COMPLEX_FUNCTIONS)
    yield least_row("structure", "test:source, Python", sources.share_of_tests(texts), "lines/line", LEAST_TESTS)


def rows_of_typescript(texts: sources.Texts) -> Iterator[dict[str, Any]]:
    """What oxlint says of the source, and the length of every file, tests too."""
    found = programs.linted_typescript()
    typescript = {name: text for name, text in texts.items() if not name.endswith(".css")}
    yield row("cycles, TypeScript", found["import/no-cycle"], "files", 0)
    yield row("files > 300 lines, TypeScript", len(sources.long_files(typescript)), "files", 0)
    yield row("functions > 60 lines, TypeScript", found["max-lines-per-function"], "functions", 0)
    yield row("complexity > 15, TypeScript", found["complexity"], "functions", MOST_COMPLEX_FUNCTIONS)


def rows_of_types(texts: sources.Texts) -> Iterator[dict[str, Any]]:
    """mypy strict: its errors, and the share of the files that it looks at."""
    errors, files = programs.checked_types()
    yield row("mypy strict", errors, "errors", 0)
    every = len(texts) + (ROOT / "manage.py").is_file()
    yield least_row("structure", f"mypy strict, of {every} files", 100 * files / every, "%", 100)


def row_of_duplicates(pairs: list[str] | None) -> dict[str, Any]:
    """Pairs of the duplicate finder, or that it could not be had."""
    case = f"duplicate pairs of {programs.DUPLICATE_LINES} lines"
    if pairs is None:
        case = f"{case}: npx cannot get {programs.FINDER}"
        return {"bench": "structure", "case": case, "unit": "pairs", "limit": MOST_DUPLICATES}
    return row(case, len(pairs), "pairs", MOST_DUPLICATES)


def row(case: str, ours: float, unit: str, most: float) -> dict[str, Any]:
    """A row of this benchmark."""
    return plain_row("structure", case, ours, unit, most)
