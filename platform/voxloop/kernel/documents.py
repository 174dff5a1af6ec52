"""Which received JSON documents can be stored: PostgreSQL and other readers accept less than Python."""

import math
from typing import Any

DEEPEST = 32
# The largest double: a larger number is infinity in a browser and invalid in PostgreSQL.
LARGEST = 1.7976931348623157e308


def find_fault(document: Any, *, deepest: int = DEEPEST) -> str | None:
    """Why a decoded JSON document cannot be stored, in one sentence; None when it can. Iterative, so that deep nesting
    cannot exhaust the stack."""
    waiting: list[tuple[Any, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            if not is_storable(value):
                return "The body holds a NUL or half a surrogate pair; text cannot hold these."
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, int | float):
            if not is_number(value):
                return "The body holds a number beyond what a double can hold."
        elif depth >= deepest:
            return f"The body is nested deeper than {deepest} levels."
        elif isinstance(value, dict):
            waiting.extend((inner, depth + 1) for pair in value.items() for inner in pair)
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)
    return None


def is_storable(text: str) -> bool:
    """Whether a PostgreSQL text column can hold it: no NUL, no lone surrogate."""
    if text.isascii():
        return "\x00" not in text
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def is_number(value: object) -> bool:
    """Whether it is a number within the range of a double: no boolean, NaN or infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else -LARGEST <= value <= LARGEST
