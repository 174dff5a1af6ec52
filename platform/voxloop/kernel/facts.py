"""Response bodies as frozen dataclasses, and their conversion to plain documents. The classes are the contract:
`voxloop.project.contract` generates the OpenAPI document from them, and TypeScript's types from that. A field named
like a Python keyword ends in `_` (`return_`), which is dropped in documents."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def outer_name(field: str) -> str:
    """The name of a field in a document."""
    return field.removesuffix("_")


def plain(facts: Any) -> Any:
    """Dataclasses, also inside lists and tables, as dicts. What is none of these stays as it is (UUID, datetime …)."""
    if is_dataclass(facts) and not isinstance(facts, type):
        return {outer_name(field.name): plain(getattr(facts, field.name)) for field in fields(facts)}
    if isinstance(facts, Mapping):
        return {name: plain(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [plain(value) for value in facts]
    return facts
