"""The plot of one person's own work."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from annotation.pages.plots.canvas import Canvas, minute_ticks


def own_times(scans: Sequence[tuple[str, float, str]], campaign_median: float | None) -> SafeString:
    """Active minutes of one's last scans, oldest first: `(code, minutes, what it started from)`."""
    plot = Canvas(352, 116, "Minutes of active work per scan, your last scans", left=26, right=6, top=10, bottom=20)
    marks = minute_ticks(max([minutes for _, minutes, _ in scans] + [campaign_median or 0]))
    plot.domain(y=(0, marks[-1]))
    plot.rows(marks)
    room = (plot.width - plot.left - plot.right) / max(len(scans), 12)
    for index, (code, minutes, start) in enumerate(scans):
        kind = "f1" if start == "prediction" else "fref"
        x = plot.left + index * room + room * 0.18
        plot.bar(kind, x, room * 0.64, 0, minutes, tip=f"{code}: {minutes:.1f} min")
    if campaign_median:
        y = plot.y(campaign_median)
        plot.line("ref", plot.left, y, plot.width - plot.right, y)
        plot.text(f"campaign median {campaign_median:.1f}", plot.width - plot.right, y - 5, "end")
    plot.box("fref", plot.left, plot.height - 9, 8, 8)
    plot.text("blank start", plot.left + 12, plot.height - 1)
    plot.box("f1", plot.left + 84, plot.height - 9, 8, 8)
    plot.text("pre-annotated", plot.left + 96, plot.height - 1)
    return plot.svg()
