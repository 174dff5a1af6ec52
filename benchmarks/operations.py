"""Operations on a whole, very large mask: both lungs of a scan of 512×512×300, in the viewer's core. Each is called
once in a fresh process, as for a reader; `kept` is the additional cost of history and journal."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._node import run_in_node
from benchmarks._rows import plain_row

MOST_MS = 2000.0


def run() -> Iterator[dict[str, Any]]:
    """Rows of milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        results = run_in_node("operations", Path(folder))
    for name, result in results.items():
        changed = (result["added"] + result["removed"]) / 1e6
        yield plain_row("operations", f"{name} ({changed:.1f} M voxels)", result["milliseconds"], "ms", MOST_MS)
        yield plain_row("operations", f"{name}: kept", result["kept"], "ms")
