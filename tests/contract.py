"""Validates responses against the OpenAPI document: documented, with these fields and no others."""

import json
import re
from functools import cache
from typing import Any

from django.urls import Resolver404, resolve
from jsonschema import Draft202012Validator, FormatChecker

from voxloop.project.contract import Schema, document

METHODS = ("get", "post", "put", "patch", "delete")
NOT_DOCUMENTED = {"/api/v1/schema/", "/api/v1/docs/"}  # the document itself, and the page that shows it
CONTEXT = '<script id="context" type="application/json">'


@cache
def made() -> Schema:
    """The document, with additional properties forbidden."""
    found = document()
    for schema in found["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return found


@cache
def operations() -> dict[str, dict[str, Schema]]:
    """Operations by route (as Django's resolver names it) and method."""
    found: dict[str, dict[str, Schema]] = {}
    for path, methods in made()["paths"].items():
        route = resolve(re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000000", path)).route
        found[route] = {method: operation for method, operation in methods.items() if method in METHODS}
    return found


@cache
def _validator(pointer: str) -> Draft202012Validator:
    whole = {"$ref": f"#{pointer}", **made()}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def faults_of_answer(method: str, path: str, answer: Any) -> list[str]:
    """How a response of the API deviates from the document; [] for other responses."""
    if path in NOT_DOCUMENTED or method.lower() not in METHODS:
        return []
    try:
        route = resolve(path).route
    except Resolver404:
        return []
    if route not in operations() or method.lower() not in operations()[route]:
        return []
    operation = operations()[route][method.lower()]
    answered = f"{method} {path}: {answer.status_code}"
    documented = operation["responses"].get(str(answer.status_code))
    if documented is None:
        if answer.status_code < 400:
            return [f"{answered} is not documented"]
        documented = made()["components"]["responses"]["Refusal"]
    kind = answer.get("Content-Type", "").partition(";")[0]
    kinds = documented.get("content", {})
    if not kinds:
        return [f"{answered} has a body"] if not answer.streaming and answer.content else []
    if kind not in kinds:
        return [f"{answered} is {kind}, documented are {', '.join(kinds)}"]
    if not kind.endswith("json"):
        return []
    return _faults(json.loads(answer.content), kinds[kind]["schema"]["$ref"], answered)


def faults_of_page(path: str, answer: Any) -> list[str]:
    """How the context in a viewer page deviates from the document."""
    if answer.streaming or CONTEXT.encode() not in answer.content:
        return []
    text = answer.content.decode().partition(CONTEXT)[2].partition("</script>")[0]
    return _faults(json.loads(text), "#/components/schemas/Context", f"the context of {path}")


def _faults(told: Any, reference: str, answered: str) -> list[str]:
    errors = _validator(reference.removeprefix("#")).iter_errors(told)
    return [f"{answered}: {'/'.join(map(str, error.absolute_path)) or 'it'}: {error.message[:300]}" for error in errors]
