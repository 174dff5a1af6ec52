"""Convert an upload in a child process, and turn its failures into refusals."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import annotation
import voxloop
from annotation.intake.conversion import ConvertRequest, ConvertResult
from annotation.intake.limits import Limits
from voxloop.child import Bounds, ChildError, ChildProgress
from voxloop.child.outside import bare_environment, run_child
from voxloop.kernel.errors import FULL, Invalid, NoSpace

MEMORY_BYTES = 8 << 30  # address space, threads' stacks and mapped libraries included
TIMEOUT_S = 1800
FILE_BYTES_PER_VOXEL = 8
ASK_EVERY_S = 1.0
# Code and sentence for each way in which the process may fail.
ENDS = {
    "timeout": ("import_timeout", "The import took too long and was stopped; send fewer series at once."),
    "out_of_time": ("import_timeout", "The import used up its CPU time; send fewer series at once."),
    "out_of_memory": ("too_much_memory", "The import needs more memory than its limit; send fewer series."),
    "killed": (
        "import_killed",
        "The import was killed (signal {signal}), most likely for lack of memory; try again or send less at once.",
    ),
}
CRASHED = ("import_crashed", "The import stopped on a file that it cannot handle; nothing was stored.")


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
) -> ConvertResult:
    """Convert everything in `source` into the new folder `out`, in a child process.

    Raises Invalid (`import_timeout`, `too_much_memory`, `import_killed`, `import_crashed`) or NoSpace when the child
    did not finish; `out` is then deleted. An exception of `on_progress`, or of `may_go_on` (called every second), stops
    the child and propagates."""
    limits = limits or Limits()
    out.mkdir(parents=True)
    asked_at = 0.0

    def look(fresh: list[ChildProgress]) -> None:
        nonlocal asked_at
        if on_progress:
            for line in fresh:
                on_progress(line.step, line.sentence)
        if may_go_on and time.monotonic() - asked_at >= ASK_EVERY_S:
            asked_at = time.monotonic()
            may_go_on()

    try:
        result = run_child(
            "annotation.intake.convert",
            ConvertRequest(str(source.resolve()), str(mask.resolve()) if mask else None, limits),
            ConvertResult,
            folder=out,
            environment=child_environment(out),
            on_look=look,
            bounds=Bounds(
                memory_bytes=memory_bytes,
                cpu_s=int(timeout_s * (os.cpu_count() or 1)) + 1,
                file_bytes=max(limits.most_file_bytes, limits.most_voxels * FILE_BYTES_PER_VOXEL),
            ),
            timeout_s=timeout_s,
        )
        shutil.rmtree(out / "scratch", ignore_errors=True)
        return result
    except ChildError as end:
        shutil.rmtree(out, ignore_errors=True)
        if end.code == "no_space":
            raise NoSpace from end
        code, sentence = ENDS.get(end.code, CRASHED)
        raise Invalid(sentence.format(signal=end.signal), code=code) from end
    except BaseException as error:
        shutil.rmtree(out, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise NoSpace from error
        raise


def child_environment(out: Path) -> dict[str, str]:
    """The environment of the converting process: minimal, and reserving little address space."""
    return bare_environment(
        (annotation, voxloop),
        HOME=str(out),
        # One malloc arena and one BLAS thread: address space is limited, and no matrices are multiplied.
        MALLOC_ARENA_MAX="2",
        OPENBLAS_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
    )
