"""The plot of how close readers come to the reference of gold scans over time."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from annotation.pages.plots.canvas import Canvas

COLOURS = 4  # of the plots; a fifth person is drawn in the colour of the first, and told by the name


def trends(people: Sequence[tuple[str, Sequence[float]]], mark: float) -> SafeString:
    """Dice of each hidden reading in the order of handing in, a line a person; the dashed line is the pass mark."""
    plot = Canvas(1120, 262, "Dice of hidden gold readings, in order, by person", left=44, right=120, top=14, bottom=34)
    longest = max((len(dices) for _, dices in people), default=1)
    plot.domain(x=(1, max(2, longest)), y=(0, 1))
    plot.rows([0, 0.2, 0.4, 0.6, 0.8, 1.0], lambda value: f"{value:.1f}")
    step = max(1, -(-longest // 10))
    for number in range(1, longest + 1, step):
        plot.text(str(number), plot.x(number), plot.height - 18, "middle")
    plot.text("reading of the person", plot.width - plot.right, plot.height - 3, "end")
    y = plot.y(mark)
    plot.line("ref", plot.left, y, plot.width - plot.right, y, "stroke-dasharray:4 4")
    plot.name(f"pass mark {mark:.2f}", plot.width - plot.right + 6, y + 4)
    for index, (name, dices) in enumerate(people):
        colour = 1 + index % COLOURS
        points = list(enumerate(dices, start=1))
        if len(points) > 1:
            plot.path(f"l{colour}", points, style="stroke-width:1.5")
        for number, dice in points:
            tip = f"{name}, reading {number}: Dice {dice:.2f}"
            plot.dot(f"f{colour}", plot.x(number), plot.y(dice), 3, tip=tip)
        if points:
            plot.name(name[:16], plot.x(points[-1][0]) + 8, plot.y(points[-1][1]) + 4)
    return plot.svg()
