"""Run one stage of the ML service for a job, and relay its progress."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

import mlservice
import voxloop
from voxloop.child import Bounds, ChildError, ChildProgress, Document
from voxloop.child.outside import bare_environment, last_words, run_child
from voxloop.jobs.running import Claim
from voxloop.kernel.errors import Conflict

log = structlog.get_logger(__name__)

Result = TypeVar("Result", bound=Document)
OnProgress = Callable[[list[ChildProgress]], None]

# Besides the variables of every child: caches of compiled code, and GPU selection.
PASSED_ON = ("HOME", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV")
REPORT_EVERY_S = 1.0


def run_stage(
    stage: str,
    request: Document,
    kind: type[Result],
    *,
    folder: Path,
    held: Claim,
    span: tuple[int, int],
    on_progress: OnProgress | None = None,
    bounds: Bounds | None = None,
    timeout_s: float | None = None,
    has_gpu: bool = True,
) -> Result:
    """Run `python -m mlservice.<stage>` in `folder`; returns its result. `span` is the part of the job's progress that
    this stage fills. `on_progress` gets the new lines. `bounds` limit its memory, time and files; without `has_gpu` it
    sees none, for which address space cannot be limited. The process ends with this one, or when the claim is lost.

    Raises Conflict with the stage's code (`stage_died` for one that left no result), LeaseLost."""
    relay = _Relay(held, span, on_progress)
    try:
        result = run_child(
            f"mlservice.{stage}",
            request,
            kind,
            folder=folder,
            environment=stage_environment() | ({} if has_gpu else {"CUDA_VISIBLE_DEVICES": ""}),
            on_look=relay.look,
            bounds=bounds,
            timeout_s=timeout_s,
        )
    except ChildError as end:
        relay.flush()
        log.warning("stage_failed", stage=stage, code=end.code, stderr=last_words(folder))
        if end.code in ("died", "killed"):
            raise Conflict(f"The {stage} stage ended without a result. {end.sentence}", code="stage_died") from end
        raise Conflict(end.sentence, code=end.code) from end
    relay.flush()
    return result


def stage_environment() -> dict[str, str]:
    """The environment of a stage."""
    return bare_environment((mlservice, voxloop), kept=PASSED_ON)


class _Relay:
    """Reports progress to the job at most once a second; without any it checks that the job is still held."""

    def __init__(self, held: Claim, span: tuple[int, int], on_progress: OnProgress | None) -> None:
        self._held, self._span, self._on_progress = held, span, on_progress
        self._waiting: list[ChildProgress] = []
        self._told_at = 0.0

    def look(self, fresh: list[ChildProgress]) -> None:
        self._waiting += fresh
        if time.monotonic() - self._told_at >= REPORT_EVERY_S:
            self._told_at = time.monotonic()
            if self._waiting:
                self.flush()
            else:
                self._held.beat()

    def flush(self) -> None:
        if not self._waiting:
            return
        last, told = self._waiting[-1], self._waiting
        self._waiting = []
        share = last.step / last.total if last.total else 0.0
        low, high = self._span
        self._held.report(round(low + share * (high - low)), last.sentence)
        if self._on_progress:
            self._on_progress(told)
