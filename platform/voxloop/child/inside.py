"""Runs the work of a child process: arguments, bounds, folder, progress, result, exit code."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from voxloop.child.documents import ContractError, Document, read_json, to_json, write_json
from voxloop.child.protocol import (
    BAD_ARGUMENTS,
    BOUNDS,
    END_WITH_STDIN,
    FAILED,
    OK,
    PROGRESS,
    REQUEST,
    RESULT,
    Bounds,
    ChildProgress,
    Failure,
)

R = TypeVar("R", bound=Document)
PR_SET_PDEATHSIG = 1
NO_MEMORY = ("can't allocate memory", "bad_alloc", "can't start new thread")
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class ChildFolder:
    """The folder that a child works in."""

    folder: Path

    def path(self, name: str) -> Path:
        """`name` relative to the folder, or itself when absolute."""
        return self.folder / name

    def report(self, step: int, total: int, sentence: str, losses: Mapping[str, float] | None = None) -> None:
        """Append one line to progress.jsonl."""
        line = json.dumps(to_json(ChildProgress(step, total, sentence, dict(losses or {}))))
        with (self.folder / PROGRESS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def fresh(self, name: str) -> Path:
        """An empty folder of that name; leftovers of an earlier attempt are deleted."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def run_inside(
    kind: type[R], work: Callable[[R, ChildFolder], Document], arguments: Sequence[str] | None = None
) -> int:
    """Do the work for the folder named on the command line; returns the exit code 0, 1 or 2. result.json exists if and
    only if the work finished, successfully or not. SIGTERM ends it at once."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) != 1 or words[0] in {"-h", "--help"} or not Path(words[0]).is_dir():
        sys.stderr.write(f"usage: python -m MODULE FOLDER\nFOLDER holds {REQUEST} ({kind.__name__}).\n")
        return OK if words in (["-h"], ["--help"]) else BAD_ARGUMENTS
    _end_with_owner()
    job = ChildFolder(Path(words[0]).resolve())
    for name in (RESULT, PROGRESS):
        (job.folder / name).unlink(missing_ok=True)
    try:
        if (job.folder / BOUNDS).exists():
            limit_resources(read_json(Bounds, job.folder / BOUNDS))
        request = read_json(kind, job.folder / REQUEST)
    except ContractError as error:
        _fail(job, error.code, error.sentence)
        return BAD_ARGUMENTS
    try:
        result = work(request, job)
    except Exception as error:
        code, sentence = _words_for(error)
        _fail(job, code, sentence)
        return FAILED
    write_json(job.folder / RESULT, result)
    return OK


def limit_resources(bounds: Bounds) -> None:
    """Limit memory, CPU time, file size and open files of this process, irrevocably."""
    for kind, most in (
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_CPU, bounds.cpu_s),
        (resource.RLIMIT_FSIZE, bounds.file_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _words_for(error: Exception) -> tuple[str, str]:
    """Code and sentence of the error that ended the work; a traceback is logged unless it is a refusal."""
    if isinstance(error, ContractError):
        return error.code, error.sentence
    traceback.print_exc()
    if _is_of_memory(error):
        return "out_of_memory", "The machine has too little memory for this work."
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return "no_space", "The disk is full."
    if isinstance(error, OSError):
        what = error.strerror or type(error).__name__
        return "file_error", f"A file could not be read or written ({what})."
    return "internal", f"The work stopped unexpectedly ({type(error).__name__})."


def _is_of_memory(error: Exception) -> bool:
    """torch has an error of its own for a GPU, and a plain one for the processor."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def _fail(job: ChildFolder, code: str, sentence: str) -> None:
    sys.stderr.write(f"{code}: {sentence}\n")
    write_json(job.folder / RESULT, Failure({"code": code, "sentence": sentence}))


def _end_with_owner() -> None:
    # A worker may have left SIGTERM ignored; nothing here needs cleaning up, so the default action is right.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.environ.get(END_WITH_STDIN) == "1":
        if sys.platform == "linux":  # at once, even during a long call into C
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        threading.Thread(target=_watch_stdin, name="owner", daemon=True).start()


def _watch_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(FAILED)
