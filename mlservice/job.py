"""The frame around every stage: arguments, job folder, progress, result, exit code."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from mlservice.contract.codec import ContractError, read_json, write_json
from mlservice.contract.results import Failure, Progress

Request = TypeVar("Request")

OK, FAILED, BAD_ARGUMENTS = 0, 1, 2
# Set by whoever starts a stage with a pipe as its stdin: when the pipe closes, its owner is gone and so are we.
END_WITH_PARENT = "MLSERVICE_END_WITH_STDIN"


@dataclass(frozen=True)
class Job:
    """A job folder in work."""

    folder: Path

    def path(self, name: str) -> Path:
        """`name` relative to the job folder, or itself when absolute."""
        return self.folder / name

    def report(self, step: int, total: int, sentence: str, losses: dict[str, float] | None = None) -> None:
        """Append one line to progress.jsonl."""
        line = json.dumps(asdict(Progress(step, total, sentence, losses or {})))
        with (self.folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def fresh(self, name: str) -> Path:
        """An empty folder of that name; what an attempt before left there is gone."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def run_stage(kind: type[Request], work: Callable[[Request, Job], Any], arguments: Sequence[str] | None = None) -> int:
    """Run one stage for the folder named on the command line; answer the exit code 0, 1 or 2.

    result.json exists when and only when the stage came to an end, good or bad. TERM ends it at once.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) != 1 or words[0] in {"-h", "--help"} or not Path(words[0]).is_dir():
        sys.stderr.write(f"usage: python -m mlservice.<stage> JOB_DIR\nJOB_DIR holds request.json ({kind.__name__}).\n")
        return OK if words in (["-h"], ["--help"]) else BAD_ARGUMENTS
    _end_with_owner()
    job = Job(Path(words[0]).resolve())
    for name in ("result.json", "progress.jsonl"):
        (job.folder / name).unlink(missing_ok=True)
    try:
        request = read_json(kind, job.folder / "request.json")
    except ContractError as error:
        _fail(job, error.code, error.sentence)
        return BAD_ARGUMENTS
    try:
        result = work(request, job)
    except ContractError as error:
        _fail(job, error.code, error.sentence)
        return FAILED
    except MemoryError:
        _fail(job, "out_of_memory", "The machine has too little memory for this work.")
        return FAILED
    except OSError as error:
        traceback.print_exc()
        _fail(job, "file_error", f"A file could not be read or written ({error.strerror or type(error).__name__}).")
        return FAILED
    except Exception as error:
        traceback.print_exc()
        code = "out_of_memory" if type(error).__name__ == "OutOfMemoryError" else "internal"
        _fail(job, code, f"The stage stopped unexpectedly ({type(error).__name__}).")
        return FAILED
    write_json(job.folder / "result.json", result)
    return OK


def _fail(job: Job, code: str, sentence: str) -> None:
    sys.stderr.write(f"{code}: {sentence}\n")
    write_json(job.folder / "result.json", Failure({"code": code, "sentence": sentence}))


def _end_with_owner() -> None:
    # A worker may have left TERM ignored; nothing here needs tidying, so the plain death is the clean one.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.environ.get(END_WITH_PARENT) == "1":
        threading.Thread(target=_watch_stdin, name="owner", daemon=True).start()


def _watch_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(FAILED)
