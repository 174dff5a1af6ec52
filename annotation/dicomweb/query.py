"""The parameters of a search (QIDO-RS, PS3.18 8.3.4): what to match, what to return, which page."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from rest_framework.exceptions import ParseError

MOST = 5000  # results of one page, whatever was asked for
LONGEST = 1024  # characters of a value
MOST_FILTERS = 40
TAG = re.compile(r"[0-9A-Fa-f]{8}")
NUMBER = re.compile(r"[0-9]{1,9}")
NO_UID = "none"
UID = re.compile(r"[0-9.]{1,64}")
UIDS = re.compile(r"[,\\]")
FUZZY = "The fuzzymatching parameter is not supported. Only literal matching has been performed."
Record = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """A search: `filters` by keyword, `include` further keywords (`is_all`: everything that is there)."""

    filters: Mapping[str, str]
    include: frozenset[str]
    is_all: bool
    limit: int
    offset: int
    warnings: tuple[str, ...]

    def matches(self, record: Record) -> bool:
        """Whether a record fits every filter that is about an attribute it has."""
        return all(is_match(wanted, record[name], name) for name, wanted in self.filters.items() if name in record)

    def page(self, found: Sequence[T]) -> tuple[Sequence[T], list[str]]:
        """The results of this page, and the texts of the warnings."""
        return found[self.offset : self.end], self.warn(len(found))

    @property
    def end(self) -> int:
        """The number of the first result after this page."""
        return self.offset + self.limit

    def warn(self, count: int) -> list[str]:
        """The texts of the warnings, when so many results were found."""
        left = max(0, count - self.end)
        more = [f"There are {left} additional results that can be requested"] if left else []
        return [*self.warnings, *more]


def read_query(pairs: Iterable[tuple[str, str]], known: Iterable[str], implied: Mapping[str, str]) -> Query:
    """Read the parameters. `known` are the keywords that can be matched here, `implied` filters of the path. Raises
    ParseError (`bad_query`) for what is not of the standard or cannot be read."""
    filters: dict[str, str] = {}
    include: set[str] = set()
    numbers: dict[str, int] = {}
    warnings: list[str] = []
    can_match, is_all = set(known), False
    for name, value in pairs:
        if len(value) > LONGEST or len(filters) > MOST_FILTERS:
            raise _bad("A search has at most 40 attributes of 1,024 characters.")
        if name in ("limit", "offset"):
            numbers[name] = _number(name, value, numbers)
        elif name == "fuzzymatching":
            if value not in ("true", "false"):
                raise _bad("fuzzymatching is true or false.")
            warnings += [FUZZY] if value == "true" else []
        elif name == "includefield":
            words = {word.strip() for word in value.split(",")}
            is_all = is_all or "all" in words
            include |= {keyword for word in words - {"all"} for keyword in _keywords(word)}
        else:
            path = _keywords(name)
            keyword = path[0]
            if keyword in filters:
                raise _bad(f"{keyword} stands twice in the query; give its values as one list.")
            if len(path) > 1 or keyword not in can_match:
                warnings.append(f"The attribute {'.'.join(path)} cannot be matched here. It was left out of the search")
            else:
                filters[keyword] = value
    for keyword, value in implied.items():
        if filters.setdefault(keyword, value) != value:
            filters[keyword] = NO_UID  # both cannot hold: nothing is found
    limit = min(numbers.get("limit", MOST), MOST)
    return Query(filters, frozenset(include), is_all, limit, numbers.get("offset", 0), tuple(warnings))


def is_match(wanted: str, value: Any, keyword: str) -> bool:
    """One attribute by PS3.4 C.2.2.2: universal (empty or `*`), list of UIDs, range of dates, wildcards, or equal. An
    attribute of several values fits when one does."""
    if wanted.strip("*") == "":
        return True
    values = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    vr = dictionary_VR(keyword)
    if vr == "UI":
        return any(one in UIDS.split(wanted) for one in values)
    fits = _fitting(wanted, vr)
    return any(fits(one) for one in values)


def _fitting(wanted: str, vr: str) -> Callable[[str], bool]:
    if vr in ("DA", "TM", "DT") and "-" in wanted:
        low, _, high = wanted.partition("-")
        return lambda one: one != "" and (not low or one >= low) and (not high or one[: len(high)] <= high)
    if vr in ("IS", "US", "UL", "DS"):
        return lambda one: one == wanted.strip()
    if vr == "PN":  # names match without regard to case, everything else literally
        low = wanted.lower().rstrip("^")
        return lambda one: fits_wildcards(low, one.lower().rstrip("^"))
    return lambda one: fits_wildcards(wanted, one)


def fits_wildcards(pattern: str, text: str) -> bool:
    """Whether `text` is `pattern`, in which `*` stands for any text and `?` for one sign. No regular expression: one of
    many `*` would take exponential time."""
    at = of = 0
    star, resume = -1, 0
    while at < len(text):
        if of < len(pattern) and pattern[of] != "*" and pattern[of] in ("?", text[at]):
            at, of = at + 1, of + 1
        elif of < len(pattern) and pattern[of] == "*":
            star, resume, of = of, at, of + 1
        elif star >= 0:
            resume += 1
            at, of = resume, star + 1
        else:
            return False
    return not pattern[of:].strip("*")


def _number(name: str, value: str, known: Mapping[str, int]) -> int:
    if name in known or not NUMBER.fullmatch(value):
        raise _bad(f"{name} stands once in the query and is a whole number, 0 or more.")
    return int(value)


def _keywords(name: str) -> list[str]:
    return [_keyword(part) for part in name.split(".")[:8]]


@lru_cache(maxsize=2048)
def _keyword(word: str) -> str:
    """The keyword of an attribute named by keyword or tag. Raises ParseError."""
    if TAG.fullmatch(word):
        if dictionary_has_tag(int(word, 16)) and (keyword := keyword_for_tag(int(word, 16))):
            return keyword
    elif word and tag_for_keyword(word) is not None:
        return word
    raise _bad("A parameter is no attribute of DICOM (keyword or eight digits of a tag) and none of the standard.")


def _bad(sentence: str) -> ParseError:
    return ParseError(sentence, code="bad_query")
