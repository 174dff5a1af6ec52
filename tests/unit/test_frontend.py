"""The front end's own checks and tests, run by the same command as everything else."""

import os
import subprocess
from pathlib import Path

import pytest

from voxloop.embedded.bootstrap import ensure_frontend, find_node

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"


@pytest.mark.parametrize(
    "program",
    [
        ["node_modules/typescript/bin/tsc", "--noEmit"],
        ["node_modules/@biomejs/biome/bin/biome", "format", "."],
        ["node_modules/oxlint/bin/oxlint"],
        ["node_modules/vitest/vitest.mjs", "run"],
    ],
    ids=["types", "format", "lint", "vitest"],
)
def test_front_end(program: list[str]) -> None:
    """Types, format, lint and tests, started by the Node that builds the front end."""
    ensure_frontend(ROOT)
    node, _npm = find_node()
    environment = os.environ | {
        "PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "CI": "1",
    }
    done = subprocess.run([node, *program], cwd=FRONTEND, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
