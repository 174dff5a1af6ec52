"""The most memory a demonstration takes from its first to its last step, including import and training. A single
process is counted by its resident size (RSS); all together by their proportional size (PSS), because of shared
pages."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._demo import RunningDemo, is_complete, is_running, running_demo, temporary_state
from benchmarks._rows import plain_row

WEB_PROCESS_MB = 250.0
EVERYTHING_MB = 4096.0
EVERY_SECONDS = 0.5


def run() -> Iterator[dict[str, Any]]:
    """Rows of megabytes."""
    most: dict[str, float] = {}
    with temporary_state() as state, running_demo(state) as demo:
        demo.wait(is_running, "the first page")
        while not is_complete(demo):
            look(demo, most)
            demo.check_alive()
            time.sleep(EVERY_SECONDS)
        look(demo, most)
    yield plain_row("memory", "largest web process", most["web process"], "MB", WEB_PROCESS_MB)
    for name in sorted(most):
        if name not in {"web process", "everything"}:
            yield plain_row("memory", f"{name}, with its children", most[name], "MB")
    yield plain_row("memory", "everything", most["everything"], "MB", EVERYTHING_MB)


def look(demo: RunningDemo, most: dict[str, float]) -> None:
    """Raise each figure of `most` to the current one."""
    total = 0.0
    for name, pids in demo.processes().items():
        sizes = [sizes_of(pid) for pid in pids]
        together = sum(size["Pss"] for size in sizes)
        total += together
        most[name] = max(most.get(name, 0.0), together)
        if name == "web":
            most["web process"] = max(most.get("web process", 0.0), *(size["Rss"] for size in sizes))
    supervisor = sizes_of(demo.card["pids"]["supervisor"])["Pss"]
    most["everything"] = max(most.get("everything", 0.0), total + supervisor)


def sizes_of(pid: int) -> dict[str, float]:
    """Resident and proportional size of a process in MB; 0 when it has ended meanwhile."""
    sizes = {"Rss": 0.0, "Pss": 0.0}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in sizes:
                sizes[name] = int(rest.split()[0]) / 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return sizes
