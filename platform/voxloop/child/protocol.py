"""What parent and child share: file names, exit codes, progress, limits and errors."""

from __future__ import annotations

from voxloop.child.documents import Document

REQUEST, RESULT, PROGRESS, BOUNDS, ERRORS = (
    "request.json",
    "result.json",
    "progress.jsonl",
    "bounds.json",
    "stderr.log",
)
OK, FAILED, BAD_ARGUMENTS = 0, 1, 2
# Set for a child whose stdin is a pipe from its owner: when the pipe closes, the child ends.
END_WITH_STDIN = "VOXLOOP_END_WITH_STDIN"


class ChildProgress(Document, frozen=True):
    """One line of `progress.jsonl`; `losses` are points of a training's curves at this step."""

    step: int
    total: int
    sentence: str
    losses: dict[str, float] = {}


class Failure(Document, frozen=True):
    """`result.json` of a child that failed: `{"contract", "error": {"code", "sentence"}}`."""

    error: dict[str, str]


class Bounds(Document, frozen=True):
    """Resource limits of a child; it applies them to itself, irrevocably, before it reads its request."""

    memory_bytes: int  # address space, threads' stacks and mapped libraries included
    cpu_s: int
    file_bytes: int  # of each file that it writes
    open_files: int = 256


class ChildError(Exception):
    """A child ended without a result. `code` is the child's own, or says how it ended: `timeout`, `out_of_time` (CPU
    limit), `out_of_memory`, `no_space`, `killed` (by `signal`), `died` (no message)."""

    def __init__(self, code: str, sentence: str, *, signal: int = 0) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.signal = signal
