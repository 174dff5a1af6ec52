"""Formatting: times, volumes, numbers with thin spaces and a true minus sign."""

from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.pages.markdown import render
from voxloop.kernel.clock import now, today

register = template.Library()

THIN, MINUS, DASH = "\u2009", "\u2212", "—"


def number_of(value: float | str | None) -> float | None:
    """A number from a template, where a missing value is ""."""
    return None if value is None or value == "" else float(value)


@register.filter
def thin(value: Any) -> str:
    """`1575` -> `1 575` with a thin space; None is a dash."""
    number = number_of(value)
    return DASH if number is None else f"{int(number):,}".replace(",", THIN).replace("-", MINUS)


@register.filter
def decimals(value: float | None, places: int = 1) -> str:
    """A figure with fixed decimals; None is a dash."""
    number = number_of(value)
    return DASH if number is None else f"{number:,.{places}f}".replace(",", THIN).replace("-", MINUS)


@register.filter
def minutes(value: float | None) -> str:
    """Minutes with one decimal; what would round to nothing is `< 0.1`; None is a dash."""
    number = number_of(value)
    return "< 0.1" if number is not None and 0 < number < 0.05 else decimals(number)


@register.filter
def signed(value: float | None, places: int = 1) -> str:
    """A difference with its sign; None is a dash."""
    number = number_of(value)
    if number is None:
        return DASH
    text = f"{number:+,.{places}f}".replace(",", THIN)
    if float(text.replace(THIN, "")) == 0:
        return text.lstrip("+-")
    return text.replace("-", MINUS)


@register.filter
def markdown(text: str) -> SafeString:
    """Guidelines as HTML (`annotation.pages.markdown`)."""
    return render(text)


@register.filter
def before(text: str, mark: str) -> str:
    """The part of a text before the first `mark`."""
    return text.partition(mark)[0]


@register.filter
def ml(value: float | None) -> str:
    """A volume in millilitres, one decimal, without the unit (which is in the column head)."""
    return decimals(value, 1)


@register.filter
def percent(value: float | None) -> str:
    """A share 0..1 as a whole per cent."""
    number = number_of(value)
    return DASH if number is None else f"{100 * number:.0f}"


def duration(seconds: float) -> str:
    """`40 min`, `3 h`, `1 d`: one unit, rounded down."""
    seconds = max(0, int(seconds))
    if seconds < 60:
        return "just now" if seconds < 5 else f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


@register.filter
def span(seconds: float | None) -> str:
    """A duration with at most two units: `36 s`, `5 h 40 min`."""
    length = number_of(seconds)
    if length is None:
        return DASH
    if length < 60:
        return f"{max(0, round(length))} s"
    minutes = round(length / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """Time since, with the exact time as tooltip; the script adds the local time."""
    if at is None:
        return DASH
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        f"{at.astimezone(UTC):%-d %b %Y %H:%M:%S} UTC",
        duration((now() - at).total_seconds()),
    )


@register.filter
def since(at: datetime | None) -> SafeString | str:
    """As `ago`, in a sentence: `3 h ago`, `just now`."""
    text = ago(at)
    if at is None or "just now" in text:
        return text
    return format_html("{} ago", text)


@register.filter
def moment(at: datetime) -> SafeString:
    """`27 Nov 14:03:21` on the clock of its own time zone; that of UTC as tooltip."""
    pattern = "%-d %b %H:%M:%S" if at.year == today().year else "%-d %b %Y %H:%M:%S"
    title = f"{at.astimezone(UTC):%-d %b %Y %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), title, f"{at:{pattern}}")


@register.filter
def day(value: date | datetime | None) -> SafeString | str:
    """`27 Nov`, with the year when it is not this one."""
    if value is None:
        return DASH
    if isinstance(value, datetime):
        shown = value.astimezone(UTC).date()
        title = f"{value.astimezone(UTC):%-d %b %Y %H:%M:%S} UTC"
    else:
        shown, title = value, f"{value:%A %-d %B %Y}"
    pattern = "%-d %b" if shown.year == today().year else "%-d %b %Y"
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, f"{shown:{pattern}}")


@register.filter
def slices(scan: Any) -> str:
    """`398 × 1.25 mm`: how many slices, how far apart."""
    if not scan.shape_zyx or not scan.spacing_mm_zyx:
        return DASH
    return f"{scan.shape_zyx[0]} × {round(scan.spacing_mm_zyx[0], 2):g} mm"


@register.filter
def plural(count: int, word: str) -> str:
    """`3|plural:"scan"` -> `3 scans`; a word with its own plural is given as `batch,batches`."""
    one, _, many = word.partition(",")
    return f"{thin(count)} {one if count == 1 else many or one + 's'}"


@register.simple_tag
def job_took(job: Any) -> str:
    """How long a job's last attempt took, or has taken so far."""
    if job.started_at is None:
        return DASH
    seconds = ((job.ended_at or now()) - job.started_at).total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else span(seconds)


WHAT_TO_DO = {
    "database_away": "Start PostgreSQL; everything goes on by itself then.",
    "no_worker": "Start a worker for it (docs/operating.md); waiting jobs then run by themselves.",
    "worker_silent": "A supervisor restarts it; without one, restart it yourself.",
    "clock_late": "Start celery beat again; there must be one.",
    "disk_low": "Free space on it, or move its files to a larger one.",
    "no_space": "Free space on it; everything goes on by itself then.",
}


@register.filter
def what_to_do(code: str) -> str:
    """What an operator should do about a fault."""
    return WHAT_TO_DO.get(code, "")
