"""The editor's core in Node: built from the sources of the viewer's worker."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from voxloop.embedded.bootstrap import find_node, install_frontend

ROOT = Path(__file__).resolve().parents[1]


def run_in_node(program: str, folder: Path) -> dict[str, Any]:
    """Build `frontend/bench`, run one of its programs on a folder of cases, and return its JSON."""
    node, npm = find_node()
    frontend = ROOT / "frontend"
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    install_frontend(frontend, npm, {**os.environ, "PATH": path})
    vite = [node, "node_modules/vite/bin/vite.js", "build", "--config", "bench/vite.config.ts"]
    subprocess.run(vite, cwd=frontend, check=True, capture_output=True)
    command = [node, f"dist/bench/{program}.js", str(folder)]
    done = subprocess.run(command, cwd=frontend, check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
