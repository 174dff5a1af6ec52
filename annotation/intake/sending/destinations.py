"""Where de-identified series go: to a server, to a folder that somebody wants to look at, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from annotation.intake.sending.client import Server, ServerAway
from annotation.intake.sending.journal import Entry, Journal
from voxloop.kernel.errors import Refusal

Say = Callable[[str], None]


class State(StrEnum):
    """What became of a series."""

    SENT = "sent"
    KNOWN = "sent before"
    WRITTEN = "written"
    WOULD_BE = "would be sent"
    REFUSED = "refused"


@dataclass
class Delivery:
    """Where a series ended. `scans` are the server's codes; `code` and `reason` say why it was refused."""

    state: State
    scans: list[str] = field(default_factory=list)
    code: str = ""
    reason: str = ""


class Destination(Protocol):
    """What a destination does with each series, by the code of the series and a hash of its contents."""

    def find(self, code: str, contents: str, say: Say) -> Delivery | None:
        """Where the series ended before; None when it has not been there."""

    def place(self, code: str) -> Path | None:
        """Where its zip is to be written; None: nowhere."""

    def deliver(self, code: str, contents: str, path: Path | None, say: Say) -> Delivery:
        """Take the zip. Raises Refusal when nothing more can be delivered."""


class Nowhere:
    """A dry run."""

    def find(self, code: str, contents: str, say: Say) -> Delivery | None:
        return None

    def place(self, code: str) -> Path | None:
        return None

    def deliver(self, code: str, contents: str, path: Path | None, say: Say) -> Delivery:
        return Delivery(State.WOULD_BE)


@dataclass(frozen=True)
class ToFolder:
    """One zip a series in a folder, for whoever wants to see what would leave."""

    folder: Path

    def find(self, code: str, contents: str, say: Say) -> Delivery | None:
        return None

    def place(self, code: str) -> Path | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / f"{code}.zip"
        target.unlink(missing_ok=True)
        return target

    def deliver(self, code: str, contents: str, path: Path | None, say: Say) -> Delivery:
        return Delivery(State.WRITTEN)


@dataclass(frozen=True)
class ToServer:
    """An upload for each series, noted before and after the server's answer. `outbox` holds one zip at a time."""

    server: Server
    site: str
    campaign: str
    journal: Journal
    outbox: Path

    def find(self, code: str, contents: str, say: Say) -> Delivery | None:
        entry = self.journal.find(code, contents)
        if entry is None:
            return None
        if entry.is_done:
            return Delivery(State.KNOWN, entry.scans)
        job = self.server.wait(entry.job, _tell(say))
        delivery = None if job is None else self._keep(code, entry, job)
        # What was refused is sent again: the campaign may have changed since.
        return delivery if delivery is not None and delivery.state is State.SENT else None

    def place(self, code: str) -> Path | None:
        self.outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.outbox.iterdir():  # by a run that was killed
            left.unlink()
        return self.outbox / f"{code}.zip"

    def deliver(self, code: str, contents: str, path: Path | None, say: Say) -> Delivery:
        if path is None:
            raise ValueError("nothing to deliver")
        size = max(1, path.stat().st_size)
        try:
            job = self.server.upload(
                path,
                {"site": self.site, "campaign": self.campaign},
                lambda done: say(f"sending, {min(100, 100 * done // size)} %"),
            )
            entry = Entry(contents, job)
            self.journal.note(code, entry)
            ended = self.server.wait(job, _tell(say))
            if ended is None:
                raise ServerAway
            return self._keep(code, entry, ended)
        finally:
            path.unlink(missing_ok=True)

    def _keep(self, code: str, entry: Entry, job: dict[str, Any]) -> Delivery:
        result = job["result"] or {}
        scans = [str(scan["code"]) for scan in result.get("scans", [])]
        if job["state"] == "succeeded" and scans:
            self.journal.note(code, Entry(entry.contents, entry.job, scans, is_done=True))
            return Delivery(State.SENT, scans)
        refused = next(iter(result.get("refused", [])), None)
        told = refused["reason"] if refused else job["error"] or "The server ended the import without a reason."
        why = refused["code"] if refused else job["error_code"] or "import_failed"
        return Delivery(State.REFUSED, code=why, reason=told)


def _tell(say: Say) -> Callable[[int, str], None]:
    return lambda progress, message: say(f"the server reads it, {progress} %")


def refused_by(refusal: Refusal) -> Delivery:
    """The delivery of a series that the server did not take."""
    return Delivery(State.REFUSED, code=refusal.code, reason=refusal.detail)
