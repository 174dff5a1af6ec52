"""Start the converting child process, watch it, and clean up after it, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import annotation
import voxloop
from annotation.intake.limits import Limits
from voxloop.kernel.errors import FULL, Invalid, NoSpace

MEMORY_BYTES = 8 << 30  # address space, threads' stacks and mapped libraries included
TIMEOUT_S = 1800
MOST_LINE = 10_000
LOOK_EVERY_S = 1.0
# What a child needs of its parent's environment. Everything else, credentials above all, stays behind.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True)
class Report:
    """The result of a conversion: what was written where, and what was refused why (see `convert`)."""

    folder: Path
    accepted: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    not_dicom: int
    unreadable: int


def run_convert(
    source: Path,
    out: Path,
    *,
    mask: Path | None = None,
    limits: Limits | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
    on_progress: Callable[[int, str], None] | None = None,
    may_go_on: Callable[[], None] | None = None,
) -> Report:
    """Convert everything in `source` into the new folder `out`, in a process of its own.

    Raises Invalid (`import_timeout`, `import_killed`, `import_crashed`) or NoSpace when the child did not finish;
    then `out` is gone. An exception of `on_progress`, or of `may_go_on` (called every second, in a thread of its own),
    stops the child and passes through.
    """
    out.mkdir(parents=True)
    try:
        request = {
            "source": str(source.resolve()),
            "mask": mask and str(mask.resolve()),
            "limits": (limits or Limits()).to_json(),
            "memory_bytes": memory_bytes,
            "cpu_s": int(timeout_s * (os.cpu_count() or 1)) + 1,
        }
        (out / "request.json").write_text(json.dumps(request), encoding="utf-8")
        _run(out, timeout_s, on_progress or (lambda progress, message: None), may_go_on or (lambda: None))
        report = json.loads((out / "report.json").read_text(encoding="utf-8"))
        shutil.rmtree(out / "scratch", ignore_errors=True)
        return Report(folder=out, **report)
    except BaseException as error:
        shutil.rmtree(out, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise NoSpace from error
        raise


def _run(out: Path, timeout_s: float, on_progress: Callable[[int, str], None], may_go_on: Callable[[], None]) -> None:
    with (out / "stderr.txt").open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell, the folder is ours
            [sys.executable, "-P", "-m", "annotation.intake.convert", str(out)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=_environment(out),
            cwd=out,
            start_new_session=True,
        )
    over, late = threading.Event(), threading.Event()
    orders: list[BaseException] = []

    def watch() -> None:
        end = time.monotonic() + timeout_s
        while not over.wait(min(LOOK_EVERY_S, max(0.0, end - time.monotonic()))):
            try:
                may_go_on()
            except BaseException as order:  # raised where the child is waited for
                orders.append(order)
            if time.monotonic() >= end:
                late.set()
            if orders or late.is_set():
                _kill(child)
                return

    threading.Thread(target=watch, name="import", daemon=True).start()
    try:
        while child.stdout and (line := child.stdout.readline(MOST_LINE)):
            _relay(line, on_progress)
        code = child.wait()
    finally:
        over.set()
        _kill(child)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if orders:
        raise orders[0]
    if late.is_set():
        raise Invalid(
            f"The import took longer than {timeout_s:g} s and was stopped; send fewer series at once.",
            code="import_timeout",
        )
    if code != 0:
        _explain(code, (out / "stderr.txt").read_bytes()[-2000:])


def _relay(line: bytes, on_progress: Callable[[int, str], None]) -> None:
    try:
        said = json.loads(line)
        progress, message = int(said["progress"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        return  # a library that prints is no reason to fail
    on_progress(progress, message)


def _explain(code: int, said: bytes) -> None:
    if b"No space left on device" in said or b"Disk quota exceeded" in said:
        raise NoSpace
    if code == -signal.SIGXCPU:
        raise Invalid("The import used up its computing time; send fewer series at once.", code="import_timeout")
    if b"MemoryError" in said or b"Cannot allocate memory" in said:
        raise Invalid("The import needs more memory than it may take; send fewer series.", code="too_much_memory")
    if code < 0:
        raise Invalid(
            f"The import was killed (signal {-code}), most likely for want of memory; try again or send less at once.",
            code="import_killed",
        )
    raise Invalid("The import stopped on a file that it cannot handle; nothing was stored.", code="import_crashed")


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)


def _environment(out: Path) -> dict[str, str]:
    roots = dict.fromkeys(str(Path(package.__path__[0]).resolve().parent) for package in (annotation, voxloop))
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(out),
        "HOME": str(out),
        # One arena and one BLAS thread: address space is bounded, and nothing here multiplies matrices.
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
