"""Cells of tables that spreadsheets open."""

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(value: object) -> object:
    """The value; text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA_BEGINS else value
