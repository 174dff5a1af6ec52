"""The rule file: which attributes may leave the hospital, and what becomes of each."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Any

import msgspec

from voxloop.kernel.errors import Invalid

FILE = Path(__file__).with_name("rules.json")
FORMAT = "voxloop-deidentification"
_ACTIONS = """
    age class coded contrast date empty exact items kernel manufacturer method model number padding pixels set subject
    term uid words
"""
ACTIONS = frozenset(_ACTIONS.split())


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True, rename={"modalities": "for"}):
    """What becomes of one attribute. `tag` is eight hex digits, `least` and `most` bound each number, `values` is the
    most values it may have, `terms` a list of the file, `other` what an unlisted word becomes (else it is removed);
    an attribute that is `always` written is empty when nothing of it may be kept. `modalities`: only in these."""

    tag: str
    vr: str
    do: str
    least: float = 0
    most: float = 0
    values: int = 1
    terms: str = ""
    other: str = ""
    value: str = ""
    always: bool = False
    modalities: tuple[str, ...] = ()

    @cached_property
    def number(self) -> int:
        """The tag as a number, group × 65536 + element."""
        return int(self.tag, 16)


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes of one kind, and for the data-protection officer why they are kept."""

    name: str
    why: str
    attributes: dict[str, Rule]


class StorageClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A SOP class that may be sent, and the modalities its images may name."""

    name: str
    modalities: tuple[str, ...]


class RefusedClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SOP classes by the root of their UID that are refused, with a code and the rest of a sentence."""

    root: str
    code: str
    says: str


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A coded term (PS3.3 8.8): scheme, value, meaning."""

    scheme: str
    value: str
    meaning: str


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The whole file."""

    format: str
    version: int
    about: str
    classes: dict[str, StorageClass]
    refused_classes: tuple[RefusedClass, ...]
    method: tuple[Code, ...]
    groups: tuple[Group, ...]
    terms: dict[str, tuple[str, ...]]
    codes: dict[str, tuple[Code, ...]]

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"the format is {self.format!r}, not {FORMAT!r}")
        tags: dict[int, tuple[str, str, Rule]] = {}
        for group in self.groups:
            for keyword, rule in group.attributes.items():
                if rule.do not in ACTIONS:
                    raise ValueError(f"{keyword}: there is no action {rule.do!r}")
                if rule.terms and rule.terms not in (self.codes if rule.do == "coded" else self.terms):
                    raise ValueError(f"{keyword}: there is no list {rule.terms!r}")
                if rule.number in tags:
                    raise ValueError(f"{keyword}: the tag {rule.tag} stands there twice")
                tags[rule.number] = (group.name, keyword, rule)
        self.__dict__["by_tag"] = tags
        self.__dict__["judged"] = {}

    def find(self, tag: int) -> tuple[str, str, Rule] | None:
        """Group, keyword and rule of a tag; None for one that is not listed and so removed."""
        found: tuple[str, str, Rule] | None = self.__dict__["by_tag"].get(tag)
        return found

    @property
    def judged(self) -> dict[Any, Any]:
        """What became of values before (see `cleaning`): slices of a series share most of theirs."""
        return self.__dict__["judged"]  # type: ignore[no-any-return]

    def all(self) -> list[tuple[str, str, Rule]]:
        """Group, keyword and rule of every listed attribute, in order of tags."""
        return [found for _, found in sorted(self.__dict__["by_tag"].items())]


@cache
def read_rules(path: Path = FILE) -> Rules:
    """The rules of a file. Raises Invalid (`bad_rules`) that says what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Rules)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Invalid(f"The rule file {path.name} cannot be used: {error}.", code="bad_rules") from error
