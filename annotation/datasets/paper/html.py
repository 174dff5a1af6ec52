"""The document as HTML: a fragment for our page, and a whole file that needs nothing else."""

from collections.abc import Sequence
from html import escape

from annotation.datasets.paper.document import Block, Chart, Heading, Table, Text

BOX_WIDTH, BOX_HEIGHT, GAP, SIDE_WIDTH, LINE = 220, 44, 30, 150, 15
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#16191d;background:#fff}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem;width:100%}caption{text-align:left;font-weight:600}"
    "td,th{border-bottom:1px solid #d4d8dd;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    ".flow rect{fill:none;stroke:currentColor}.flow line{stroke:currentColor}"
    ".flow text{fill:currentColor;font-size:13px}"
)


def to_html(blocks: Sequence[Block], title: str) -> str:
    """A whole file."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>\n{to_fragment(blocks)}\n</body></html>\n"
    )


def to_fragment(blocks: Sequence[Block]) -> str:
    """The body."""
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        return f"<p>{escape(block.text)}</p>"
    return _table(block) if isinstance(block, Table) else draw_flow(block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in table.rows)
    return (
        f'<div class="table-scroll"><table class="table"><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def draw_flow(chart: Chart) -> str:
    """The chart as SVG: boxes downwards, what left beside the arrows, the sides at the foot."""
    parts: list[str] = []
    y = 1
    for at, step in enumerate(chart.steps):
        parts += _box(1, y, BOX_WIDTH, step.name, step.scans)
        below = max(GAP, LINE * len(step.left) + 12)
        is_last = at == len(chart.steps) - 1
        if not is_last or chart.sides:
            parts.append(_line(1 + BOX_WIDTH / 2, y + BOX_HEIGHT, 1 + BOX_WIDTH / 2, y + BOX_HEIGHT + below))
        for number, (reason, count) in enumerate(step.left):
            base = y + BOX_HEIGHT + 16 + LINE * number
            parts.append(f'<text x="{BOX_WIDTH / 2 + 16:g}" y="{base:g}">− {count} {escape(reason)}</text>')
        y += BOX_HEIGHT + below
    for number, (side, count) in enumerate(chart.sides):
        parts += _box(1 + number * (SIDE_WIDTH + 10), y, SIDE_WIDTH, side.capitalize(), count)
    width, height = max(520, 3 * (SIDE_WIDTH + 10)), y + BOX_HEIGHT + 2
    told = ", ".join(f"{step.name} {step.scans}" for step in chart.steps)
    return (
        f'<figure><svg class="flow" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'style="max-width:100%;height:auto" aria-label="{escape(chart.title)}: {escape(told)}">{"".join(parts)}</svg>'
        f"<figcaption>{escape(chart.title)}</figcaption></figure>"
    )


def _box(x: float, y: float, width: float, name: str, count: int) -> list[str]:
    return [
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX_HEIGHT}" rx="4"/>',
        f'<text x="{x + width / 2:g}" y="{y + 19:g}" text-anchor="middle">{escape(name)}</text>',
        f'<text x="{x + width / 2:g}" y="{y + 36:g}" text-anchor="middle">n = {count}</text>',
    ]


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'
