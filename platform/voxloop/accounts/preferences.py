"""A person's viewer settings, the same in every browser they use.

The server stores them without interpreting them; the viewer ignores values of a wrong type. Only size and plain JSON
values are checked here."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from voxloop.accounts.models import User
from voxloop.kernel.errors import Invalid, TooLarge

VERSION = 1
MOST_BYTES = 16_384
MOST_NAMES = 100
LONGEST_TEXT = 200
DEEPEST = 3
NAME = re.compile(r"[a-z][A-Za-z0-9]{0,39}")
PART = "viewer"


@dataclass(frozen=True)
class SettingsFacts:
    """A person's viewer settings; `saved` counts the changes."""

    version: int
    saved: int
    values: Mapping[str, Any]


def read_settings(user: User) -> SettingsFacts:
    """The viewer's settings of a person."""
    kept = user.preferences.get(PART, {})
    return SettingsFacts(VERSION, int(kept.get("saved", 0)), dict(kept.get("values", {})))


@transaction.atomic
def change_settings(*, user: User, values: Mapping[str, Any]) -> SettingsFacts:
    """Set these names and leave the others; `None` removes a name. The last write of a name wins.

    Raises Invalid (`bad_settings`) naming the bad value, TooLarge when the whole is over `MOST_BYTES`."""
    for name, value in values.items():
        _check(name, value)
    row = User.objects.select_for_update().get(pk=user.pk)
    before = read_settings(row)
    merged = {name: value for name, value in {**before.values, **values}.items() if value is not None}
    if len(merged) > MOST_NAMES or len(json.dumps(merged).encode()) > MOST_BYTES:
        raise TooLarge(f"Settings hold at most {MOST_NAMES} names and {MOST_BYTES >> 10} kB.", code="too_large")
    row.preferences = {**row.preferences, PART: {"saved": before.saved + 1, "values": merged}}
    row.save(update_fields=["preferences"])
    return read_settings(row)


def _check(name: str, value: Any) -> None:
    if not NAME.fullmatch(name):
        raise Invalid(f"{name[:60]!r} is not a valid name of a setting.", code="bad_settings")
    if not _is_plain(value, DEEPEST):
        raise Invalid(
            f"The setting {name} must be a number, true or false, a text of at most {LONGEST_TEXT} characters, "
            "or a short list or table of these.",
            code="bad_settings",
        )


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, bool | int):
        return True
    if depth == 0:
        return False
    if isinstance(value, list):
        return all(_is_plain(inner, depth - 1) for inner in value)
    return isinstance(value, dict) and all(
        len(key) <= LONGEST_TEXT and _is_plain(inner, depth - 1) for key, inner in value.items()
    )
