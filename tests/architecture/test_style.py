"""The house rules that a machine can hold: ruff and mypy strict over everything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", "--no-cache", ".")


@pytest.mark.timeout(900)  # 90 seconds on two cores that do nothing else, with no cache of an earlier run
def test_mypy_finds_nothing() -> None:
    run("mypy")


def test_the_formatter_has_every_line() -> None:
    run("ruff", "format", "--check", "--no-cache", ".")
    kept_away = [
        str(path.relative_to(ROOT))
        for path in sorted(ROOT.rglob("*.py"))
        if not {".venv", "node_modules"} & set(path.relative_to(ROOT).parts)
        and re.search(r"#\s*fmt:\s*(skip|off)", path.read_text())
    ]
    assert kept_away == []
