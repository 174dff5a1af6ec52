"""Parsers of API bodies: refuse what PostgreSQL cannot store."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from voxloop.kernel.documents import find_fault


class StorableJSONParser(JSONParser):
    """JSON of limited depth, without NUL, lone surrogates and numbers beyond a double. Raises ParseError (400)."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            body = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        if fault := find_fault(body):
            raise ParseError(fault)
        return body
