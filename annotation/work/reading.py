"""Parse JSON written by a person: every error is one sentence that says where and what."""

from collections.abc import Mapping
from typing import Any

LONGEST = 200

# Descriptions of the kinds of values.
WORDS: dict[Any, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    (int, float): "a number",
    list: "a list",
    dict: "a table of names and values",
}


class Misfit(ValueError):  # noqa: N818 - a sentence for a person, not a fault
    """What is wrong, as a sentence for the person who wrote it."""


def entries(
    stored: Any, what: str, *, needs: Mapping[str, Any], may: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The entries of a table by name, without null ones. Raises Misfit.

    `needs` and `may` give the kind of value of each name (a key of `WORDS`). Texts are one line of printable
    characters, at most 200, without a space at their ends.
    """
    kinds = {**needs, **(may or {})}
    if not isinstance(stored, Mapping):
        raise Misfit(f"{what} must be a table of names and values.")
    given = {name: value for name, value in stored.items() if value is not None}
    for name in given:
        if name not in kinds:
            raise Misfit(f"{what} has an unknown entry “{_short(name)}”; known are {', '.join(kinds)}.")
    for name in needs:
        if name not in given:
            raise Misfit(f"{what} lacks “{name}”.")
    for name, value in given.items():
        kind = kinds[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Misfit(f"“{name}” of {what[0].lower()}{what[1:]} must be {WORDS[kind]}, not {_short(value)}.")
        if isinstance(value, str) and (not value.isprintable() or value != value.strip() or len(value) > LONGEST):
            raise Misfit(
                f"“{name}” of {what[0].lower()}{what[1:]} must be one line of at most {LONGEST} characters "
                "without a space at its ends."
            )
    return given


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
