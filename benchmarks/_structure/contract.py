"""Answers of the API that the OpenAPI document leaves untyped."""

from collections.abc import Iterator
from typing import Any

import yaml

from benchmarks._structure import ROOT

Schema = dict[str, Any]


def read_document() -> Schema:
    """The committed document; a test of the architecture holds that it is not stale."""
    found: Schema = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text("utf-8"))
    return found


def json_answers(document: Schema) -> Iterator[tuple[str, Schema]]:
    """Each operation with a JSON response, and its schema."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {})
                if status.startswith("2") and "application/json" in content:
                    yield f"{method.upper()} {path}", content["application/json"]["schema"]


def untyped_operations(document: Schema) -> set[str]:
    """Operations whose JSON response is no component of its own."""
    return {name for name, schema in json_answers(document) if "$ref" not in schema}
