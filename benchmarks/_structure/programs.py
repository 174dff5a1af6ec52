"""What ruff, mypy, oxlint and jscpd find."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks._structure import ROOT
from benchmarks._structure.sources import FOLDERS, GENERATED, LONGEST_FILE, LONGEST_FUNCTION, MOST_COMPLEX
from voxloop.embedded.bootstrap import find_node

FINDER = "jscpd@4.3.0"
DUPLICATE_LINES, DUPLICATE_TOKENS = 6, 50
RULES = {
    "complexity": ["error", {"max": MOST_COMPLEX}],
    "max-lines": ["error", {"max": LONGEST_FILE}],
    "max-lines-per-function": ["error", {"max": LONGEST_FUNCTION}],
    "import/no-cycle": "error",
}


def complex_functions() -> list[str]:
    """Python functions of a cyclomatic complexity above 15, whatever a comment excuses."""
    limit = f"lint.mccabe.max-complexity={MOST_COMPLEX}"
    command = ["ruff", "check", "--no-cache", "--ignore-noqa", "--select", "C901", "--config", limit]
    found = _run([sys.executable, "-m", *command, "--output-format", "json", *FOLDERS, "manage.py"], ROOT)
    return [f"{Path(row['filename']).relative_to(ROOT)}: {row['message']}" for row in json.loads(found)]


def linted_typescript() -> Counter[str]:
    """Findings of oxlint by rule, over all of the source, with the rules of size alone and no exception."""
    frontend = ROOT / "frontend"
    node, _npm = find_node()
    ignored = [path.removeprefix("frontend/") for path in sorted(GENERATED)]
    rules = {"plugins": ["import"], "categories": {"correctness": "off"}, "rules": RULES}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "sizes.json"
        config.write_text(json.dumps(rules))
        excluded = [part for path in ignored for part in ("--ignore-pattern", path)]
        command = [node, "node_modules/oxlint/bin/oxlint", "-c", str(config), "-f", "json", *excluded, "src"]
        found = json.loads(_run(command, frontend))
    if not found["number_of_files"]:
        raise RuntimeError("oxlint has looked at no file")
    return count_rules(found["diagnostics"])


def count_rules(diagnostics: list[dict[str, Any]]) -> Counter[str]:
    """Findings by rule, named as in `RULES`."""
    codes = Counter(re.sub(r"^(\w+)\((.*)\)$", r"\1/\2", row["code"]).removeprefix("eslint/") for row in diagnostics)
    return Counter({rule: codes[rule] for rule in RULES})


def checked_types() -> tuple[int, int]:
    """Errors of mypy strict, and the files it looked at."""
    return read_mypy(_run([sys.executable, "-m", "mypy"], ROOT))


def read_mypy(text: str) -> tuple[int, int]:
    """Errors and files from mypy's last line."""
    errors = re.search(r"Found (\d+) errors?", text)
    files = re.search(r"(?:in|checked) (\d+) source files?", text)
    if files is None:
        raise RuntimeError(f"mypy ended early: {text[-500:]}")
    return int(errors[1]) if errors else 0, int(files[1])


def duplicate_pairs() -> list[str] | None:
    """Pairs of at least 6 lines and 50 tokens that are the same, without migrations and what is generated; None
    where there is no npx or it cannot get the finder."""
    npx = shutil.which("npx")
    if npx is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        ignored = ["**/migrations/**", *(f"**/{path}" for path in sorted(GENERATED))]
        sizes = ["--min-lines", str(DUPLICATE_LINES), "--min-tokens", str(DUPLICATE_TOKENS)]
        kinds = ["--format", "python,typescript,tsx", "--ignore", ",".join(ignored)]
        command = [npx, "--yes", FINDER, *sizes, *kinds, "--reporters", "json", "--silent", "--output", folder]
        try:
            _run([*command, "annotation", "mlservice", "platform", "frontend/src"], ROOT)
            report = json.loads((Path(folder) / "jscpd-report.json").read_text("utf-8"))
        except (OSError, subprocess.TimeoutExpired):
            return None
    return [f"{row['firstFile']['name']} ~ {row['secondFile']['name']}" for row in report["duplicates"]]


def _run(command: list[str], folder: Path) -> str:
    """What a program writes; its exit code only says that it found something."""
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    return done.stdout
