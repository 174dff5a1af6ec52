"""Coded terms (SNOMED CT, RadLex) to choose a segment's code from: a list that ships, made of DICOM PS3.16."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TERMS_FILE = Path(__file__).with_name("terms.json")
MOST_FOUND = 20
# As a person reads and types a term: “Pneumonia (SCT 233604007)”.
WRITTEN = re.compile(r"(?P<meaning>.+) \((?P<scheme>\S+) (?P<value>[^()]+)\)")


@dataclass(frozen=True)
class Term:
    """One coded term."""

    scheme: str
    value: str
    meaning: str

    def __str__(self) -> str:
        return f"{self.meaning} ({self.scheme} {self.value})"


@cache
def shipped_terms() -> tuple[Term, ...]:
    """Every term of the list, ordered by meaning."""
    return tuple(Term(*row) for row in json.loads(TERMS_FILE.read_text(encoding="utf-8"))["terms"])


def find_terms(words: str) -> list[Term]:
    """At most 20 terms in which every word begins a word of the meaning, or is the code's value; the nearest first."""
    asked = [word for word in re.split(r"\W+", words.casefold()) if word]
    if not asked:
        return []
    found = []
    for term in shipped_terms():
        own = [*re.split(r"\W+", term.meaning.casefold()), term.value.casefold(), term.scheme.casefold()]
        if all(any(word.startswith(one) for word in own) for one in asked):
            first = next((n for n, word in enumerate(own) if word.startswith(asked[0])), 0)
            found.append((first, len(term.meaning), term.meaning, term))
    return [term for *_, term in sorted(found, key=lambda row: row[:3])[:MOST_FOUND]]


def written(code: Mapping[str, str] | None) -> str:
    """A segment's code as text; empty for none."""
    return str(Term(code["scheme"], code["value"], code["meaning"])) if code else ""


def read_term(text: str) -> dict[str, str] | None:
    """The code of a written term: None for an empty text. Raises ValueError where it is not one."""
    text = " ".join(text.split())
    if not text:
        return None
    if match := WRITTEN.fullmatch(text):
        return {name: match[name].strip() for name in ("scheme", "value", "meaning")}
    same = [term for term in shipped_terms() if term.meaning.casefold() == text.casefold()]
    if len(same) == 1:
        return {"scheme": same[0].scheme, "value": same[0].value, "meaning": same[0].meaning}
    raise ValueError(text)
