"""Anchors: copies of the newest seal outside the database, so that a truncated log is detected. One location always
exists: a file in the state folder. `VOXLOOP_ANCHORS` names more: `file:///mount/folder`,
`s3://bucket/prefix?endpoint=…`, `mailto:somebody@example.org`. A failing location is reported and does not stop the
others. A line is `{"at", "position", "hash"}`. A mail holds one and cannot be read back: keep the mails, and give a
file of their lines to `verify_audit --anchor`."""

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import send_mail

from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.audit.services import seal_entries
from voxloop.kernel.clock import now
from voxloop.kernel.errors import NotFound, Refusal
from voxloop.storage.store import open_store

ANCHOR = "audit-anchor.jsonl"
NOTES = "audit-anchors.json"  # in the state folder: when each other location was last written, and its last error
# How often a location is written while the log does not grow, and at most while it grows.
QUIET = timedelta(minutes=5)
EVERY = {"file": timedelta(0), "s3": timedelta(hours=1), "mailto": timedelta(days=1)}
# An anchor older than this is overdue.
LATE = {"file": timedelta(hours=1), "s3": timedelta(hours=3), "mailto": timedelta(days=2)}

log = structlog.get_logger(__name__)
Row = dict[str, Any]


@dataclass(frozen=True)
class AnchorStatus:
    """State of one anchor location: its newest anchor, and one sentence on what is wrong ("" when nothing is)."""

    place: str
    newest: str | None
    fault: str


def local_anchor() -> Path:
    """The file in the state folder."""
    return Path(settings.STATE_DIR) / ANCHOR


def anchor() -> Path:
    """Seal new entries and write the newest seal to every location that is due; returns the local file's path."""
    seal_entries()
    path, head = local_anchor(), AuditSeal.objects.order_by("-position").first()
    if head is None:
        return path
    moment = now()
    row = {"at": moment.isoformat(), "position": head.position, "hash": head.hash}
    _append(path, row)
    notes = _read_notes()
    for url in settings.ANCHORS:
        note, every = notes.get(url, {}), EVERY.get(urlsplit(url).scheme, timedelta(0))
        if "at" in note and moment - datetime.fromisoformat(note["at"]) < every:
            continue
        try:
            _write(url, row)
            notes[url] = {"at": row["at"], "position": head.position}
        except (OSError, Refusal, ValueError) as error:
            notes[url] = {**note, "fault": _words(error)}
            log.error("audit anchor not written", place=url, why=_words(error))
    if settings.ANCHORS:
        _write_notes({url: notes[url] for url in settings.ANCHORS if url in notes})
    return path


def read_anchors(path: Path | None = None) -> list[Row]:
    """Every anchor that can be read: of this file, or of the local one and all locations. Failing locations are left
    out; `anchor_statuses` reports them."""
    if path is not None:
        return _lines(path.read_text(encoding="utf-8")) if path.exists() else []
    rows: list[Row] = []
    for location in _locations():
        try:
            rows += _read(location)
        except (OSError, Refusal, ValueError):
            continue
    return rows


def anchor_statuses() -> list[AnchorStatus]:
    """The status of each location. None needs an anchor before anything is sealed, but no entry may stay unsealed for
    long."""
    notes = _read_notes()
    if AuditSeal.objects.exists():
        found = [_status_of(location, notes.get(location, {})) for location in _locations()]
    else:
        found = [AnchorStatus(location, None, "") for location in _locations()]
    if found[0].newest is None and any(status.newest and not status.fault for status in found[1:]):
        # With several machines the local file lies on whichever machine sealed; a shared location is as good.
        found[0] = replace(found[0], fault="")
    waits = AuditEntry.objects.filter(seal__isnull=True).order_by("id").first()
    if waits is not None and now() - waits.at > LATE["file"] and not found[0].fault:
        found[0] = replace(
            found[0],
            fault=f"Entry {waits.pk} has waited for its seal since {waits.at:%d %b %H:%M}: "
            "the scheduler (beat) or a worker has stopped.",
        )
    return found


def _status_of(location: str, note: dict[str, Any]) -> AnchorStatus:
    scheme = urlsplit(location).scheme or "file"
    try:
        rows = [{"at": note["at"]}] if scheme == "mailto" and "at" in note else _read(location)
    except (OSError, Refusal, ValueError) as error:
        return AnchorStatus(location, None, f"The anchors at {location} cannot be read: {_words(error)}")
    if not rows:
        why = f" ({note['fault']})" if note.get("fault") else ""
        said = (
            f"There is no anchor at {location}, though entries are sealed: it was removed, or never written{why}. "
            "It cannot show whether the log was truncated."
        )
        return AnchorStatus(location, None, said)
    newest = max(str(row["at"]) for row in rows)
    age = now() - datetime.fromisoformat(newest)
    if age > LATE.get(scheme, LATE["file"]):
        hours = age.total_seconds() / 3600
        return AnchorStatus(
            location,
            newest,
            f"The newest anchor at {location} is {hours:.0f} h old: the scheduler (beat) "
            "or a worker has stopped, or the file is an old copy.",
        )
    if note.get("fault"):
        return AnchorStatus(location, newest, f"The last anchor could not be written to {location}: {note['fault']}")
    return AnchorStatus(location, newest, "")


def _locations() -> list[str]:
    return [str(local_anchor()), *settings.ANCHORS]


def _write(url: str, row: Row) -> None:
    parts = urlsplit(url)
    if parts.scheme == "file":
        _append(_file(parts.path), row)
    elif parts.scheme == "s3":
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as half:
            half.writelines(json.dumps(each) + "\n" for each in [*_read(url), row])
            half.flush()
            open_store(url).put_named(ANCHOR, Path(half.name))
    elif parts.scheme == "mailto":
        if not settings.MAIL_IS_SET:
            raise ValueError("no mail server is configured (VOXLOOP_MAIL).")
        words = "The newest seal of the audit log. Keep this mail: verify_audit can compare the log with its line."
        send_mail("Voxloop: anchor of the audit log", f"{words}\n\n{json.dumps(row)}\n", None, [parts.path])
    else:
        raise ValueError("an anchor goes to file://, s3:// or mailto:.")


def _read(location: str) -> list[Row]:
    parts = urlsplit(location)
    if parts.scheme == "s3":
        try:
            return _lines(open_store(location).get(ANCHOR).decode())
        except NotFound:
            return []
    if parts.scheme == "mailto":
        return []
    path = _file(parts.path) if parts.scheme == "file" else Path(location)
    return _lines(path.read_text(encoding="utf-8")) if path.exists() else []


def _append(path: Path, row: Row) -> None:
    """Append a line when the seal changed or the last line is older than `WRITTEN_AT_LEAST`."""
    last = _last(path)
    if last and last["position"] == row["position"] and _age(last, row) < QUIET:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(row) + "\n")


def _last(path: Path) -> Row | None:
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - 1024))
            rows = _lines(handle.read().decode(errors="replace").partition("\n")[2] or path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return rows[-1] if rows else None


def _age(last: Row, row: Row) -> timedelta:
    return datetime.fromisoformat(row["at"]) - datetime.fromisoformat(last["at"])


def _file(path: str) -> Path:
    return Path(path) if path.endswith(".jsonl") else Path(path) / ANCHOR


def _lines(text: str) -> list[Row]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _words(error: Exception) -> str:
    return str(getattr(error, "detail", "") or error)[:300]


def _read_notes() -> dict[str, dict[str, Any]]:
    path = Path(settings.STATE_DIR) / NOTES
    try:
        return dict(json.loads(path.read_text())) if path.exists() else {}
    except ValueError:
        return {}


def _write_notes(notes: dict[str, dict[str, Any]]) -> None:
    path = Path(settings.STATE_DIR) / NOTES
    half = path.with_suffix(".new")
    half.write_text(json.dumps(notes))
    half.replace(path)


def faults_between(rows: Iterable[Row]) -> tuple[dict[int, str], int | None]:
    """Position → hash, and the first position at which two locations hold different hashes."""
    found: dict[int, str] = {}
    for row in rows:
        if found.setdefault(row["position"], row["hash"]) != row["hash"]:
            return found, row["position"]
    return found, None
