"""Generates TypeScript types from the OpenAPI document: every component, and body and response of each call. Our own,
because the usual generator needs the compiler API of TypeScript 5, which TypeScript 7 lacks, and every first start
would have to install it (docs/adr/0024)."""

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

Schema = dict[str, Any]

HEAD = """/**
 * What the server is asked and answers. Made of `docs/openapi.yaml` by `python3 manage.py contract`: never edited.
 */

"""
WIDTH = 120
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
NAME = re.compile(r"[A-Za-z_]\w*")
JSON = "application/json"


def types_of(document: Schema) -> str:
    """The whole file. Raises ValueError for a schema that it cannot write."""
    parts = [_component(name, schema) for name, schema in document["components"]["schemas"].items()]
    return HEAD + "\n".join([*parts, _calls(document)])


def _component(name: str, schema: Schema) -> str:
    words = _words(schema.get("description", ""), "")
    if "properties" not in schema:
        return f"{words}export type {name} = {_type(schema)};\n"
    required = schema.get("required", [])
    lines = []
    for field, part in schema["properties"].items():
        lines.append(_words(part.get("description", ""), "  "))
        lines.append(_line(f"  readonly {_key(field)}{'' if field in required else '?'}: ", part))
    if schema.get("additionalProperties"):
        lines.append("  readonly [name: string]: unknown;\n")
    return f"{words}export interface {name} {{\n{''.join(lines)}}}\n"


def _line(name: str, schema: Schema) -> str:
    line = f"{name}{_type(schema)};\n"
    if len(line) <= WIDTH + 1:
        return line
    if schema.get("type") != "array":
        return f"{name.rstrip()}\n" + "\n".join(f"    | {one}" for one in _type(schema).split(" | ")) + ";\n"
    parts = schema.get("prefixItems") or [schema["items"]] * schema["minItems"]
    return f"{name}readonly [\n" + "".join(f"    {_type(one)},\n" for one in parts) + "  ];\n"


def _calls(document: Schema) -> str:
    lines = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = sorted(set(_answers(operation))) or ["undefined"]
            asked = operation.get("requestBody", {}).get("content", {})
            body = _type(asked[JSON]["schema"]) if JSON in asked else "Uint8Array" if asked else "undefined"
            lines.append(f"  {_key(f'{method.upper()} {path}')}: {{\n")
            lines.append(f"    readonly body: {body};\n    readonly answer: {' | '.join(answers)};\n  }};\n")
    about = "What each call takes and answers; `undefined`: no body, `Uint8Array`: bytes."
    return f"/** {about} */\nexport interface Calls {{\n{''.join(lines)}}}\n"


def _answers(operation: Schema) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        if not answer.get("content"):
            yield "undefined"
        for kind, content in answer.get("content", {}).items():
            yield _type(content["schema"]) if kind == JSON else "Uint8Array"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _union([_type(one) for one in schema[several]])
    if "allOf" in schema:
        return " & ".join(_type(one) for one in schema["allOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _union([_type({**schema, "type": one}) for one in kind])
    if kind == "array":
        return _array(schema)
    if kind == "object":
        inner = schema.get("additionalProperties", {})
        return f"Readonly<Record<string, {_type(inner) if isinstance(inner, dict) else 'unknown'}>>"
    if kind is None and not set(schema) - {"description"}:
        return "unknown"
    if kind not in PLAIN:
        raise ValueError(f"no type for {schema}")
    return PLAIN[kind]


def _union(types: list[str]) -> str:
    return "unknown" if "unknown" in types else " | ".join(types)


def _array(schema: Schema) -> str:
    least = schema.get("minItems")
    if "prefixItems" in schema:
        return f"readonly [{', '.join(_type(one) for one in schema['prefixItems'])}]"
    item = _type(schema["items"])
    if least and least == schema.get("maxItems"):
        return f"readonly [{', '.join([item] * least)}]"
    return f"readonly ({item})[]" if re.search(r"[ |&]", item) else f"readonly {item}[]"


def _key(name: str) -> str:
    return name if NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _words(text: str, indent: str) -> str:
    """A doc comment, or nothing for an empty description."""
    if not text:
        return ""
    lines = [line for part in text.split("\n") for line in (wrap(part, WIDTH - len(indent) - 3) or [""])]
    if len(lines) == 1 and len(lines[0]) + len(indent) + 7 <= WIDTH:
        return f"{indent}/** {lines[0]} */\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines) + f"{indent} */\n"
