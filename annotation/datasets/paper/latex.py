"""The document as LaTeX; it needs no package beyond the usual ones. Whatever people wrote is text, never a command."""

from collections.abc import Sequence

from annotation.datasets.paper.document import Block, Chart, Heading, Table, Text

SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "—": "---",
    "²": r"\textsuperscript{2}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
BEGIN = (
    "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage[T1]{fontenc}\n\\usepackage{longtable}\n"
    "\\begin{document}\n"
)
LEVELS = {1: "section", 2: "subsection"}


def to_latex(blocks: Sequence[Block]) -> str:
    """A whole file."""
    return BEGIN + "\n\n".join(_block(block) for block in blocks) + "\n\\end{document}\n"


def _plain(text: str) -> str:
    """Text without a command in it; other control characters become spaces."""
    return "".join(SIGNS.get(sign, sign if sign.isprintable() else " ") for sign in text)


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"\\{LEVELS[block.level]}*{{{_plain(block.text)}}}"
    if isinstance(block, Text):
        return _plain(block.text)
    return _table(block) if isinstance(block, Table) else _chart(block)


def _table(table: Table) -> str:
    share = 0.92 / len(table.head)
    columns = f"p{{{share:.3f}\\linewidth}}" * len(table.head)
    lines = [" & ".join(_plain(cell) for cell in row) + r" \\" for row in (table.head, *table.rows)]
    body = "\n".join([lines[0], "\\hline", *lines[1:]])
    return (
        f"\\noindent\\textbf{{{_plain(table.title)}}}\n\n\\begin{{longtable}}{{{columns}}}\n{body}\n\\end{{longtable}}"
    )


def _chart(chart: Chart) -> str:
    lines = []
    for step in chart.steps:
        left = "; ".join(f"$-${count} {_plain(reason)}" for reason, count in step.left)
        lines.append(f"\\fbox{{{_plain(step.name)} (n = {step.scans})}} & {left} \\\\")
        lines.append(r"$\downarrow$ & \\")
    sides = " \\quad ".join(f"\\fbox{{{_plain(side.capitalize())} (n = {count})}}" for side, count in chart.sides)
    lines.append(f"\\multicolumn{{2}}{{l}}{{{sides}}} \\\\")
    body = "\n".join(lines)
    return f"\\noindent\\textbf{{{_plain(chart.title)}}}\n\n\\begin{{tabular}}{{ll}}\n{body}\n\\end{{tabular}}"
