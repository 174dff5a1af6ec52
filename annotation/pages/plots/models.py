"""The plots of the model page."""

import math
from collections.abc import Sequence

from django.utils.safestring import SafeString

from annotation.pages.plots.canvas import Canvas, Point, ticks
from mlservice.contract import Outcome


def training_curve(
    loss: Sequence[Point],
    dice: Sequence[Point],
    *,
    steps: int,
    champion: tuple[str, float] | None = None,
    size: Point = (500, 262),
) -> SafeString:
    """Loss (scaled by its first value) and validation Dice by step."""
    plot = Canvas(*size, "Training: loss and validation Dice by step", left=36, right=12, bottom=26)
    last = max([steps, *(step for step, _ in loss), *(step for step, _ in dice), 1])
    plot.domain((0, last), (0, 1))
    plot.rows([0, 0.25, 0.5, 0.75, 1] if size[1] > 200 else [0, 0.5, 1])
    for tick in ticks(last):
        if tick <= last:
            plot.text(f"{tick:g}", plot.x(tick), plot.height - 11, "start" if tick == 0 else "middle")
    plot.text("steps", plot.width - plot.right, plot.height - 1, "end")
    scale = max((value for _, value in loss), default=1) or 1
    raw = [(step, value / scale) for step, value in loss]
    plot.path("", raw, style="fill:none;stroke:var(--plot-ref);stroke-width:1;opacity:.5")
    smooth = _smooth(raw)
    plot.path("", smooth, style="fill:none;stroke:var(--plot-ref);stroke-width:2;stroke-linejoin:round")
    if smooth:
        plot.text("loss, of its highest", plot.x(smooth[-1][0]), plot.y(smooth[-1][1]) - 18, "end")
    if champion:
        y = plot.y(champion[1])
        plot.line("ref", plot.left, y, plot.width - plot.right, y)
        plot.text(f"champion {champion[0]} {champion[1]:.3f}", plot.left + 4, y - 5)
    if dice:
        plot.path("l1", dice)
        for step, value in dice:
            plot.dot("f1", plot.x(step), plot.y(value), 2.5, tip=f"step {step:g}: Dice {value:.3f}")
        step, value = dice[-1]
        plot.text(f"Dice {value:.3f}", min(plot.x(step) + 6, plot.width - plot.right), plot.y(value) - 9, "end", "lab")
    return plot.svg()


def bars_by_volume(
    bins: Sequence[tuple[str, float | None, float | None, int]], old: str, new: str, *, label: str, counted: str
) -> SafeString:
    """Shares of 1 by volume: `(word, champion, challenger, n)`; `counted` are the things that `n` counts."""
    plot = Canvas(500, 262, label, left=36, right=8, top=34, bottom=40)
    plot.domain(y=(0, 1))
    plot.rows([0, 0.25, 0.5, 0.75, 1])
    at = plot.left
    if old:
        plot.box("fref", at, 2, 9, 9)
        plot.text(f"champion {old}", at + 14, 10)
        at += 130
    plot.box("f1", at, 2, 9, 9)
    plot.text(new, at + 14, 10)
    room = (plot.width - plot.left - plot.right) / max(len(bins), 1)
    wide = min(34.0, room * 0.32)
    for index, (word, first, second, count) in enumerate(bins):
        middle = plot.left + (index + 0.5) * room
        pairs = [("fref", first), ("f1", second)] if old else [("f1", second)]
        for index, (kind, value) in enumerate(pairs):
            x = middle - wide * len(pairs) / 2 + index * (wide + 2)
            if value is not None:
                plot.bar(kind, x, wide, 0, value, tip=f"{word}: {value:.3f}, {count} {counted}")
                plot.text(f"{value:.2f}", x + wide / 2, plot.y(value) - 5, "middle", "lab" if kind == "f1" else "")
        plot.text(f"{word} mL", middle, plot.height - 25, "middle")
        plot.text(f"n {count}", middle, plot.height - 11, "middle")
    return plot.svg()


def volumes(points: Sequence[tuple[float, float, str, str]]) -> SafeString:
    """Predicted against reference volume in mL on square-root axes: `(reference, predicted, site, scan)`."""
    plot = Canvas(380, 262, "Predicted against reference volume, mL", left=36, right=10, bottom=36)
    highest = max([value for reference, predicted, *_ in points for value in (reference, predicted)] + [10.0])
    root = math.sqrt(highest) * 1.03
    plot.domain((0, root), (0, root))
    marks = [(index / 4 * math.sqrt(highest)) for index in range(5)]
    plot.rows(marks, lambda value: f"{value * value:.0f}")
    for mark in marks:
        plot.text(f"{mark * mark:.0f}", plot.x(mark), plot.height - 21, "middle")
    plot.text("reference mL", (plot.left + plot.width) / 2, plot.height - 6, "middle")
    plot.path("ref", [(0, 0), (root, root)])
    for reference, predicted, site, scan in points:
        x, y = plot.x(math.sqrt(max(reference, 0))), plot.y(math.sqrt(max(predicted, 0)))
        plot.dot("f1", x, y, 2.6, "opacity:.75", f"{scan}, site {site}: {predicted:.1f} against {reference:.1f} mL")
    return plot.svg()


def interval(
    change: tuple[float, float, float], bound: float | None, outcome: str, *, margin: float, reach: float = 0.12
) -> SafeString:
    """A change with its 95 % interval, the gate's bound as a tick, and its limit; clipped at ± `reach`."""
    mean, low, high = change
    said = f"{mean:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    said += "" if bound is None else f", bound of the gate {bound:+.3f}"
    plot = Canvas(220, 20, said, left=10, right=10, top=0, bottom=0)
    plot.domain(x=(-reach, reach))
    inside = [max(-reach, min(reach, value)) for value in (low, mean, high, mean if bound is None else bound)]
    plot.box("", 10, 0, plot.x(-margin) - 10, 20, "fill:var(--bad-soft)")
    plot.line("", plot.x(0), 0, plot.x(0), 20, "stroke:var(--line-strong)")
    colour = "var(--bad)" if outcome == Outcome.FAILS else "var(--good)" if low > 0 else "var(--text)"
    plot.line("", plot.x(inside[0]), 10, plot.x(inside[2]), 10, f"stroke:{colour};stroke-width:2")
    if bound is not None:
        plot.line("", plot.x(inside[3]), 4, plot.x(inside[3]), 16, f"stroke:{colour};stroke-width:2")
    plot.box("", plot.x(inside[1]) - 4, 6, 8, 8, f"fill:{colour}")
    text = plot.svg()
    return SafeString(text.replace('class="plot"', 'class="plot spark" width="220" height="20"'))


def _smooth(points: Sequence[Point], weight: float = 0.85) -> list[Point]:
    """Exponential moving average, corrected for its start."""
    total, mass, found = 0.0, 0.0, []
    for x, y in points:
        total, mass = weight * total + (1 - weight) * y, weight * mass + (1 - weight)
        found.append((x, total / mass))
    return found
