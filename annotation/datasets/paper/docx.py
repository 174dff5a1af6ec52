"""The document for a word processor, by python-docx. Equal input gives equal bytes."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

from docx import Document
from docx.document import Document as Writing

from annotation.datasets.paper.document import Block, Chart, Heading, Table, Text

WRITTEN = (1980, 1, 1, 0, 0, 0)


def to_docx(blocks: Sequence[Block], at: datetime) -> bytes:
    """A whole file, dated `at`."""
    writing = Document()
    about = writing.core_properties
    about.author, about.comments, about.last_modified_by = "Voxloop", "", "Voxloop"
    about.created = about.modified = at.astimezone(UTC).replace(tzinfo=None)
    about.title = next((block.text for block in blocks if isinstance(block, Heading)), "")[:255]
    for block in blocks:
        _add(writing, block)
    made = io.BytesIO()
    writing.save(made)
    return _without_times(made.getvalue())


def _add(writing: Writing, block: Block) -> None:
    if isinstance(block, Heading):
        writing.add_heading(_plain(block.text), block.level)
    elif isinstance(block, Text):
        writing.add_paragraph(_plain(block.text))
    elif isinstance(block, Table):
        _add_table(writing, block.title, [block.head, *block.rows])
    else:
        _add_chart(writing, block)


def _add_chart(writing: Writing, chart: Chart) -> None:
    """Boxes as rows: what is left over, and beside it what left, with the reasons."""
    rows = [
        (f"{step.name} (n = {step.scans})", "\n".join(f"− {count} {reason}" for reason, count in step.left))
        for step in chart.steps
    ]
    rows += [(f"    {side.capitalize()} (n = {count})", "") for side, count in chart.sides]
    _add_table(writing, chart.title, [("Scans", "Left, and why"), *rows])


def _add_table(writing: Writing, title: str, rows: Sequence[Sequence[str]]) -> None:
    writing.add_paragraph(_plain(title)).runs[0].bold = True
    table = writing.add_table(rows=len(rows), cols=len(rows[0]))
    table.style = "Table Grid"
    for line, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(line.cells, row, strict=True):
            cell.text = _plain(text)


def _plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n")


def _without_times(data: bytes) -> bytes:
    """The same zip with one time for every entry."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, WRITTEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(name))
    return made.getvalue()
