"""The plots of the campaign dashboard."""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.safestring import SafeString

from annotation.pages.plots.canvas import Canvas, median, minute_ticks, quantile, ticks, time_ticks
from annotation.pages.templatetags.figures import MINUS, THIN, thin

Step = tuple[datetime, int]


def burn_up(
    approved: Sequence[Step],
    handed_in: Sequence[Step],
    *,
    start: datetime,
    end: datetime,
    today: datetime,
    planned: int = 0,
    plan_end: datetime | None = None,
    first_model: datetime | None = None,
) -> SafeString:
    """Approved and handed-in scans over time, cumulative counts, against a straight plan."""
    top = max([planned, *(count for _, count in approved), *(count for _, count in handed_in), 4])
    plot = Canvas(760, 314, "Approved and handed-in scans over time", left=44, right=14)
    marks = ticks(top, whole=True)
    end = max(end, today)
    plot.domain((start.timestamp(), end.timestamp()), (0, marks[-1]))
    plot.rows(marks, lambda value: thin(value))
    for at, words in time_ticks(start, end):
        plot.text(words, plot.x(at.timestamp()), plot.height - 9, "middle")
    if planned:
        _draw_plan(plot, planned, start, plan_end, end)
    now_x = today.timestamp()
    for rows, line, fill, word, shift in (
        (handed_in, "", "var(--st-submitted-mark)", "handed in", -7),
        (approved, "l1", "var(--plot-1)", "approved", 15),
    ):
        if not rows:
            continue
        points = _stairs(rows, start.timestamp(), now_x)
        plot.path("", [*points, (now_x, 0), (points[0][0], 0)], closed=True, style=f"fill:{fill};fill-opacity:.16")
        plot.path(line, points, style="" if line else f"fill:none;stroke:{fill};stroke-width:1.5")
        last = rows[-1][1]
        plot.dot("", plot.x(now_x), plot.y(last), 3.5, f"fill:{fill}")
        near_edge = plot.x(now_x) > plot.width - 120
        plot.name(
            f"{word} {thin(last)}",
            plot.x(now_x) + (-9 if near_edge else 8),
            plot.y(last) + shift,
            "end" if near_edge else "start",
            "lab",
        )
    if end > today:
        plot.line("base", plot.x(now_x), plot.top, plot.x(now_x), plot.height - plot.bottom)
        plot.name("today", plot.x(now_x) - 5, plot.top + 8, "end")
    if first_model and start < first_model < today:
        x = plot.x(first_model.timestamp())
        plot.line("ref", x, plot.top + 10, x, plot.height - plot.bottom)
        right = x > plot.width * 0.62
        plot.name("first model serves", x + (-6 if right else 6), plot.top + 20, "end" if right else "start")
    return plot.svg()


def _draw_plan(plot: Canvas, planned: int, start: datetime, plan_end: datetime | None, end: datetime) -> None:
    """A straight line to the planned end, then level; without an end only the number, which has no day."""
    points = [(start.timestamp(), 0.0)] if plan_end and plan_end > start else []
    reached = min(plan_end, end) if plan_end and points else start
    if plan_end and points:
        share = (reached - start) / (plan_end - start)
        points.append((reached.timestamp(), planned * share))
    if not plan_end or plan_end < end:
        points += [(reached.timestamp(), planned), (end.timestamp(), planned)]
    plot.path("ref", points)
    plot.name(f"plan {thin(planned)}", plot.x(points[-1][0]) - 4, plot.y(points[-1][1]) - 5, "end")


def acceptance(bins: Sequence[tuple[str, int, int]], goal: float = 0.75) -> SafeString:
    """First-pass acceptance by period: `(word, accepted, judged)`."""
    plot = Canvas(360, 314, "First-pass acceptance, per cent, by period", left=40, right=8, top=22)
    plot.domain(y=(0, 100))
    plot.rows([0, 25, 50, 75, 100], lambda value: f"{value:g} %")
    room = (plot.width - plot.left - plot.right) / max(len(bins), 6)
    for index, (word, accepted, judged) in enumerate(bins):
        share = 100 * accepted / judged if judged else 0
        x = plot.left + index * room + room * 0.16
        last = index == len(bins) - 1
        if judged:
            plot.bar("f1", x, room * 0.68, 0, share, "" if last else "opacity:.62", f"{word}: {accepted} of {judged}")
        if last and judged:
            plot.text(f"{share:.0f} %", x + room * 0.34, plot.y(share) - 6, "middle", "lab")
        if len(bins) <= 6 or index % 4 == 0 or last:
            plot.text(word, x + room * 0.34, plot.height - 9, "middle")
    y = plot.y(100 * goal)
    plot.line("ref", plot.left, y, plot.width - plot.right, y)
    plot.text(f"goal {100 * goal:.0f} %", plot.width - plot.right, y - 5, "end")
    return plot.svg()


def time_per_scan(people: Sequence[tuple[str, Sequence[float]]]) -> SafeString:
    """Active minutes per scan, one row a person: every scan a dot, the middle half a box, the median a mark."""
    height = max(270, 46 + 34 * len(people))
    plot = Canvas(500, height, "Active minutes per scan by person", left=92, right=64, top=10, bottom=26)
    marks = minute_ticks(max((max(values) for _, values in people), default=1))
    plot.domain(x=(0, marks[-1]))
    plot.columns(marks, lambda value: f"{value:g} min" if value == marks[-1] else f"{value:g}")
    step = min(44.0, (plot.height - plot.top - plot.bottom) / max(len(people), 1))
    for index, (name, values) in enumerate(people):
        y = plot.top + step * (index + 0.5)
        plot.text(name, 0, y + 4, kind="lab", most=13)
        for number, value in enumerate(values):
            # A deterministic shift per dot separates equal values.
            shift = ((number * 37) % 11 - 5) * min(1.2, step / 16)
            plot.dot("f1", plot.x(value), y + shift, 1.9, "opacity:.5")
        if len(values) >= 3:
            low, high = plot.x(quantile(values, 0.25)), plot.x(quantile(values, 0.75))
            plot.box("", low, y - 6, high - low, 12, "fill:none;stroke:var(--text);stroke-width:1")
        middle = plot.x(median(values))
        plot.line("", middle, y - 6, middle, y + 6, "stroke:var(--text);stroke-width:2")
        plot.text(f"{median(values):.1f} · {len(values)}", plot.width, y + 4, "end")
    return plot.svg()


def queue_age(
    days: Sequence[tuple[int, int]], limit_days: int = 4, *, width: float = 460, height: float = 270
) -> SafeString:
    """Scans that wait for a verdict by whole days of waiting: `(first round, later rounds)`, today first."""
    plot = Canvas(width, height, "Scans that wait for review, by days of waiting", left=34, right=8, top=18, bottom=42)
    marks = ticks(max((first + later for first, later in days), default=1), whole=True)
    plot.domain(y=(0, marks[-1]))
    plot.rows(marks)
    room = (plot.width - plot.left - plot.right) / len(days)
    for index, (first, later) in enumerate(days):
        kind = "f2" if index >= limit_days else "f1"
        x = plot.left + index * room + room * 0.16
        last = index == len(days) - 1
        word = "today" if index == 0 else f"{index} d{'+' if last else ''}"
        plot.bar(kind, x, room * 0.68, 0, first, tip=f"{word}: {first} in the first round")
        if later:
            plot.bar(kind, x, room * 0.68, first, first + later, "opacity:.45", f"{word}: {later} in a later round")
        if first + later:
            plot.text(thin(first + later), x + room * 0.34, plot.y(first + later) - 5, "middle", "lab")
        plot.text(word, x + room * 0.34, plot.height - 27, "middle")
    over = sum(first + later for first, later in days[limit_days:])
    x = plot.left + limit_days * room
    plot.line("ref", x, plot.top, x, plot.height - plot.bottom)
    plot.text(f"limit {limit_days} days: {thin(over)} over it", x + 5, plot.top + 8)
    plot.box("f1", plot.left, plot.height - 12, 8, 8)
    plot.text("first round", plot.left + 13, plot.height - 4)
    plot.box("f1", plot.left + 84, plot.height - 12, 8, 8, "opacity:.45")
    plot.text("later rounds", plot.left + 97, plot.height - 4)
    return plot.svg()


def week_bars(days: Sequence[tuple[date, int, int]], *, width: float = 420, height: float = 170) -> SafeString:
    """Scans by day: `(day, handed in, approved)`, side by side."""
    plot = Canvas(width, height, "Scans handed in and approved, by day", left=34, right=8, top=18, bottom=42)
    marks = ticks(max(max(handed, approved) for _, handed, approved in days), whole=True)
    plot.domain(y=(0, marks[-1]))
    plot.rows(marks)
    room, styles = (plot.width - plot.left - plot.right) / len(days), ("opacity:.45", "")
    for index, (day, *counts) in enumerate(days):
        for n, (count, style, words) in enumerate(zip(counts, styles, ("handed in", "approved"), strict=True)):
            x = plot.left + (index + 0.2 + 0.31 * n) * room
            plot.bar("f1", x, room * 0.29, 0, count, style, tip=f"{day:%-d %b}: {count} {words}")
            if count:
                plot.text(thin(count), x + room * 0.145, plot.y(count) - 5, "middle", "lab")
        plot.text(f"{day:%a %-d}", plot.left + (index + 0.5) * room, plot.height - 27, "middle")
    for at, style, words in zip((0, 84), styles, ("handed in", "approved"), strict=True):
        plot.box("f1", plot.left + at, plot.height - 12, 8, 8, style)
        plot.text(words, plot.left + at + 13, plot.height - 4)
    return plot.svg()


def minutes_saved(sites: Sequence[tuple[str, float | None, float | None]]) -> SafeString:
    """Median active minutes from a blank start and from a pre-annotation, by site."""
    plot = Canvas(
        360, 314, "Active minutes per scan, blank start against pre-annotated, by site", left=64, right=44, top=28
    )
    marks = minute_ticks(max((value for _, *pair in sites for value in pair if value is not None), default=1))
    plot.domain(x=(0, marks[-1]))
    plot.columns(marks, lambda value: f"{value:g} min" if value == marks[-1] else f"{value:g}")
    plot.dot("fref", plot.left + 4, 10, 4)
    plot.text("blank start", plot.left + 13, 14)
    plot.dot("f1", plot.left + 92, 10, 4)
    plot.text("pre-annotated", plot.left + 101, 14)
    step = (plot.height - plot.top - plot.bottom) / max(len(sites), 1)
    for index, (name, blank, helped) in enumerate(sites):
        y = plot.top + step * (index + 0.5)
        plot.text(name, 0, y + 4, kind="lab", most=9)
        if blank is not None and helped is not None:
            plot.line("", plot.x(blank), y, plot.x(helped), y, "stroke:var(--line-strong);stroke-width:3")
            words = f"{helped - blank:+.1f}".replace("-", MINUS)
            plot.text(words, plot.x(max(blank, helped)) + 9, y + 4)
        for value, kind in ((blank, "fref"), (helped, "f1")):
            if value is not None:
                plot.dot(kind, plot.x(value), y, 4.5, tip=f"{name}: {value:.1f} min")
    return plot.svg()


def spark(values: Sequence[float], width: float = 102, height: float = 30) -> SafeString:
    """A sparkline; decorative, the figure beside it gives the value."""
    if len(values) < 2:
        values = [*values, *values] or [0, 0]
    plot = Canvas(width, height, "", left=3, right=4, top=4, bottom=4)
    low, high = min(values), max(values)
    plot.domain((0, len(values) - 1), (low, high if high > low else low + 1))
    plot.path("l1", list(enumerate(values)), style="stroke-width:1.5")
    plot.dot("f1", plot.x(len(values) - 1), plot.y(values[-1]), 2.5)
    return _decorative(plot)


def day_bars(values: Sequence[int]) -> SafeString:
    """A bar a day, oldest first."""
    plot = Canvas(12 * len(values), 18, "", left=0, right=0, top=1, bottom=1)
    plot.domain(y=(0, max([*values, 1])))
    for index, value in enumerate(values):
        plot.bar("f1", index * 12, 9, 0, value or 0.06 * max([*values, 1]), tip="")
    return _decorative(plot)


def _decorative(plot: Canvas) -> SafeString:
    text = plot.svg()
    return SafeString(
        text.replace('class="plot"', f'class="plot spark" width="{plot.width:g}" height="{plot.height:g}"')
        .replace('role="img" aria-label=""', 'aria-hidden="true" focusable="false"')
        .replace("<title></title>", "")
    )


def _stairs(rows: Sequence[Step], start: float, end: float) -> list[tuple[float, float]]:
    """Cumulative counts as a line: straight between counts when there are many, steps when there are few."""
    if len(rows) > 60:
        every = max(1, len(rows) // 120)
        kept = [*rows[::every], rows[-1]]
        return [(start, 0), *((at.timestamp(), count) for at, count in kept), (end, rows[-1][1])]
    points: list[tuple[float, float]] = [(start, 0)]
    for at, count in rows:
        points += [(at.timestamp(), points[-1][1]), (at.timestamp(), count)]
    return [*points, (end, rows[-1][1])]


__all__ = ["THIN", "acceptance", "burn_up", "day_bars", "minutes_saved", "queue_age", "spark", "time_per_scan"]
