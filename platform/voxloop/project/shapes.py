"""The shapes of the answers that the browser reads, short enough to come with its first script.

They are `frontend/src/ground/shapes.ts`; their grammar is that of `check.ts` beside it, which holds to them what comes
in.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

Schema = dict[str, Any]

# Components that the browser reads; where it reads some fields only, these. One more costs bytes before the first
# paint, one less is an error of TypeScript where it is used.
READ: Mapping[str, Sequence[str]] = {
    "Checks": (),
    "Comment": (),
    "Context": (),
    "HandedIn": ("next",),
    "History": ("revisions",),
    "Interlock": (),
    "Job": ("state", "progress", "result", "error"),
    "Marks": (),
    "OfflineLoad": ("until", "scans"),
    "OfflinePlan": (),
    "Reply": (),
    "SavedAnswers": ("values",),
    "Setter": (),
    "Settings": ("saved", "values"),
    "Verdict": ("next", "undo_seconds"),
    "VolumeIndex": (),
}
HEAD = """/**
 * The shapes of the answers that this side reads, in the words of `check.ts`. Made of `docs/openapi.yaml` by
 * `python3 manage.py contract`: never edited.
 */

import type { Shape } from "./check";
import type * as contract from "./contract";

"""
WIDTH = 120
LETTERS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}
NAME = re.compile(r"\w+")
VALUE = re.compile(r"[\w.-]*")


def shapes_of(document: Schema, read: Mapping[str, Sequence[str]] = READ) -> str:
    """The whole file. Raises ValueError for a schema that the grammar has no words for."""
    components = {name: _narrowed(schema, read.get(name)) for name, schema in document["components"]["schemas"].items()}
    roots = [name for name in read if name in components]
    marks = {name: _mark(n) for n, name in enumerate(sorted(set(_reached(components, roots))))}
    handles = "".join(_handle(name, read[name], marks[name]) for name in roots)
    lines = "".join(f"  // {name}\n{_line(mark, _fields(components[name], marks))}" for name, mark in marks.items())
    about = "/** Components by their marks. */\n"
    return f"{HEAD}{handles}\n{about}export const PARTS: Readonly<Record<string, string>> = {{\n{lines}}};\n"


def _handle(name: str, fields: Sequence[str], mark: str) -> str:
    picked = " | ".join(f'"{field}"' for field in fields)
    told = f"Pick<contract.{name}, {picked}>" if fields else f"contract.{name}"
    return f'export const {name}: Shape<{told}> = "{mark}";\n'


def _line(mark: str, shape: str) -> str:
    """A part; what is too long for a line is joined, which the build undoes."""
    line = f'  {mark}: "{shape}",\n'
    if len(line) <= WIDTH + 1:
        return line
    pieces = wrap(shape, WIDTH - 10, break_long_words=False, break_on_hyphens=False)
    return f"  {mark}:\n" + " +\n".join(f'    "{piece} "' for piece in pieces[:-1]) + f' +\n    "{pieces[-1]}",\n'


def _narrowed(schema: Schema, fields: Sequence[str] | None) -> Schema:
    """A component with these fields alone; with all where none is named."""
    if not fields:
        return schema
    return {**schema, "properties": {field: schema["properties"][field] for field in fields}}


def _mark(n: int) -> str:
    """A capital, and from the 27th on a letter behind it: short, because each comes with the page."""
    return chr(ord("A") + n % 26) + ("" if n < 26 else chr(ord("a") + n // 26 - 1))


def _reached(components: Schema, names: Iterable[str], passed: set[str] | None = None) -> Iterator[str]:
    """These components and all that they are made of."""
    passed = set() if passed is None else passed
    for name in names:
        if name not in passed:
            passed.add(name)
            yield name
            yield from _reached(components, [ref.rpartition("/")[2] for ref in _references(components[name])], passed)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"]
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _fields(schema: Schema, marks: Mapping[str, str]) -> str:
    """Fields by their shape: `id code:s round:i`; the name of one that may be missing ends in `?`."""
    if "properties" not in schema:
        raise ValueError(f"no shape for {schema}")
    required = schema.get("required", [])
    by_shape: dict[str, list[str]] = {}
    for field, part in schema["properties"].items():
        if not NAME.fullmatch(field):
            raise ValueError(f"no word for the field {field}")
        by_shape.setdefault(_shape(part, marks), []).append(field if field in required else f"{field}?")
    return " ".join(f"{' '.join(fields)}:{shape}" for shape, fields in by_shape.items())


def _shape(schema: Schema, marks: Mapping[str, str]) -> str:
    if "$ref" in schema:
        return marks[schema["$ref"].rpartition("/")[2]]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _either(schema[several], marks)
    if "enum" in schema:
        return _choice(schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _either([{**schema, "type": one} for one in kind], marks)
    if kind == "array" and "items" in schema:
        least, most = schema.get("minItems"), schema.get("maxItems")
        if least is not None and least == most and least > 9:
            raise ValueError(f"no word for {least} items")
        return f"{least if least is not None and least == most else '['}{_shape(schema['items'], marks)}"
    if kind == "object" and "properties" not in schema:
        inner = schema.get("additionalProperties")
        return f"{{{_shape(inner, marks) if isinstance(inner, dict) else '*'}"
    if kind is None and not set(schema) - {"description"}:
        return "*"
    if kind not in LETTERS:
        raise ValueError(f"no shape for {schema}")
    return LETTERS[kind]


def _choice(values: list[Any]) -> str:
    if not all(isinstance(value, str) and VALUE.fullmatch(value) for value in values):
        raise ValueError(f"no words for the choice {values}")
    return f"={'/'.join(values)}"


def _either(options: list[Schema], marks: Mapping[str, str]) -> str:
    """One of these: null before the other (`?s`), plain kinds as their letters (`sb`)."""
    shapes = [_shape(one, marks) for one in options if one.get("type") != "null"]
    null = "?" if len(shapes) < len(options) else ""
    if len(shapes) > 1 and not all(shape in LETTERS.values() for shape in shapes):
        raise ValueError(f"no words for one of {shapes}")
    return null + "".join(shapes)
