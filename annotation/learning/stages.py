"""Run one ML stage as a process of its own, without credentials, and relay what it says."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from django.conf import settings

from mlservice.contract import ContractError, Progress, read_json, to_json
from voxloop.jobs.services import Claim
from voxloop.kernel.errors import Conflict

log = structlog.get_logger(__name__)

Result = TypeVar("Result")
OnProgress = Callable[[list[Progress]], None]

# What a stage may know of this machine: where Python and its libraries are, and which GPU is its.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV")
LOOK_EVERY_S = 0.25
REPORT_EVERY_S = 1.0
TERM_GRACE_S = 5.0


def run_stage(
    stage: str,
    request: Any,
    kind: type[Result],
    *,
    folder: Path,
    held: Claim,
    span: tuple[int, int],
    on_progress: OnProgress | None = None,
) -> Result:
    """Run `python -m mlservice.<stage>` in `folder`; answer its result.

    `span` is the part of the job's progress that this stage fills. `on_progress` gets the lines that are new. The
    process ends with this one, and when the claim is lost. Raises Conflict with the stage's code, LeaseLost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "request.json").write_text(json.dumps(to_json(request)), "utf-8")
    with (folder / "stderr.log").open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", f"mlservice.{stage}", str(folder)],
            cwd=settings.BASE_DIR,
            env=bare_environment() | {"TMPDIR": str(folder)},  # what a library writes by itself goes with the rest
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    try:
        _follow(process, folder / "progress.jsonl", held, span, on_progress)
    finally:
        _end(process)
    return _read_result(stage, kind, folder, process.returncode)


def bare_environment() -> dict[str, str]:
    """The environment of a stage: no database, no bucket, no key."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    roots = [str(settings.BASE_DIR), str(settings.BASE_DIR / "platform")]
    return environment | {
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONUNBUFFERED": "1",
        # A worker that is killed closes the pipe, and the stage ends with it.
        "MLSERVICE_END_WITH_STDIN": "1",
    }


def _follow(
    process: subprocess.Popen[bytes], path: Path, held: Claim, span: tuple[int, int], on_progress: OnProgress | None
) -> None:
    offset, told_at = 0, 0.0
    waiting: list[Progress] = []
    while True:
        is_over = process.poll() is not None
        fresh, offset = _new_lines(path, offset)
        waiting += fresh
        if is_over or time.monotonic() - told_at >= REPORT_EVERY_S:
            told_at = time.monotonic()
            if waiting:
                last = waiting[-1]
                share = last.step / last.total if last.total else 0.0
                held.report(round(span[0] + share * (span[1] - span[0])), last.sentence)
                if on_progress:
                    on_progress(waiting)
                waiting = []
            else:
                held.beat()
        if is_over:
            return
        time.sleep(LOOK_EVERY_S)


def _new_lines(path: Path, offset: int) -> tuple[list[Progress], int]:
    """Whole lines behind `offset`; a half-written one waits for the next look."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            body = file.read()
    except FileNotFoundError:
        return [], offset
    whole = body[: body.rfind(b"\n") + 1]
    return [Progress(**json.loads(line)) for line in whole.splitlines()], offset + len(whole)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TERM_GRACE_S)
                break
    if process.stdin:
        process.stdin.close()


def _read_result(stage: str, kind: type[Result], folder: Path, code: int) -> Result:
    path = folder / "result.json"
    if not path.exists():
        log.error("stage_died", stage=stage, code=code, stderr=_tail(folder / "stderr.log"))
        raise Conflict(f"The {stage} stage ended without a result (exit code {code}).", code="stage_died")
    error = json.loads(path.read_text("utf-8")).get("error")
    if error:
        log.warning("stage_failed", stage=stage, code=error["code"], stderr=_tail(folder / "stderr.log"))
        raise Conflict(error["sentence"], code=error["code"])
    try:
        return read_json(kind, path)
    except ContractError as wrong:
        raise Conflict(wrong.sentence, code=wrong.code) from wrong


def _tail(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")[-2000:]
