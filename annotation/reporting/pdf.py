"""The report as one A4 page of PDF, by ReportLab. Equal input gives equal bytes. Fonts are embedded."""

import io
from collections.abc import Sequence

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from annotation.reporting.report import NOT_A_DEVICE, Report

WIDTH, HEIGHT = A4
LEFT, RIGHT, TOP, BOTTOM = 42.0, float(WIDTH) - 42.0, float(HEIGHT) - 40.0, 40.0
INK, SOFT, RULE, WARN = HexColor("#16191d"), HexColor("#5b636d"), HexColor("#d4d8dd"), HexColor("#8a4b00")
PLAIN, BOLD = "Vera", "Vera-Bold"  # Bitstream Vera, which comes with ReportLab: Latin letters
PICTURE_HEIGHT, SLICE_WIDTH = 190.0, RIGHT - LEFT


def write_pdf(report: Report, surface_png: bytes | None, slice_png: bytes | None, *, link: str, software: str) -> bytes:
    """The page. `link` leads to the report on the server, where every number leads to its revision."""
    for name, file in ((PLAIN, "Vera.ttf"), (BOLD, "VeraBd.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, file))
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(_printable(f"{report.title}: {report.scan}"))
    canvas.setAuthor("Voxloop")
    canvas.setSubject(NOT_A_DEVICE)
    y = _head(canvas, report)
    y = _figures(canvas, report, y)
    y = _pictures(canvas, report, surface_png, slice_png, y)
    y = _tables(canvas, report, y)
    _origins(canvas, report, y, link)
    _foot(canvas, software)
    canvas.showPage()
    canvas.save()
    return written.getvalue()


def _printable(text: str) -> str:
    """The text with a question mark for each letter that the font does not have."""
    known = pdfmetrics.getFont(PLAIN).face.charToGlyph
    return "".join(letter if ord(letter) in known else "?" for letter in text)


def _text(
    canvas: Canvas,
    x: float,
    y: float,
    text: str,
    size: float = 8,
    *,
    font: str = PLAIN,
    colour: Color = INK,
    anchor: str = "left",
    most: float = 1e9,
) -> None:
    """A line of text, made smaller where it would be wider than `most`, and cut below 5 points."""
    shown = _printable(text)
    while pdfmetrics.stringWidth(shown, font, size) > most and size > 5:
        size -= 0.25
    while pdfmetrics.stringWidth(shown, font, size) > most and len(shown) > 2:
        shown = shown[:-2] + "…"
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    draw = {"left": canvas.drawString, "right": canvas.drawRightString, "middle": canvas.drawCentredString}[anchor]
    draw(x, y, shown)


def _rule(canvas: Canvas, y: float, colour: Color = RULE) -> None:
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(0.5)
    canvas.line(LEFT, y, RIGHT, y)


def _head(canvas: Canvas, report: Report) -> float:
    _text(canvas, LEFT, TOP - 12, report.title, 15, font=BOLD, most=330)
    _text(canvas, RIGHT, TOP - 10, report.scan, 11, font=BOLD, anchor="right")
    _text(canvas, LEFT, TOP - 27, NOT_A_DEVICE, 8, font=BOLD, colour=WARN)
    width = (RIGHT - LEFT) / 4
    for number, (name, value) in enumerate(report.facts):
        x, y = LEFT + (number % 4) * width, TOP - 46 - 22 * (number // 4)
        _text(canvas, x, y, name, 6.5, colour=SOFT)
        _text(canvas, x, y - 10, value, 8, most=width - 8)
    return TOP - 46 - 22 * ((len(report.facts) + 3) // 4) - 2


def _figures(canvas: Canvas, report: Report, y: float) -> float:
    _rule(canvas, y + 4)
    width = (RIGHT - LEFT) / max(len(report.figures), 1)
    for number, (name, value, unit) in enumerate(report.figures):
        x = LEFT + number * width
        _text(canvas, x, y - 10, name, 6.5, colour=SOFT, most=width - 6)
        _text(canvas, x, y - 27, value, 15, font=BOLD)
        after = x + pdfmetrics.stringWidth(_printable(value), BOLD, 15) + 3
        _text(canvas, after, y - 27, unit, 8, colour=SOFT, most=x + width - after - 4)
    _rule(canvas, y - 36)
    return y - 44


def _pictures(canvas: Canvas, report: Report, surface: bytes | None, axial: bytes | None, y: float) -> float:
    """The surface on the left, the slice (twice) on the right; the slice alone takes the whole width."""
    height = 0.0
    split = LEFT + 0.48 * (RIGHT - LEFT)
    if surface:
        height = _image(canvas, surface, LEFT, y, split - LEFT - 12, PICTURE_HEIGHT)
        _text(canvas, LEFT, y - height - 9, "Lungs and findings from the front and the left", 6.5, colour=SOFT)
    if axial:
        x = split if surface else LEFT
        drawn = _image(canvas, axial, x, y, RIGHT - x, PICTURE_HEIGHT)
        height = max(height, drawn)
        _text(canvas, x, y - drawn - 9, report.slice_note, 6.5, colour=SOFT, most=RIGHT - x)
    return y - height - 22


def _image(canvas: Canvas, png: bytes, x: float, y: float, width: float, height: float) -> float:
    """A picture with its upper left corner at (x, y); returns its height on the page."""
    reader = ImageReader(io.BytesIO(png))
    columns, rows = reader.getSize()
    scale = min(width / columns, height / rows)
    canvas.drawImage(reader, x, y - rows * scale, columns * scale, rows * scale, mask="auto")
    return float(rows * scale)


def _tables(canvas: Canvas, report: Report, y: float) -> float:
    if report.rows:
        lines = [
            (row.name, row.lung, row.opacity, row.percent, *((row.grade,) if len(report.head) > 4 else ()))
            for row in report.rows
        ]
        bold = [row.is_side for row in report.rows]
        y = _table(canvas, report.head, lines, bold, y) - 10
    if report.segments:
        y = _table(canvas, report.segment_head, report.segments, [False] * len(report.segments), y, report.colours) - 10
    else:
        _text(canvas, LEFT, y - 8, "Nothing is marked: the mask was approved as empty.", 8)
        y -= 20
    for name, value in report.answers[:8]:
        _text(canvas, LEFT, y - 8, name, 7, colour=SOFT, most=235)
        _text(canvas, LEFT + 240, y - 8, value, 7, most=RIGHT - LEFT - 240)
        y -= 11
    return y - 4


def _table(
    canvas: Canvas,
    head: Sequence[str],
    lines: Sequence[Sequence[str]],
    bold: Sequence[bool],
    y: float,
    colours: Sequence[str] = (),
) -> float:
    """A table whose first column is text and the others numbers."""
    first = 190.0
    step = (RIGHT - LEFT - first) / (len(head) - 1)
    for number, name in enumerate(head):
        x = LEFT if number == 0 else LEFT + first + number * step
        _text(canvas, x, y - 8, name, 6.5, colour=SOFT, anchor="left" if number == 0 else "right")
    _rule(canvas, y - 11)
    for at, line in enumerate(lines):
        base = y - 21 - 12 * at
        for number, cell in enumerate(line):
            x = LEFT if number == 0 else LEFT + first + number * step
            if number == 0 and colours:
                canvas.setFillColor(HexColor(colours[at]))
                canvas.rect(LEFT, base - 1, 7, 7, stroke=0, fill=1)
                x += 12
            font = BOLD if bold[at] else PLAIN
            _text(canvas, x, base, cell, 8, font=font, anchor="left" if number == 0 else "right", most=first - 14)
    return y - 21 - 12 * len(lines) + 6


def _origins(canvas: Canvas, report: Report, y: float, link: str) -> None:
    """Notes, and the revision and hash that every number comes from, with the way to the server."""
    _rule(canvas, y)
    y -= 10
    for note in report.notes:
        _text(canvas, LEFT, y, note, 6.5, colour=SOFT, most=RIGHT - LEFT)
        y -= 10
    for origin in report.origins:
        told = f"{origin.what}: revision {origin.id}, " if origin.id else f"{origin.what}: "
        told += f"sha256 {origin.content_hash}" if origin.content_hash else "no voxel"
        _text(canvas, LEFT, y, told, 6.5, most=RIGHT - LEFT)
        y -= 9
    _text(canvas, LEFT, y, f"Every number with its revision: {link}", 6.5, most=RIGHT - LEFT)
    canvas.linkURL(link, (LEFT, y - 2, RIGHT, y + 7))


def _foot(canvas: Canvas, software: str) -> None:
    _rule(canvas, BOTTOM + 8)
    _text(canvas, LEFT, BOTTOM - 4, NOT_A_DEVICE, 7, font=BOLD, colour=WARN)
    _text(canvas, RIGHT, BOTTOM - 4, f"Voxloop {software}", 7, colour=SOFT, anchor="right")
