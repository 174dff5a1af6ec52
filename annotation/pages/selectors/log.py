"""The audit log as its page shows it: which entries, and each of them in words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet
from django.urls import reverse

from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job

SHOWN_CHANGES = 3
LONGEST_VALUE = 40
# The page of a thing, by its kind; things of other kinds have none.
PAGES = {
    "scans.scan": "scan",
    "work.batch": "batch",
    "accounts.user": "person",
    "datasets.release": "release",
    "jobs.job": "job",
    "learning.modelversion": "model_card",
}
# How people name a thing: a scan and its work by the scan's code.
NAMED = (
    ("scans.scan", "code"),
    ("work.assignment", "scan__code"),
    ("work.batch", "name"),
    ("accounts.user", "username"),
)
MOST_NAMED = 1000
EVERY_ACTION = """
WITH RECURSIVE every AS (
  (SELECT action FROM audit_auditentry ORDER BY action LIMIT 1)
  UNION ALL
  SELECT (SELECT action FROM audit_auditentry WHERE action > every.action ORDER BY action LIMIT 1)
  FROM every WHERE every.action IS NOT NULL
)
SELECT action FROM every WHERE action IS NOT NULL
"""
HEAD = ("entry", "at", "who", "action", "kind", "thing", "old", "new", "why", "hash", "seal")


@dataclass(frozen=True)
class Line:
    """One entry in words."""

    entry: AuditEntry
    at: datetime
    what: str
    thing: str
    href: str
    change: str
    seal: int | None


def find_entries(wanted: dict[str, Any], zone: ZoneInfo) -> QuerySet[AuditEntry]:
    """Entries that meet the cleaned values of `LogForm`, newest first; days are those of the time zone."""
    rows = AuditEntry.objects.select_related("seal").order_by("-id")
    if who := wanted.get("who"):
        person = User.objects.filter(username=who).first()
        rows = rows.filter(actor=person) if person else rows.filter(actor=None, actor_name=who)
    if about := wanted.get("about"):
        rows = rows.filter(action__in=[action for action in list_actions() if subject_of(action) == about])
    if day := wanted.get("from_day"):
        rows = rows.filter(at__gte=_start_of(day, zone))
    if day := wanted.get("to_day"):
        rows = rows.filter(at__lt=_start_of(day + timedelta(days=1), zone))
    if thing := wanted.get("thing"):
        rows = rows.filter(_is_about(thing))
    return rows


def list_actors() -> list[str]:
    """Everybody who may stand in the log, by name: people, and the parts of the product that act by themselves."""
    people = User.objects.order_by("username").values_list("username", flat=True)
    return sorted({*people, *map(str, SystemActor)}, key=str.lower)


def list_actions() -> list[str]:
    """Every action that stands in the log, in order; one step in the index for each, however long the log is."""
    with connection.cursor() as cursor:
        cursor.execute(EVERY_ACTION)
        return [action for (action,) in cursor.fetchall()]


def list_subjects() -> list[str]:
    """What entries are about: the words before the dot of the actions."""
    return sorted({subject_of(action) for action in list_actions()})


def subject_of(action: str) -> str:
    """`campaign.role_given` -> `campaign`."""
    return action.partition(".")[0]


def tell(entries: Sequence[AuditEntry], zone: ZoneInfo) -> list[Line]:
    """Each entry in words, with the names of the things; one query for each kind of thing."""
    names = _names_of(entries)
    lines = []
    for entry in entries:
        key = (entry.object_type, entry.object_id)
        page = PAGES.get(entry.object_type)
        href = reverse(page, args=[entry.object_id]) if page and key in names else ""
        thing = names.get(key) or f"{entry.object_type.partition('.')[2]} {entry.object_id[:8]}"
        at = entry.at.astimezone(zone)
        lines.append(Line(entry, at, words_of(entry.action), thing, href, _change(entry), _seal_of(entry)))
    return lines


def words_of(action: str) -> str:
    """`campaign.role_given` -> "Campaign: role given"."""
    thing, _, done = action.replace("_", " ").partition(".")
    return f"{thing.capitalize()}: {done}" if done else thing.capitalize()


def table_of(entries: Iterable[AuditEntry]) -> Iterator[Sequence[Any]]:
    """One row of `HEAD` for each entry, as it is stored."""
    for entry in entries:
        yield (
            entry.id,
            entry.at.isoformat(),
            entry.actor_name,
            entry.action,
            entry.object_type,
            entry.object_id,
            entry.old,
            entry.new,
            entry.why,
            entry.hash,
            _seal_of(entry) or "",
        )


def last_check() -> Job | None:
    """The newest check of the log that was asked for."""
    return Job.objects.filter(kind=Job.Kind.VERIFY_LOG).order_by("-created_at").first()


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _is_about(words: str) -> Q:
    """A thing by its id, or by its name where it has one that people know: a scan's code, a batch, a person."""
    found = Q(object_id=words)
    for kind, field in NAMED:
        rows = apps.get_model(kind)._default_manager.filter(**{f"{field}__iexact": words})
        keys = [str(key) for key in rows.values_list("pk", flat=True)[:MOST_NAMED]]
        if keys:
            found |= Q(object_type=kind, object_id__in=keys)
    return found


def _names_of(entries: Sequence[AuditEntry]) -> dict[tuple[str, str], str]:
    keys: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        keys[entry.object_type].add(entry.object_id)
    names: dict[tuple[str, str], str] = {}
    for kind, ids in keys.items():
        try:
            rows = apps.get_model(kind)._default_manager.in_bulk(ids)
        except (LookupError, ValueError, ValidationError):
            continue  # a kind that is gone, or an id of another shape
        names |= {(kind, str(key)): str(row) for key, row in rows.items()}
    return names


def _change(entry: AuditEntry) -> str:
    """`state: open → submitted`; the first few facts."""
    old, new = (value if isinstance(value, dict) else {} for value in (entry.old, entry.new))
    facts = []
    for name in dict.fromkeys([*old, *new]):
        before, after = (_short(value[name]) if name in value else "" for value in (old, new))
        facts.append(f"{name.replace('_', ' ')}: {' → '.join(part for part in (before, after) if part)}")
    more = f", {len(facts) - SHOWN_CHANGES} more" if len(facts) > SHOWN_CHANGES else ""
    return ", ".join(facts[:SHOWN_CHANGES]) + more


def _short(value: Any) -> str:
    text = "—" if value in (None, "") else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _seal_of(entry: AuditEntry) -> int | None:
    return entry.seal.position if hasattr(entry, "seal") else None
