"""Tags for the frame of every page: built scripts and styles, icons, states, query strings."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotation.datasets.states import ReleaseState
from annotation.learning.states import ModelState, RunState
from annotation.pages.selectors.imports import is_in_part, says
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.work.states import AssignmentState, BatchState
from voxloop.accounts.browsers import browser_keys as browser_keys_of
from voxloop.jobs.models import Job
from voxloop.jobs.states import JobState

register = template.Library()

# state -> (class of tokens.css, icon, text); never colour alone.
STATES: dict[str, tuple[str, str, str]] = {
    AssignmentState.QUEUED: ("queued", "circle-dashed", "Queued"),
    AssignmentState.OPEN: ("open", "circle-dot", "Open"),
    AssignmentState.SUBMITTED: ("submitted", "send", "Submitted"),
    BatchState.IN_REVIEW: ("in-review", "scan-eye", "In review"),
    AssignmentState.RETURNED: ("returned", "corner-up-left", "Returned"),
    AssignmentState.APPROVED: ("approved", "check", "Approved"),
    AssignmentState.SKIPPED: ("skipped", "skip-forward", "Skipped"),
    AssignmentState.BLOCKED: ("blocked", "ban", "Blocked"),
    AssignmentState.RECLAIMED: ("skipped", "rotate-ccw", "Reclaimed"),
    # batches
    BatchState.DRAFT: ("queued", "layers", "Draft"),
    BatchState.PUBLISHED: ("queued", "inbox", "Published"),
    BatchState.IN_PROGRESS: ("open", "circle-dot", "In progress"),
    BatchState.ACCEPTED: ("approved", "check", "Accepted"),
    BatchState.CLOSED: ("skipped", "lock", "Closed"),
    BatchState.CANCELLED: ("skipped", "x", "Cancelled"),
    # scans
    ScanState.RECEIVED: ("queued", "inbox", "Received"),
    ScanState.SCREENING: ("open", "search", "Screening"),
    ScanState.CONVERTING: ("open", "circle-dot", "Converting"),
    ScanState.READY: ("approved", "check", "Ready"),
    ScanState.REJECTED: ("blocked", "ban", "Rejected"),
    ScanState.FAILED: ("blocked", "circle-alert", "Failed"),
    ScanState.WITHDRAWN: ("skipped", "x", "Withdrawn"),
    ScanState.ERASED: ("skipped", "x", "Erased"),
    # review rounds
    RoundState.PENDING: ("queued", "hourglass", "Waiting"),
    RoundState.CLAIMED: ("in-review", "scan-eye", "In review"),
    RoundState.CORRECTED: ("approved", "check", "Corrected"),
    RoundState.TAKEN_BACK: ("skipped", "rotate-ccw", "Taken back"),
    RoundState.ARBITRATION: ("in-review", "scale", "Arbitration"),
    # jobs and training runs
    JobState.RUNNING: ("open", "circle-dot", "Running"),
    JobState.SUCCEEDED: ("approved", "check", "Done"),
    JobState.LOST: ("blocked", "unplug", "Lost"),
    # workers: derived, not stored
    "silent": ("blocked", "unplug", "Silent"),
    "taking": ("approved", "check", "Takes work"),
    RunState.EVALUATING: ("open", "circle-dot", "Evaluating"),
    RunState.CANDIDATE: ("submitted", "cpu", "Candidate"),
    RunState.UNDECIDED: ("submitted", "scale", "Undecided"),
    RunState.PROMOTED: ("approved", "crown", "Promoted"),
    # releases
    ReleaseState.FROZEN: ("in-review", "snowflake", "Frozen"),
    ReleaseState.YANKED: ("blocked", "ban", "Yanked"),
}
# Where a word of the table above means something else: a model is rejected, a scan is refused.
STATES_OF: dict[str, dict[str, tuple[str, str, str]]] = {
    "release": {ReleaseState.PUBLISHED: ("approved", "package", "Published")},
    "scan": {ScanState.REJECTED: ("blocked", "ban", "Refused")},
}
MODEL_TAGS: dict[str, str] = {
    ModelState.CHAMPION: "tag-good",
    ModelState.CANDIDATE: "tag-warn",
    ModelState.UNDECIDED: "tag-warn",
    ModelState.REJECTED: "tag-bad",
}
MODEL_WORDS: dict[str, str] = {ModelState.CANDIDATE: "challenger"}


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """One of the Lucide icons of `frame/icons.html`, decorative; `extra` adds classes."""
    return format_html(
        '<svg class="icon{}" width="16" height="16" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>',
        f" {extra}" if extra else "",
        name,
    )


@register.simple_tag
def state(name: str, thing: str = "") -> SafeString:
    """A state as icon and word in its tint."""
    tint, symbol, word = (STATES | STATES_OF.get(thing, {})).get(
        name, ("queued", "circle-dashed", name.replace("_", " ").capitalize())
    )
    return format_html('<span class="state st-{}">{}{}</span>', tint, icon(symbol), word)


@register.simple_tag
def job_state(job: Job) -> SafeString:
    """The state of a job; an import that refused something is done in part."""
    if not is_in_part(job):
        return state(job.state)
    return format_html('<span class="state st-returned">{}Done in part</span>', icon("triangle-alert"))


@register.filter
def job_says(job: Job) -> str:
    """A job's one sentence."""
    return says(job)


@register.simple_tag
def model_state(name: str) -> SafeString:
    """The state of a model version as a tag."""
    return format_html('<span class="tag {}">{}</span>', MODEL_TAGS.get(name, ""), MODEL_WORDS.get(name, name))


@register.simple_tag
def person(user: Any) -> SafeString:
    """A person: initials and name; nobody is the pool."""
    if user is None:
        return format_html('<span class="person faint"><i class="nobody">{}</i>in the pool</span>', "?")
    return format_html(
        '<span class="person"><i aria-hidden="true">{}</i><span class="person-name">{}</span></span>',
        initials(str(user)),
        str(user),
    )


@register.filter
def initials(name: str) -> str:
    """`annotator1` -> `A1`, `data-manager` -> `DM`: at most two letters."""
    words = [word for word in name.replace("-", " ").replace("_", " ").replace(".", " ").split() if word]
    if not words:
        return "?"
    if len(words) > 1:
        return (words[0][0] + words[1][0]).upper()
    tail = words[0][-1] if words[0][-1].isdigit() else ""
    return (words[0][0] + tail).upper()


@lru_cache(maxsize=1)
def _manifest(path: Path, _changed: float) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def manifest() -> dict[str, Any]:
    """Vite's manifest; empty when the front end has not been built."""
    for path in (settings.VITE_DIST / ".vite" / "manifest.json", settings.VITE_DIST / "manifest.json"):
        if path.exists():
            return _manifest(path, path.stat().st_mtime)
    return {}


@register.simple_tag
def vite(entry: str, *, at_once: bool = False) -> SafeString:
    """The stylesheets and the module script of one Vite entry, e.g. `src/pages/main.ts`. `at_once`: it runs as soon as
    it is there, and waits neither for the page's end nor for stylesheets."""
    built = manifest()
    if entry not in built:
        return format_html("<!-- the front end is not built: no {} -->", entry)
    chunk = built[entry]
    styles: list[str] = []
    seen: dict[str, None] = {}

    def collect(name: str) -> None:
        if name in seen:
            return
        seen[name] = None
        for other in built[name].get("imports", []):
            collect(other)
        styles.extend(style for style in built[name].get("css", []) if style not in styles)

    collect(entry)
    links = format_html_join("", '<link rel="stylesheet" href="{}">', ((static_url(style),) for style in styles))
    # Imports of the script load in parallel with it.
    others = format_html_join(
        "",
        '<link rel="modulepreload" href="{}">',
        ((static_url(built[name]["file"]),) for name in seen if name != entry),
    )
    when = "async" if at_once else "defer"  # a module is deferred anyway
    return format_html(
        '{}{}<script type="module" {} src="{}"></script>', links, others, when, static_url(chunk["file"])
    )


def static_url(name: str) -> str:
    """The address of a built file of the front end."""
    return static(f"{settings.VITE_DIST.name}/{name}")


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The current query string with some values changed; None removes one."""
    values = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            values.pop(name, None)
        else:
            values[name] = str(value)
    return f"?{values.urlencode()}" if values else "?"


@register.simple_tag(takes_context=True)
def sort_head(context: Any, name: str, word: str, extra: str = "") -> SafeString:
    """The head of a column that the table can be sorted by (`annotation.pages.sorting`). The first click sorts upwards,
    the second downwards; `default_sort` of the context is the order of an address without one."""
    now = context["request"].GET.get("sort") or context.get("default_sort", "")
    is_up, is_down = now == name, now == f"-{name}"
    told = "ascending" if is_up else "descending" if is_down else ""
    return format_html(
        '<th scope="col" class="{}"{}><a class="sort" href="{}">{}{}</a></th>',
        extra,
        format_html(' aria-sort="{}"', told) if told else "",
        query(context, sort=f"-{name}" if is_up else name, page=None),
        word,
        icon("chevron-up" if is_up else "chevron-down", "icon-sm") if told else "",
    )


@register.simple_tag(takes_context=True)
def browser_keys(context: template.Context) -> SafeString:
    """Encryption keys for this page's scripts; pages are not cached."""
    request = context.get("request")
    keys = browser_keys_of(request) if request is not None else {}
    if not keys:
        return SafeString("")
    return format_html('<meta name="browser-keys" content="{} {}">\n', keys["person"], keys["login"])
