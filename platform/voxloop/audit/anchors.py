"""Anchors: the newest seal, written where who owns the database cannot reach, so that a log cut off shows it.

One place is always there: a file in the state folder. `VOXLOOP_ANCHORS` names more: `file:///mount/folder`,
`s3://bucket/prefix?endpoint=…`, `mailto:somebody@example.org`. A place that fails is told and does not stop the others.
A line is `{"at", "position", "hash"}`. A mail holds one and cannot be read back: keep the mails, and give a file of
their lines to `verify_audit --anchor`.
"""

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
NOTES = "audit-anchors.json"  # in the state folder: when each other place was last written, and what it said
# How often a place is written at least while nothing happens, and at most while something does.
QUIET = timedelta(minutes=5)
EVERY = {"file": timedelta(0), "s3": timedelta(hours=1), "mailto": timedelta(days=1)}
# Older than this, a place has missed its time.
LATE = {"file": timedelta(hours=1), "s3": timedelta(hours=3), "mailto": timedelta(days=2)}

log = structlog.get_logger(__name__)
Row = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """How a place stands: its newest anchor, and in a sentence what is wrong with it ("" when nothing is)."""

    place: str
    newest: str | None
    fault: str


def local_anchor() -> Path:
    """The file in the state folder."""
    return Path(settings.STATE_DIR) / ANCHOR


def anchor() -> Path:
    """Seal what is new and write the newest seal to every place that is due; answer the path of the local one."""
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
    """Every anchor that can be read: of this file, or of the local one and all places. Places that fail are left out;
    `conditions` tells of them."""
    if path is not None:
        return _lines(path.read_text(encoding="utf-8")) if path.exists() else []
    rows: list[Row] = []
    for place in _places():
        try:
            rows += _read(place)
        except (OSError, Refusal, ValueError):
            continue
    return rows


def conditions() -> list[Condition]:
    """How each place stands. Before anything is sealed none need have an anchor, but nothing waits long for a seal."""
    notes = _read_notes()
    if AuditSeal.objects.exists():
        found = [_condition(place, notes.get(place, {})) for place in _places()]
    else:
        found = [Condition(place, None, "") for place in _places()]
    if found[0].newest is None and any(place.newest and not place.fault for place in found[1:]):
        # On many machines the file of a state folder lies on whichever machine sealed; a place for all proves as much.
        found[0] = replace(found[0], fault="")
    waits = AuditEntry.objects.filter(seal__isnull=True).order_by("id").first()
    if waits is not None and now() - waits.at > LATE["file"] and not found[0].fault:
        found[0] = replace(
            found[0],
            fault=f"Entry {waits.pk} has waited for its seal since {waits.at:%d %b %H:%M}: "
            "the clock process (beat) or a worker has stopped.",
        )
    return found


def _condition(place: str, note: dict[str, Any]) -> Condition:
    scheme = urlsplit(place).scheme or "file"
    try:
        rows = [{"at": note["at"]}] if scheme == "mailto" and "at" in note else _read(place)
    except (OSError, Refusal, ValueError) as error:
        return Condition(place, None, f"The anchors at {place} cannot be read: {_words(error)}")
    if not rows:
        why = f" ({note['fault']})" if note.get("fault") else ""
        said = (
            f"There is no anchor at {place}, though entries are sealed: it was removed, or never written{why}. "
            "Whether the log was cut off cannot be told by it."
        )
        return Condition(place, None, said)
    newest = max(str(row["at"]) for row in rows)
    age = now() - datetime.fromisoformat(newest)
    if age > LATE.get(scheme, LATE["file"]):
        hours = age.total_seconds() / 3600
        return Condition(
            place,
            newest,
            f"The newest anchor at {place} is {hours:.0f} h old: the clock process (beat) "
            "or a worker has stopped, or the file is an old copy.",
        )
    if note.get("fault"):
        return Condition(place, newest, f"The last anchor could not be written to {place}: {note['fault']}")
    return Condition(place, newest, "")


def _places() -> list[str]:
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
            raise ValueError("no mail server is named (VOXLOOP_MAIL).")
        words = "The newest seal of the audit log. Keep this mail: verify_audit can compare the log with its line."
        send_mail("Voxloop: anchor of the audit log", f"{words}\n\n{json.dumps(row)}\n", None, [parts.path])
    else:
        raise ValueError("an anchor goes to file://, s3:// or mailto:.")


def _read(place: str) -> list[Row]:
    parts = urlsplit(place)
    if parts.scheme == "s3":
        try:
            return _lines(open_store(place).get(ANCHOR).decode())
        except NotFound:
            return []
    if parts.scheme == "mailto":
        return []
    path = _file(parts.path) if parts.scheme == "file" else Path(place)
    return _lines(path.read_text(encoding="utf-8")) if path.exists() else []


def _append(path: Path, row: Row) -> None:
    """Add a line; nothing while nothing has happened, but for a sign of life now and then."""
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
    """Position → hash, and the first position for which two places tell different hashes."""
    found: dict[int, str] = {}
    for row in rows:
        if found.setdefault(row["position"], row["hash"]) != row["hash"]:
            return found, row["position"]
    return found, None
