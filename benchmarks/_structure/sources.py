"""Files of the repository, and the length of files, lines and functions."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks._structure import ROOT

FOLDERS = ("annotation", "benchmarks", "mlservice", "platform/voxloop", "tests")
PRODUCT = ("annotation", "mlservice", "platform")
FRONTEND = ("frontend/src", "frontend/tests", "frontend/bench", "frontend/styles")
TEMPLATES = "annotation/pages/templates"
# Written by `manage.py contract`.
GENERATED = {"frontend/src/ground/contract.ts", "frontend/src/ground/shapes.ts"}
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_LINE, MOST_COMPLEX = 300, 60, 120, 15

Texts = Mapping[str, str]  # by path


def python_files() -> dict[str, str]:
    """Every Python file of ours without migrations, which Django writes; by path."""
    return {name: text for folder in FOLDERS for name, text in _texts(folder, {".py"}) if "/migrations/" not in name}


def frontend_files() -> dict[str, str]:
    """TypeScript and CSS without what is generated; by path."""
    found = (item for folder in FRONTEND for item in _texts(folder, {".ts", ".tsx", ".css"}))
    return {name: text for name, text in found if name not in GENERATED}


def template_files() -> dict[str, str]:
    """Django's templates; by path."""
    return dict(_texts(TEMPLATES, {".html"}))


def _texts(folder: str, kinds: set[str]) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in kinds:
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def long_files(texts: Texts) -> dict[str, int]:
    """Files of more than 300 lines, with their lines."""
    return {name: count_lines(text) for name, text in texts.items() if count_lines(text) > LONGEST_FILE}


def longest_line(texts: Texts) -> int:
    """Characters of the longest line."""
    return max((len(line) for text in texts.values() for line in text.splitlines()), default=0)


def long_functions(texts: Texts) -> dict[str, int]:
    """Python functions of more than 60 lines, with their lines."""
    found = {}
    for name, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found[f"{name}:{node.name}"] = lines
    return found


def long_breakable_lines(texts: Texts) -> list[str]:
    """Lines of templates of more than 120 characters that can be broken (docs/adr/0023)."""
    return [
        line for text in texts.values() for line in text.splitlines() if len(line) > LONGEST_LINE and is_breakable(line)
    ]


def is_breakable(line: str) -> bool:
    """Whether white space in a line may become a line break: outside of Django's tags and of attributes' values."""
    bare = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "x", line)
    return re.search(r"\s", re.sub(r'="[^"]*"', "=x", bare).strip()) is not None


def share_of_tests(texts: Texts) -> float:
    """Lines of the tests for each line of the product, in Python."""
    tests = sum(count_lines(text) for name, text in texts.items() if name.startswith("tests/"))
    product = sum(count_lines(text) for name, text in texts.items() if name.startswith(PRODUCT))
    return tests / product


def count_lines(text: str) -> int:
    """Lines of a file, as `wc -l` counts them."""
    return text.count("\n")


def folder_of(path: str) -> Path:
    """The absolute path of a file or folder of the repository."""
    return ROOT / path
