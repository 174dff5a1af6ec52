"""The document as a file: HTML, DOCX or LaTeX."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from annotation.datasets.paper.document import Block
from annotation.datasets.paper.docx import to_docx
from annotation.datasets.paper.html import to_html
from annotation.datasets.paper.latex import to_latex

MEDIA_TYPES: Mapping[str, str] = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "tex": "application/x-tex; charset=utf-8",
}


def render_blocks(blocks: Sequence[Block], frozen: Mapping[str, Any], form: str) -> bytes:
    """Blocks in one of the forms of `MEDIA_TYPES`; equal blocks give equal bytes."""
    if form == "docx":
        return to_docx(blocks, datetime.fromisoformat(frozen["release"]["frozen_at"]))
    title = f"{frozen['campaign']['name']}: {frozen['release']['name']}"
    return (to_html(blocks, title) if form == "html" else to_latex(blocks)).encode()
