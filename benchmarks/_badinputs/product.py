"""The same against a product started here (`tests.product`), whose rows, files and memory are watched, too."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks._badinputs.named import list_named
from benchmarks._badinputs.running import Facts, Watch, over_http, run_bad_inputs
from benchmarks._badinputs.world import SEED, Targets

IMPORTS_END_WITHIN_S = 900


def run_on_product(product: Any, seed: int, count: int, step: int = 1) -> Facts:
    """Start web and worker of a migrated, empty product, and send everything, or every `step`-th named input.

    `product`: a `tests.product.Product`.
    """
    scratch = Path(product.state) / "tmp"
    scratch.mkdir(exist_ok=True)
    product.environment["TMPDIR"] = str(scratch)
    targets = Targets(**json.loads(product.manage("shell", "-v", "0", "-c", SEED).stdout.splitlines()[-1]))
    web = product.start("web")
    product.start("default")
    database = product.environment["VOXLOOP_DATABASE"]
    watch = Watch(
        count_rows=lambda: _count_rows(database),
        list_files=lambda: [str(path) for folder in (scratch, Path(product.state) / "work") for path in _files(folder)],
        resident_bytes=lambda: sum(_resident(pid) for pid in _family(web.pid)),
        settle=lambda: _wait_for_jobs(database),
    )
    with over_http(product.url, targets) as sender:
        facts = run_bad_inputs(sender, targets, seed, count, watch=watch, named=list_named(targets)[::step])
    for state, code, scans in _imports(database):
        if (state == "succeeded" and not scans) or (state == "failed" and code in ("", "internal")):
            facts.without_code.append({"name": f"an import that ended as {state} {code!r} with {scans} scans"})
    return facts


def _count_rows(database: str) -> dict[str, int]:
    with psycopg.connect(database) as line:
        names = [name for (name,) in line.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {name: line.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in names}


def _imports(database: str) -> list[tuple[str, str, int]]:
    with psycopg.connect(database) as line:
        return list(
            line.execute(
                "SELECT state, error_code, coalesce(jsonb_array_length(result->'scans'), 0) FROM jobs_job"
                " WHERE kind = 'import_scans'"
            )
        )


def _wait_for_jobs(database: str) -> None:
    end = time.monotonic() + IMPORTS_END_WITHIN_S
    while time.monotonic() < end:
        with psycopg.connect(database) as line:
            waiting = line.execute("SELECT count(*) FROM jobs_job WHERE state IN ('queued', 'running')").fetchone()
        if waiting == (0,):
            return
        time.sleep(0.5)
    raise RuntimeError(f"Imports are still waiting after {IMPORTS_END_WITHIN_S} s.")


def _files(folder: Path) -> Iterator[Path]:
    # Only regular files: other processes keep sockets and locks there.
    return (path for path in folder.rglob("*") if path.is_file()) if folder.exists() else iter(())


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
