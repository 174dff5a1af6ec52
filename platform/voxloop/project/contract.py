"""The OpenAPI document: frozen dataclasses as responses, and one description of refusals.

`manage.py contract` writes it to `docs/openapi.yaml`, and generates the viewer's types from it."""

import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import Enum
from inspect import cleandoc
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict
from uuid import UUID

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.generators import SchemaGenerator

from annotation.masks.facts import HeadFacts
from voxloop.kernel.facts import outer_name

Schema = dict[str, Any]
Refer = Callable[[type], Schema]

PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    types.NoneType: {"type": "null"},
    Any: {},
    object: {},
}
PROBLEM = "Problem"
OPTIONAL = "x-has-optional-fields"


class FactsExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # drf-spectacular carries no types
    """Describes frozen dataclasses, and TypedDicts in them, as responses; `CommentFacts` is named `Comment`."""

    target_class = None

    @classmethod
    def _matches(cls, target: Any) -> bool:
        return isinstance(target, type) and (is_dataclass(target) or is_typeddict(target))

    def get_name(self, auto_schema: Any, direction: str) -> str:
        return str(self.target.__name__).removesuffix("Facts")

    def get_identity(self, auto_schema: Any, direction: str) -> Any:
        return self.target

    def map_serializer(self, auto_schema: Any, direction: str) -> Schema:
        def refer(part: type) -> Schema:
            return dict(auto_schema.resolve_serializer(part, direction).ref)

        return component_of(self.target, refer)


def component_of(target: Any, refer: Refer) -> Schema:
    """The component of a dataclass or TypedDict, described by its docstring."""
    hints = get_type_hints(target, include_extras=is_typeddict(target))
    told: Schema = {
        "type": "object",
        "properties": {outer_name(name): schema_of(hint, refer) for name, hint in hints.items()},
        "required": [outer_name(name) for name in hints],
    }
    if is_typeddict(target):
        told |= {OPTIONAL: True, "required": sorted(target.__required_keys__)}
    words = target.__doc__ or ""
    return told | ({"description": cleandoc(words)} if words else {})


def schema_of(hint: Any, refer: Refer) -> Schema:
    """The JSON schema of a type; `refer` names the component of a dataclass. Raises TypeError for an unknown type."""
    if hint in PLAIN:
        return dict(PLAIN[hint])
    origin, args = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return schema_of(args[0], refer)
    if origin is Literal:
        return {"type": PLAIN[type(args[0])]["type"], "enum": list(args)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [one.value for one in hint]}
    if isinstance(hint, type) and (is_dataclass(hint) or is_typeddict(hint)):
        return dict(refer(hint))
    if origin in (Union, types.UnionType):
        return _either([schema_of(one, refer) for one in args])
    if origin is tuple and args[1:] != (...,):
        parts = [schema_of(one, refer) for one in args]
        items = {"items": parts[0]} if all(part == parts[0] for part in parts) else {"prefixItems": parts}
        return {"type": "array", **items, "minItems": len(parts), "maxItems": len(parts)}
    if origin in (list, tuple, Sequence):
        return {"type": "array", "items": schema_of(args[0], refer)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": schema_of(args[1], refer)}
    raise TypeError(f"{hint} cannot be part of a document")


def _either(options: list[Schema]) -> Schema:
    """A union: plain types as a list of types, all others by `anyOf`."""
    if all(set(option) <= {"type", "format"} for option in options):
        merged = {"type": [option["type"] for option in options]}
        return merged | next(({"format": option["format"]} for option in options if "format" in option), {})
    return {"anyOf": options}


def finish(result: Schema, generator: Any, **_: Any) -> Schema:
    """Post-process the document: responses require all their fields, and a refusal is a problem document."""
    schemas = result["components"]["schemas"]
    for name, schema in schemas.items():
        has_optional = schema.pop(OPTIONAL, False)
        if "properties" in schema and not name.endswith("Request") and not has_optional:
            schema["required"] = list(schema["properties"])
    schemas["Head"] = component_of(HeadFacts, lambda part: {})  # it has no nested components
    schemas[PROBLEM] = problem_schema()
    _plainly(result)
    result["components"]["responses"] = {
        "Refusal": {
            "description": "A refusal: its `code` stays, its `detail` is one sentence (docs/formats.md)",
            "content": {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}},
        }
    }
    for methods in result["paths"].values():
        for operation in methods.values():
            operation["responses"]["default"] = {"$ref": "#/components/responses/Refusal"}
    return result


def _plainly(schema: Any) -> None:
    """Remove drf-spectacular's own extensions, and write nullable and untyped values as JSON Schema."""
    for value in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(value, dict | list):
            _plainly(value)
    if isinstance(schema, dict) and schema.get("oneOf") == [{}, {"type": "null"}]:
        del schema["oneOf"]
    if isinstance(schema, dict) and isinstance(schema.get("type"), str | list):
        schema.pop("readOnly", None)  # each component is used in requests or in responses, never in both
        schema.pop("x-spec-enum-id", None)
        if schema.pop("nullable", False):
            schema["type"] = [schema["type"], "null"]


def problem_schema() -> Schema:
    """RFC 9457, with the extra members of some codes."""
    always = {"type": "string"}, {"type": "string"}, {"type": "integer"}, {"type": "string"}, {"type": "string"}
    return {
        "type": "object",
        "description": "A refusal. Its extra members depend on its code.",
        "properties": {
            **dict(zip(("type", "title", "status", "code", "detail"), always, strict=True)),
            "interlocks": {"type": "array", "items": {"$ref": "#/components/schemas/Interlock"}},
            "head": {"anyOf": [{"$ref": "#/components/schemas/Head"}, {"type": "null"}]},
            "fields": {"description": "what is wrong with which field of the body"},
            "question": {"type": "string"},
            "object": {"type": "string", "description": "key of what is damaged"},
            "parts": {"type": "array", "items": {"type": "integer"}, "description": "numbers of damaged slices"},
        },
        "required": ["type", "title", "status", "code", "detail"],
        "additionalProperties": True,
    }


def document() -> Schema:
    """The whole OpenAPI document, as plain values."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]  # drf-spectacular carries no types
    made = generator.get_schema(request=None, public=True)
    return dict(json.loads(json.dumps(made, default=str)))
