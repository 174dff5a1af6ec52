"""How bodies of the API are read: text that PostgreSQL cannot hold is refused at the door."""

from collections.abc import Mapping
from typing import Any, cast

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

UNSTORABLE = "The body holds a NUL or half a surrogate pair; text cannot hold these."


class StorableJSONParser(JSONParser):
    """JSON of sensible depth without NUL characters and lone surrogates. Raises ParseError (400)."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            body = super().parse(stream, media_type, parser_context)
            _check(body)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        return cast("dict[str, Any]", body)


def _check(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError(UNSTORABLE)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key)
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)
