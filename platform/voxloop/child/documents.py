"""Documents between a process and its child: frozen classes to and from JSON, strict about every field and type."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

VERSION = 1


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of requests, results and their parts. `__post_init__` checks values (see `require`)."""


D = TypeVar("D", bound=Document)


class ContractError(ValueError):
    """A document or an input that a child must refuse: a stable code and one sentence for a person."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def require(holds: bool, sentence: str) -> None:
    """Raise ContractError `bad_request` unless `holds`."""
    if not holds:
        raise ContractError("bad_request", sentence)


def to_json(document: Document) -> dict[str, Any]:
    """A document as plain JSON values, with the version of the contract beside its fields."""
    return {"contract": VERSION, **msgspec.to_builtins(document)}


def from_json(kind: type[D], values: Any) -> D:
    """A document of this class from what `to_json` wrote.

    Raises ContractError: `bad_version`, or `bad_request` for a missing, unknown or mistyped field.
    """
    require(isinstance(values, Mapping), f"A {kind.__name__} must be a JSON object.")
    if values.get("contract") != VERSION:
        raise ContractError(
            "bad_version", f"This is contract {values.get('contract')!r}; this program speaks {VERSION}."
        )
    try:
        return msgspec.convert({name: value for name, value in values.items() if name != "contract"}, kind)
    except msgspec.ValidationError as error:
        raise ContractError("bad_request", f"{kind.__name__}: {str(error).rstrip('.')}.") from error


def read_json(kind: type[D], path: Path) -> D:
    """`from_json` of a file. Raises ContractError when it is not there or not JSON."""
    try:
        values = json.loads(path.read_text("utf-8"), parse_constant=_refuse_constant)
    except (OSError, ValueError) as error:
        raise ContractError("bad_request", f"There is no readable {path.name} in {path.parent.name}.") from error
    return from_json(kind, values)


def write_json(path: Path, document: Document) -> None:
    """Write a document atomically: temporary file, fsync, rename, fsync of the folder.

    Raises ValueError for a number that is not finite.
    """
    spare = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with spare.open("w", encoding="utf-8") as file:
        json.dump(to_json(document), file, indent=1, allow_nan=False, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    spare.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """fsync `folder`, so that a rename in it survives a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
