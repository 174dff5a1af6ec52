"""Axes, marks and text of a plot. Colours come from the classes of tokens.css, so both themes work."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

Point = tuple[float, float]
LETTER, LINE = 6.4, 13.0  # width of a letter and height of a line of a plot's text, in user units


@dataclass
class Canvas:
    """An SVG of `width` × `height` user units with margins around the plotting area."""

    width: float
    height: float
    label: str
    left: float = 36
    right: float = 12
    top: float = 12
    bottom: float = 24
    parts: list[str] = field(default_factory=list)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)  # labels: left, top, right, bottom

    def __post_init__(self) -> None:
        self.x: Callable[[float], float] = lambda value: value
        self.y: Callable[[float], float] = lambda value: value

    def domain(self, x: Point | None = None, y: Point | None = None) -> None:
        """Set the data range of the plotting area; `y` grows upwards."""
        if x:
            self.x = _linear(x, (self.left, self.width - self.right))
        if y:
            self.y = _linear(y, (self.height - self.bottom, self.top))

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float, style: str = "") -> None:
        self.parts.append(
            f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"{_css(style)}/>'
        )

    def text(self, words: str, x: float, y: float, anchor: str = "start", kind: str = "", most: int = 99) -> None:
        """A text; longer than `most` letters it is cut, and whole in its tooltip."""
        shown = clip(words, most)
        inner = f"{_tip(words) if shown != words else ''}{escape(shown)}"
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{inner}</text>')

    def name(self, words: str, x: float, y: float, anchor: str = "start", kind: str = "") -> None:
        """A text beside others: moved up or down by whole lines until it covers none, and kept inside the plot."""
        width = LETTER * len(words)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        left = min(max(left, 2.0), self.width - width - 2)
        x = left + {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        shifts = [0.0, *(sign * step * LINE for step in range(1, 20) for sign in (1, -1))]
        for shift in shifts:
            box = (left, y + shift - LINE + 2, left + width, y + shift + 2)
            inside = box[1] >= 0 and box[3] <= self.height - self.bottom
            if inside and not any(_overlap(box, other) for other in self.taken):
                break
        self.taken.append(box)
        self.text(words, x, box[3] - 2, anchor, kind)

    def path(self, kind: str, points: Iterable[Point], *, closed: bool = False, style: str = "") -> None:
        """A line (or an area) through points in data units."""
        spots = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        name = "polygon" if closed else "polyline"
        self.parts.append(f'<{name} class="{kind}" points="{spots}"{_css(style)}/>')

    def bar(self, kind: str, x: float, width: float, low: float, high: float, style: str = "", tip: str = "") -> None:
        """An upright bar: `x` and `width` in user units, `low` and `high` in data units."""
        top, foot = self.y(high), self.y(low)
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{max(width, 1):.1f}" '
            f'height="{max(foot - top, 0):.1f}" rx="2"{_css(style)}>{_tip(tip)}</rect>'
        )

    def box(self, kind: str, x: float, y: float, width: float, height: float, style: str = "", tip: str = "") -> None:
        """A rectangle in user units."""
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" rx="2"'
            f"{_css(style)}>{_tip(tip)}</rect>"
        )

    def dot(self, kind: str, x: float, y: float, radius: float = 3, style: str = "", tip: str = "") -> None:
        """A dot in user units."""
        self.parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"{_css(style)}>{_tip(tip)}</circle>'
        )

    def rows(self, ticks: Sequence[float], say: Callable[[float], str] = lambda value: f"{value:g}") -> None:
        """Horizontal hairlines with their values at the left; the first is the base."""
        for index, tick in enumerate(ticks):
            y = self.y(tick)
            self.line("grid" if index else "base", self.left, y, self.width - self.right, y)
            self.text(say(tick), self.left - 7, y + 4, "end")

    def columns(self, ticks: Sequence[float], say: Callable[[float], str] = lambda value: f"{value:g}") -> None:
        """Vertical hairlines with their values below; the first is the base."""
        for index, tick in enumerate(ticks):
            x = self.x(tick)
            self.line("grid" if index else "base", x, self.top, x, self.height - self.bottom)
            self.text(say(tick), x, self.height - self.bottom + 15, "middle")

    def svg(self) -> SafeString:
        """The finished plot; all text in it is already escaped."""
        label = escape(self.label)
        return mark_safe(  # noqa: S308 - numbers are formatted, words escaped above
            f'<svg class="plot" viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{label}">'
            f"<title>{label}</title>{''.join(self.parts)}</svg>"
        )


def ticks(highest: float, wanted: int = 4, whole: bool = False) -> list[float]:
    """Round values from 0 to at or above `highest`, about `wanted` steps."""
    if highest <= 0:
        highest = 1
    raw = highest / wanted
    scale = 10 ** math.floor(math.log10(raw))
    step = next(step * scale for step in (1, 2, 2.5, 5, 10) if step * scale >= raw * 0.999)
    if whole:
        step = max(1, math.ceil(step))
    count = math.ceil(highest / step - 1e-9)
    return [round(index * step, 10) for index in range(count + 1)]


def minute_ticks(most: float) -> list[float]:
    """`ticks` of active minutes: at least one minute high, so that scans of seconds get no axis of thousandths."""
    return ticks(max(most, 1.0))


def time_ticks(start: datetime, end: datetime, wanted: int = 5) -> list[tuple[datetime, str]]:
    """Round times between two times with labels: minutes, hours or days, by the length of the span."""
    seconds = max((end - start).total_seconds(), 60)
    for step in (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200):
        if seconds / step <= wanted:
            break
    else:
        step = int(seconds / wanted)
    first = datetime.fromtimestamp(math.ceil(start.timestamp() / step) * step, tz=UTC)
    pattern = "%H:%M" if step < 86400 else "%-d %b"
    found = []
    at = first
    while at <= end:
        found.append((at, f"{at:{pattern}}"))
        at += timedelta(seconds=step)
    return found


def median(values: Sequence[float]) -> float:
    """The middle of the values; the mean of the two middle ones for an even number."""
    return quantile(values, 0.5)


def quantile(values: Sequence[float], share: float) -> float:
    """Linear interpolation between the sorted values."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def clip(words: str, most: int) -> str:
    """A name cut to so many letters."""
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _linear(data: Point, area: Point) -> Callable[[float], float]:
    low, high = data
    span = (high - low) or 1
    return lambda value: area[0] + (value - low) / span * (area[1] - area[0])


def _css(style: str) -> str:
    return f' style="{style}"' if style else ""


def _tip(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""
