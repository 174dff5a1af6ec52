"""Bland and Altman's plot of the volumes of two readers."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from annotation.pages.plots.canvas import Canvas, ticks
from annotation.pages.templatetags.figures import signed
from voxloop.volume.agreement import BlandAltman


def differences(
    scans: Sequence[tuple[str, float, float]],
    limits: BlandAltman | None,
    label: str = "Difference of two readers' volumes against their mean, mL",
) -> SafeString:
    """The difference of both volumes against their mean, one dot a scan, with the limits that hold 95 % of them."""
    plot = Canvas(560, 262, label, left=52, right=56, top=16)
    means = [(first + second) / 2 for _, first, second in scans]
    apart = [first - second for _, first, second in scans]
    ends = [abs(end.value) for end in (limits.lower, limits.upper)] if limits else []
    most = ticks(max([*(abs(one) for one in apart), *ends, 0.1]), 3)[-1]
    across = ticks(max([*means, 0.1]))
    plot.domain(x=(0, across[-1]), y=(-most, most))
    for mark in (-most, -most / 2, 0, most / 2, most):
        y = plot.y(mark)
        plot.line("base" if mark == 0 else "grid", plot.left, y, plot.width - plot.right, y)
        plot.text(signed(mark, 0 if most >= 4 else 1), plot.left - 7, y + 4, "end")
    for mark in across:
        plot.text(f"{mark:g} mL" if mark == across[-1] else f"{mark:g}", plot.x(mark), plot.height - 8, "middle")
    if limits:
        for end, word in ((limits.upper, "+1.96 SD"), (limits.bias, "mean"), (limits.lower, "−1.96 SD")):
            y = plot.y(end.value)
            plot.line("ref", plot.left, y, plot.width - plot.right, y)
            plot.name(word, plot.width - plot.right + 4, y + 4)
    for (code, first, second), mean, one in zip(scans, means, apart, strict=True):
        plot.dot("f1", plot.x(mean), plot.y(one), 3.5, tip=f"{code}: {first:.1f} and {second:.1f} mL")
    return plot.svg()
