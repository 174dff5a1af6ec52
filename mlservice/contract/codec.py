"""Between frozen dataclasses and JSON: strict about fields, types and the version."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import types
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

CONTRACT_VERSION = 1

T = TypeVar("T")


class ContractError(ValueError):
    """A document or an input that a stage cannot take: a stable code and one sentence for a person."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def require(holds: bool, sentence: str) -> None:
    """Raise ContractError `bad_request` unless `holds`."""
    if not holds:
        raise ContractError("bad_request", sentence)


def to_json(value: Any) -> dict[str, Any]:
    """A dataclass as a JSON document with the version of the contract beside its fields."""
    return {"contract": CONTRACT_VERSION, **dataclasses.asdict(value)}


def from_json(kind: type[T], document: Any) -> T:
    """The dataclass `kind` out of a document that `to_json` wrote.

    Raises ContractError: `bad_version`, or `bad_request` for a missing, unknown or mistyped field.
    """
    require(isinstance(document, Mapping), f"A {kind.__name__} must be a JSON object.")
    if document.get("contract") != CONTRACT_VERSION:
        raise ContractError(
            "bad_version", f"This is contract {document.get('contract')!r}; this program speaks {CONTRACT_VERSION}."
        )
    result: T = _build(kind, {name: value for name, value in document.items() if name != "contract"}, kind.__name__)
    return result


def read_json(kind: type[T], path: Path) -> T:
    """`from_json` of a file. Raises ContractError when it is not there or not JSON."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ContractError("bad_request", f"There is no readable {path.name} in {path.parent.name}.") from error
    return from_json(kind, document)


def write_json(path: Path, value: Any) -> None:
    """Write a document whole or not at all: temporary file, fsync, rename, fsync of the folder."""
    spare = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with spare.open("w", encoding="utf-8") as file:
        json.dump(to_json(value), file, indent=1, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    spare.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _build(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        require(isinstance(value, Mapping), f"{where} must be a JSON object.")
        fields = {field.name: field for field in dataclasses.fields(kind)}
        unknown = sorted(set(value) - set(fields))
        require(not unknown, f"{where} has no field {', '.join(unknown)}.")
        missing = [name for name, field in fields.items() if name not in value and not _has_default(field)]
        require(not missing, f"{where} lacks {', '.join(missing)}.")
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], inner, f"{where}.{name}") for name, inner in value.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _build(next(a for a in arguments if a is not type(None)), value, where)
    if origin is tuple:
        require(isinstance(value, (list, tuple)), f"{where} must be a list.")
        if arguments[-1] is Ellipsis:
            return tuple(_build(arguments[0], inner, f"{where}[{n}]") for n, inner in enumerate(value))
        require(len(value) == len(arguments), f"{where} must have {len(arguments)} entries.")
        return tuple(_build(a, inner, where) for a, inner in zip(arguments, value, strict=True))
    if origin is dict:
        require(isinstance(value, Mapping), f"{where} must be a JSON object.")
        return {str(name): _build(arguments[1], inner, f"{where}.{name}") for name, inner in value.items()}
    return _plain(kind, value, where)


def _plain(kind: Any, value: Any, where: str) -> Any:
    if kind is float:
        right = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        require(right, f"{where} must be a finite number.")
        return float(value)
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    require(right, f"{where} must be of type {kind.__name__}.")
    return value


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
