"""What belongs to the frame of every page: the built scripts and styles, icons, states, query strings."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from voxloop.accounts.browsers import browser_keys as browser_keys_of

register = template.Library()

# state -> (class of tokens.css, icon, word). Never colour alone.
STATES = {
    "queued": ("queued", "circle-dashed", "Queued"),
    "open": ("open", "circle-dot", "Open"),
    "submitted": ("submitted", "send", "Submitted"),
    "in_review": ("in-review", "scan-eye", "In review"),
    "returned": ("returned", "corner-up-left", "Returned"),
    "approved": ("approved", "check", "Approved"),
    "skipped": ("skipped", "skip-forward", "Skipped"),
    "blocked": ("blocked", "ban", "Blocked"),
    "reclaimed": ("skipped", "rotate-ccw", "Reclaimed"),
    # batches
    "draft": ("queued", "layers", "Draft"),
    "published": ("queued", "inbox", "Published"),
    "in_progress": ("open", "circle-dot", "In progress"),
    "accepted": ("approved", "check", "Accepted"),
    "closed": ("skipped", "lock", "Closed"),
    "cancelled": ("skipped", "x", "Cancelled"),
    # scans
    "received": ("queued", "inbox", "Received"),
    "screening": ("open", "search", "Screening"),
    "converting": ("open", "circle-dot", "Converting"),
    "ready": ("approved", "check", "Ready"),
    "rejected": ("blocked", "ban", "Rejected"),
    "failed": ("blocked", "circle-alert", "Failed"),
    "withdrawn": ("skipped", "x", "Withdrawn"),
    "erased": ("skipped", "x", "Erased"),
    # review rounds
    "pending": ("queued", "hourglass", "Waiting"),
    "claimed": ("in-review", "scan-eye", "In review"),
    "corrected": ("approved", "check", "Corrected"),
    "arbitration": ("in-review", "scale", "Arbitration"),
    # jobs and training runs
    "running": ("open", "circle-dot", "Running"),
    "succeeded": ("approved", "check", "Done"),
    "lost": ("blocked", "unplug", "Lost"),
    "silent": ("blocked", "unplug", "Silent"),
    "taking": ("approved", "check", "Takes work"),
    "evaluating": ("open", "circle-dot", "Evaluating"),
    "candidate": ("submitted", "cpu", "Candidate"),
    "promoted": ("approved", "crown", "Promoted"),
    # releases
    "frozen": ("in-review", "snowflake", "Frozen"),
    "yanked": ("blocked", "ban", "Yanked"),
}
RELEASE_STATES = {"published": ("approved", "package", "Published")}
MODEL_TAGS = {"champion": "tag-good", "candidate": "tag-warn", "rejected": "tag-bad"}
MODEL_WORDS = {"candidate": "challenger"}


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
    table = RELEASE_STATES if thing == "release" and name in RELEASE_STATES else STATES
    tint, symbol, word = table.get(name, ("queued", "circle-dashed", name.replace("_", " ").capitalize()))
    return format_html('<span class="state st-{}">{}{}</span>', tint, icon(symbol), word)


@register.simple_tag
def model_state(name: str) -> SafeString:
    """The state of a model version as a tag."""
    return format_html('<span class="tag {}">{}</span>', MODEL_TAGS.get(name, ""), MODEL_WORDS.get(name, name))


@register.simple_tag
def person(user: Any) -> SafeString:
    """A person: initials and name; nobody is the pool."""
    if user is None:
        return format_html('<span class="person faint"><i class="nobody">?</i>in the pool</span>')
    return format_html('<span class="person"><i aria-hidden="true">{}</i>{}</span>', initials(str(user)), str(user))


@register.filter
def initials(name: str) -> str:
    """`annotator1` -> `A1`, `data-manager` -> `DM`: at most two signs."""
    words = [word for word in name.replace("-", " ").replace("_", " ").replace(".", " ").split() if word]
    if not words:
        return "?"
    if len(words) > 1:
        return (words[0][0] + words[1][0]).upper()
    tail = words[0][-1] if words[0][-1].isdigit() else ""
    return (words[0][0] + tail).upper()


@lru_cache(maxsize=1)
def _manifest(path: Path, _changed: float) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def manifest() -> dict[str, Any]:
    """Vite's manifest; empty when the front end has not been built."""
    for path in (settings.VITE_DIST / ".vite" / "manifest.json", settings.VITE_DIST / "manifest.json"):
        if path.exists():
            return _manifest(path, path.stat().st_mtime)
    return {}


@register.simple_tag
def vite(entry: str) -> SafeString:
    """The stylesheets and the module script of one Vite entry, e.g. `src/pages/main.ts`."""
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
    # What the script imports is asked for beside it, not after it.
    others = format_html_join(
        "",
        '<link rel="modulepreload" href="{}">',
        ((static_url(built[name]["file"]),) for name in seen if name != entry),
    )
    return format_html('{}{}<script type="module" src="{}"></script>', links, others, static_url(chunk["file"]))


def static_url(name: str) -> str:
    """The address of a built file of the front end."""
    return static(f"{settings.VITE_DIST.name}/{name}")


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The present query string with some values changed; None takes one out."""
    values = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            values.pop(name, None)
        else:
            values[name] = str(value)
    return f"?{values.urlencode()}" if values else "?"


@register.simple_tag(takes_context=True)
def browser_keys(context: template.Context) -> SafeString:
    """What the scripts of this page seal their stores with; pages are kept by no cache."""
    request = context.get("request")
    keys = browser_keys_of(request) if request is not None else {}
    if not keys:
        return SafeString("")
    return format_html('<meta name="browser-keys" content="{} {}">\n', keys["person"], keys["login"])
