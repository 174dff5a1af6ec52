"""Tables that are sorted by a click on a column's head; the order is kept in the address (`?sort=-site`)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import F, Model, QuerySet

Row = TypeVar("Row", bound=Model)


def sort_rows(
    rows: "QuerySet[Row, Any]", wanted: str, columns: Mapping[str, Sequence[str]], default: str
) -> "QuerySet[Row, Any]":
    """The rows in the order `wanted`: a name of `columns`, with `-` before it from the last to the first. Anything else
    is the default. Missing values come last either way; the key makes the order the same on every page."""
    name = wanted.removeprefix("-")
    if name not in columns:
        wanted, name = default, default.removeprefix("-")
    is_reversed = wanted.startswith("-")
    order = [
        F(field).desc(nulls_last=True) if is_reversed else F(field).asc(nulls_last=True) for field in columns[name]
    ]
    return rows.order_by(*order, "pk")
