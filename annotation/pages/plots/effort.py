"""The plots of what pre-annotation brought."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from annotation.learning.estimates import Estimate
from annotation.learning.gains import LEAST_GAIN, Group, StopRule
from annotation.pages.plots.canvas import Canvas, ticks

WIDTH, HEIGHT = 560, 262


def by_model(groups: Sequence[Group], *, of: str, unit: str, label: str) -> SafeString:
    """Mean with 95 % interval, blank beside shown, of one figure (`minutes`, `apart`) by model version."""
    pairs = [(group, getattr(group, f"blank_{of}"), getattr(group, f"shown_{of}")) for group in groups]
    known = [one for _, *both in pairs for one in both if one is not None]
    plot = Canvas(WIDTH, HEIGHT, label, left=48, right=12, top=30, bottom=42)
    marks = ticks(max((_top(one) for one in known), default=1))
    plot.domain(y=(0, marks[-1]))
    plot.rows(marks, lambda value: f"{value:g} {unit}" if value == marks[-1] else f"{value:g}")
    plot.box("fref", plot.left, 8, 9, 9)
    plot.text("began blank", plot.left + 14, 17)
    plot.box("f1", plot.left + 100, 8, 9, 9)
    plot.text("began from the model's mask", plot.left + 114, 17)
    room = (plot.width - plot.left - plot.right) / max(len(pairs), 1)
    for index, (group, blank, shown) in enumerate(pairs):
        middle = plot.left + (index + 0.5) * room
        shift = min(18, room / 5)
        _mark(plot, "fref", middle - shift, blank, f"{group.name}, blank", unit)
        _mark(plot, "f1", middle + shift, shown, f"{group.name}, shown", unit)
        plot.text(group.name, middle, plot.height - 24, "middle", "lab")
        plot.text(f"n {len(group.blank)}, {len(group.shown)}", middle, plot.height - 9, "middle")
    return plot.svg()


def edits(groups: Sequence[Group]) -> SafeString:
    """mL that readers added to the model's mask (up) and removed from it (down), by model version."""
    shown = [group for group in groups if group.added and group.removed]
    plot = Canvas(WIDTH, HEIGHT, "mL added to and removed from the model's mask, by model", left=48, right=12, top=30)
    most = max((_top(one) for group in shown for one in (group.added, group.removed) if one), default=1)
    marks = ticks(most, 3)
    plot.domain(y=(-marks[-1], marks[-1]))
    for mark in [*(-value for value in reversed(marks[1:])), *marks]:
        y = plot.y(mark)
        plot.line("grid" if mark else "base", plot.left, y, plot.width - plot.right, y)
        plot.text(f"{abs(mark):g} mL" if mark == marks[-1] else f"{abs(mark):g}", plot.left - 7, y + 4, "end")
    plot.box("f1", plot.left, 8, 9, 9)
    plot.text("added", plot.left + 14, 17)
    plot.box("f2", plot.left + 70, 8, 9, 9)
    plot.text("removed", plot.left + 84, 17)
    room = (plot.width - plot.left - plot.right) / max(len(shown), 1)
    wide = min(44.0, room * 0.5)
    for index, group in enumerate(shown):
        middle = plot.left + (index + 0.5) * room
        for kind, one, sign in (("f1", group.added, 1), ("f2", group.removed, -1)):
            if one is None:
                continue
            low, high = sorted((0.0, sign * one.value))
            word = "added" if sign > 0 else "removed"
            plot.bar(kind, middle - wide / 2, wide, low, high, tip=f"{group.name}: {one.value:.1f} mL {word}")
            if one.low is not None and one.high is not None:
                ends = [sign * max(0.0, end) for end in (one.low, one.high)]
                plot.line("", middle, plot.y(ends[0]), middle, plot.y(ends[1]), "stroke:var(--text);stroke-width:1.5")
        plot.text(f"{group.name} · n {len(group.shown)}", middle, plot.height - 8, "middle", "lab")
    return plot.svg()


def curve(rule: StopRule) -> SafeString:
    """Dice of every model against the masks it learned from, the line through them, and where it leads."""
    end = rule.masks + rule.more
    top = max([1.0 if max(dice for _, dice, _ in rule.points) > 0.9 else 0.9])
    plot = Canvas(WIDTH, HEIGHT, "Dice on the hold-out by the number of masks learned from", left=48, right=16)
    marks = ticks(end, 5, whole=True)
    plot.domain((0, max(marks[-1], end)), (0, top))
    plot.rows([0, 0.2, 0.4, 0.6, 0.8], lambda value: f"{value:.1f}")
    for mark in marks[1:]:
        plot.text(f"{mark:g}", plot.x(mark), plot.height - 8, "middle")
    if rule.line is not None and rule.gain is not None:
        _extend(plot, rule)
    for masks, dice, name in rule.points:
        plot.dot("f1", plot.x(masks), plot.y(dice), 4, tip=f"{name}: {dice:.3f} from {masks} masks")
        plot.name(name, plot.x(masks) + 6, plot.y(dice) - 6, "start", "lab")
    plot.line("ref", plot.x(rule.masks), plot.top, plot.x(rule.masks), plot.height - plot.bottom)
    plot.name("now", plot.x(rule.masks) - 5, plot.top + 8, "end")
    return plot.svg()


def _extend(plot: Canvas, rule: StopRule) -> None:
    line, gain, end = rule.line, rule.gain, rule.masks + rule.more
    if line is None or gain is None or gain.low is None or gain.high is None:
        return
    first = min(masks for masks, _, _ in rule.points)
    steps = [first + (rule.masks - first) * part / 24 for part in range(25)]
    plot.path("l1", [(masks, _inside(line.at(masks))) for masks in steps], style="stroke-width:1.5")
    here = line.at(rule.masks)
    fan = [(rule.masks, here), (end, here + gain.high), (end, here + gain.low)]
    plot.path("band", [(masks, _inside(value)) for masks, value in fan], closed=True)
    plot.path("ref", [(rule.masks, _inside(here)), (end, _inside(here + gain.value))])
    limit = _inside(here + LEAST_GAIN)
    plot.line("", plot.x(rule.masks), plot.y(limit), plot.x(end), plot.y(limit), "stroke:var(--warn);stroke-width:1")


def _mark(plot: Canvas, kind: str, x: float, one: Estimate | None, name: str, unit: str) -> None:
    """A mean as a square, its interval as a line, its figure beside it."""
    if one is None:
        return
    fill = "var(--plot-ref)" if kind == "fref" else "var(--plot-1)"
    said = f"{name}: {one.value:.1f} {unit}, n {one.count}"
    if one.low is not None and one.high is not None:
        low, high = plot.y(max(0.0, one.low)), plot.y(one.high)
        plot.line("", x, low, x, high, f"stroke:{fill};stroke-width:2")
        said += f", 95 % {one.low:.1f} to {one.high:.1f}"
    plot.box(kind, x - 5, plot.y(one.value) - 5, 10, 10, tip=said)
    plot.name(f"{one.value:.1f}", x + 9, plot.y(one.value) + 4, "start", "lab")


def _top(one: Estimate) -> float:
    return max(one.value, one.high if one.high is not None else one.value)


def _inside(value: float) -> float:
    return max(0.0, min(1.0, value))
