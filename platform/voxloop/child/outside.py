"""Start a child without credentials, limit and watch it, relay its progress, and read its result."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from voxloop.child.documents import ContractError, Document, from_json, read_json, write_json
from voxloop.child.protocol import BOUNDS, END_WITH_STDIN, ERRORS, PROGRESS, REQUEST, RESULT, Bounds, ChildError
from voxloop.child.protocol import ChildProgress as Progress

R = TypeVar("R", bound=Document)
OnLook = Callable[[list[Progress]], None]

# The only variables that a child inherits; credentials above all are left out.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
LOOK_EVERY_S = 0.1
TERM_GRACE_S = 5.0
MOST_AT_A_LOOK = 1 << 18  # bytes of progress


def bare_environment(packages: Iterable[ModuleType], *, kept: Iterable[str] = (), **fixed: str) -> dict[str, str]:
    """The environment of a child that imports `packages`: no database, no bucket, no key.

    `kept` names more variables to pass on; `fixed` is set as given.
    """
    roots = dict.fromkeys(str(Path(package.__path__[0]).resolve().parent) for package in packages)
    passed_on = {name: os.environ[name] for name in (*KEPT_VARIABLES, *kept) if name in os.environ}
    return {
        **passed_on,
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        END_WITH_STDIN: "1",
        **fixed,
    }


def run_child(
    module: str,
    request: Document,
    kind: type[R],
    *,
    folder: Path,
    environment: Mapping[str, str],
    on_look: OnLook,
    bounds: Bounds | None = None,
    timeout_s: float | None = None,
) -> R:
    """Run `python -m module folder` to its end and return its result. `on_look` is called several times a second with
    the new lines of progress (possibly none); what it raises ends the child and propagates. The child ends with this
    process. Raises ChildError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (RESULT, PROGRESS):  # of earlier work in this folder, which would be taken for this one's
        (folder / name).unlink(missing_ok=True)
    write_json(folder / REQUEST, request)
    if bounds is not None:
        write_json(folder / BOUNDS, bounds)
    with (folder / ERRORS).open("wb") as errors:
        child = subprocess.Popen(  # noqa: S603 - a module of ours, no shell, the folder is ours
            [sys.executable, "-P", "-m", module, str(folder)],
            cwd=folder,
            env={**environment, "TMPDIR": str(folder)},  # output of libraries goes to the same log
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    try:
        _follow(child, folder / PROGRESS, on_look, timeout_s)
    finally:
        _end(child)
    return _read_result(kind, folder, child.returncode)


def last_words(folder: Path) -> str:
    """The end of a child's log, for ours."""
    with contextlib.suppress(OSError):
        return (folder / ERRORS).read_bytes()[-2000:].decode("utf-8", errors="replace")
    return ""


def _follow(child: subprocess.Popen[bytes], path: Path, on_look: OnLook, timeout_s: float | None) -> None:
    end = time.monotonic() + timeout_s if timeout_s is not None else None
    offset = 0
    while True:
        is_over = child.poll() is not None
        fresh, offset = _new_lines(path, offset)
        on_look(fresh)
        if is_over:
            return
        if end is not None and time.monotonic() >= end:
            raise ChildError("timeout", f"It took longer than {timeout_s:g} s.")
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(LOOK_EVERY_S)


def _new_lines(path: Path, offset: int) -> tuple[list[Progress], int]:
    """Whole lines after `offset`; a half-written one waits for the next call, an invalid one is skipped."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            body = file.read(MOST_AT_A_LOOK)
    except FileNotFoundError:
        return [], offset
    whole = body[: body.rfind(b"\n") + 1] or (body if len(body) == MOST_AT_A_LOOK else b"")
    found = []
    for line in whole.splitlines():
        with contextlib.suppress(ValueError):  # ContractError and JSONDecodeError are both
            found.append(from_json(Progress, json.loads(line)))
    return found, offset + len(whole)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and its descendants: SIGTERM first, then SIGKILL."""
    if child.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(TERM_GRACE_S)
                break
    if child.stdin:
        child.stdin.close()


def _read_result(kind: type[R], folder: Path, code: int) -> R:
    path = folder / RESULT
    if not path.exists():
        raise _explain(code, last_words(folder))
    try:
        values = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ChildError("died", "Its result cannot be read.") from error
    if isinstance(values, dict) and isinstance(values.get("error"), dict):
        raise ChildError(str(values["error"].get("code")), str(values["error"].get("sentence")))
    try:
        return read_json(kind, path)
    except ContractError as wrong:
        raise ChildError(wrong.code, wrong.sentence) from wrong


def _explain(code: int, said: str) -> ChildError:
    """Why a child ended without a result."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return ChildError("no_space", "The disk is full.")
    if code == -signal.SIGXCPU:
        return ChildError("out_of_time", "It used up its CPU time.")
    if "MemoryError" in said or "Cannot allocate memory" in said:
        return ChildError("out_of_memory", "It needs more memory than its limit.")
    if code < 0:
        return ChildError("killed", f"It was killed (signal {-code}).", signal=-code)
    return ChildError("died", f"It ended without a result (exit code {code}).")
