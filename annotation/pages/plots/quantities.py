"""Plots of quantities: model against reader, and the HU of the opacities."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from annotation.pages.plots.canvas import Canvas, ticks
from annotation.pages.templatetags.figures import thin
from voxloop.volume.measuring import HISTOGRAM_HU


def model_against_reader(scans: Sequence[tuple[str, float, float]], unit: str) -> SafeString:
    """The model's amount over the reader's, one dot a scan, with the line on which both are equal."""
    plot = Canvas(560, 262, f"Opacity by the model against the reader, {unit}", left=52, right=20, top=16, bottom=38)
    marks = ticks(max([*(value for _, *both in scans for value in both), 0.1]))
    plot.domain(x=(0, marks[-1]), y=(0, marks[-1]))
    plot.rows(marks)
    for mark in marks:
        plot.text(f"{mark:g}", plot.x(mark), plot.height - 22, "middle")
    plot.path("ref", [(0, 0), (marks[-1], marks[-1])])
    plot.text(f"reader, {unit}", plot.width - plot.right, plot.height - 6, "end")
    plot.text(f"model, {unit}", plot.left + 6, plot.top + 8)
    for code, reader, model in scans:
        plot.dot("f1", plot.x(reader), plot.y(model), 3.5, tip=f"{code}: reader {reader:.1f}, model {model:.1f} {unit}")
    return plot.svg()


def hu_histogram(counts: Sequence[int]) -> SafeString:
    """Voxels of the opacity by HU, in bins of 50."""
    plot = Canvas(560, 190, "Voxels of the opacities by HU", left=58, right=14, top=12, bottom=38)
    marks = ticks(max([*counts, 1]), 3, whole=True)
    plot.domain(x=(HISTOGRAM_HU[0], HISTOGRAM_HU[-1]), y=(0, marks[-1]))
    plot.rows(marks, lambda value: thin(value))
    width = plot.x(HISTOGRAM_HU[1]) - plot.x(HISTOGRAM_HU[0])
    for low, count in zip(HISTOGRAM_HU[:-1], counts, strict=True):
        tip = f"{low} to {low + 50} HU: {count} voxels"
        plot.bar("f1", plot.x(low) + 0.5, width - 1, 0, count, tip=tip.replace("-", "−"))
    for mark in range(-1000, 201, 200):
        plot.text(str(mark).replace("-", "−"), plot.x(mark), plot.height - 22, "middle")
    plot.text("HU", plot.width - plot.right, plot.height - 6, "end")
    return plot.svg()
