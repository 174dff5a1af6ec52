"""What becomes of one attribute's value. Each answers the attribute as it is written, or None: it is removed."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pydicom.dataset import Dataset

from annotation.intake.deidentify import encoding
from annotation.intake.deidentify.elements import BINARY, Source, find, items_of, numbers_of, text_of, words_of
from annotation.intake.deidentify.encoding import Element
from annotation.intake.deidentify.keys import Person, SiteKeys
from annotation.intake.deidentify.rules import Code, Rule, Rules
from annotation.intake.dicom.vocabulary import OTHER, kernel_of, manufacturer_of, model_of

DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?")
LONGEST_DECIMAL = 16  # PS3.5 6.2, DS
AGE = re.compile(r"(\d{3})([DWMY])")
OLDEST = 90  # older ages are written as this one
NO_CONTRAST = {"", "NO", "NONE", "N", "WITHOUT"}
CONTRAST = "CONTRAST"
BIRTH_DATE, STUDY_DATE, PIXEL_REPRESENTATION = 0x00100030, 0x00080020, 0x00280103


@dataclass(frozen=True)
class Context:
    """What the values of one file depend on. `header` is its top level."""

    rules: Rules
    keys: SiteKeys
    person: Person
    header: Dataset


Write = Callable[[Rule, Source | None, Context], Element | None]


def write_value(rule: Rule, source: Source | None, context: Context) -> Element | None:
    """The attribute under its rule; `source` is None where the file lacks it. No value makes it raise."""
    try:
        element = WRITERS[rule.do](rule, source, context)
    except (ValueError, OverflowError, struct.error):
        element = None
    if element is None and rule.always:
        return encoding.text(rule.number, rule.vr, "")
    return element


def read_date(words: str) -> date | None:
    """A day of DA, of the old form with dots, or the day of a DT; None for anything else."""
    plain = words.replace(".", "") if re.fullmatch(r"\d{4}\.\d{2}\.\d{2}", words) else words
    if not re.match(r"\d{8}", plain):
        return None
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:8]))
    except ValueError:
        return None


def _empty(rule: Rule, _source: Source | None, _context: Context) -> Element:
    return encoding.text(rule.number, rule.vr, "")


def _set(rule: Rule, _source: Source | None, context: Context) -> Element:
    return encoding.text(rule.number, rule.vr, rule.value.format(version=context.rules.version))


def _subject(rule: Rule, _source: Source | None, context: Context) -> Element:
    return encoding.text(rule.number, rule.vr, context.person.code)


def _class(rule: Rule, source: Source | None, context: Context) -> Element | None:
    words = text_of(source)
    return encoding.text(rule.number, rule.vr, words) if words in context.rules.classes else None


def _uid(rule: Rule, source: Source | None, context: Context) -> Element | None:
    words = text_of(source)
    return encoding.text(rule.number, rule.vr, context.keys.uid(words)) if words else None


def _date(rule: Rule, source: Source | None, context: Context) -> Element | None:
    day = read_date(text_of(source))
    moved = None if day is None else context.person.move(day)
    return None if moved is None else encoding.text(rule.number, rule.vr, f"{moved:%Y%m%d}".zfill(8))


def _age(rule: Rule, source: Source | None, context: Context) -> Element | None:
    words = text_of(source).upper()
    found = AGE.fullmatch(words)
    if not found:
        born, studied = (read_date(text_of(find(context.header, tag))) for tag in (BIRTH_DATE, STUDY_DATE))
        if born is None or studied is None or not 0 <= studied.year - born.year < 130:
            return None
        years = studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))
        words = f"{max(0, years):03d}Y"
    elif found[2] != "Y":
        return encoding.text(rule.number, rule.vr, words)
    return encoding.text(rule.number, rule.vr, f"{min(OLDEST, int(words[:3])):03d}Y")


def _number(rule: Rule, source: Source | None, _context: Context) -> Element | None:
    """Numbers in their range; text is kept digit for digit by `exact`, else to six digits."""
    if source is None:
        return None
    values = numbers_of(source, rule.vr)
    if not 1 <= len(values) <= rule.values or not all(DECIMAL.fullmatch(value) for value in values):
        return None
    numbers = [float(value) for value in values]
    if not all(math.isfinite(number) and rule.least <= number <= rule.most for number in numbers):
        return None
    if code := BINARY.get(rule.vr):
        whole = code not in "df"
        return Element(
            rule.number, rule.vr, b"".join(struct.pack(f"<{code}", round(n) if whole else n) for n in numbers)
        )
    if rule.vr == "IS":
        return encoding.text(rule.number, rule.vr, "\\".join(str(round(number)) for number in numbers))
    if rule.do == "exact" and all(len(value) <= LONGEST_DECIMAL for value in values):
        return encoding.text(rule.number, rule.vr, "\\".join(values))
    digits = 10 if rule.do == "exact" else 6
    return encoding.text(rule.number, rule.vr, "\\".join(f"{number:.{digits}g}" for number in numbers))


def _padding(rule: Rule, source: Source | None, context: Context) -> Element | None:
    """Two bytes as they are: some scanners write an unsigned padding value beside signed pixels."""
    value = None if source is None else source.value
    if source is None or not isinstance(value, bytes) or len(value) != 2:
        return None
    is_little = getattr(source, "is_little_endian", True)
    vr = source.VR if source.VR in ("US", "SS") else "SS" if _is_signed(context.header) else "US"
    return Element(rule.number, str(vr), value if is_little else value[::-1])


def _is_signed(header: Dataset) -> bool:
    source = find(header, PIXEL_REPRESENTATION)
    return source is not None and numbers_of(source, "US") == ["1"]


def _term(rule: Rule, source: Source | None, context: Context) -> Element | None:
    """Words of a list; unlisted ones become `other` or, without it, remove the attribute."""
    listed = context.rules.terms[rule.terms]
    found = [word if word in listed else rule.other for word in words_of(source)]
    if source is None or not all(found) or len(found) > rule.values:
        return None
    return encoding.text(rule.number, rule.vr, "\\".join(found))


def _words(rule: Rule, source: Source | None, context: Context) -> Element | None:
    """The listed words of a free text, each once, in the order of the list."""
    return _written(rule, _listed_words(text_of(source), context.rules.terms[rule.terms]))


@lru_cache(maxsize=1024)
def _listed_words(words: str, listed: tuple[str, ...]) -> str:
    held = set(re.split(r"[^A-Z]+", words.upper()))
    kept = ""
    for word in listed:
        if word in held and len(kept) + len(word) < 64:
            kept = f"{kept} {word}".strip()
    return kept


@lru_cache(maxsize=1024)
def _scanner_word(kind: str, words: str) -> str:
    find_word = {"manufacturer": manufacturer_of, "model": model_of, "kernel": kernel_of}[kind]
    return find_word(words)


def _scanner(rule: Rule, source: Source | None, _context: Context) -> Element | None:
    return _written(rule, _scanner_word(rule.do, text_of(source)) or (OTHER if rule.always else ""))


def _contrast(rule: Rule, source: Source | None, _context: Context) -> Element | None:
    return _written(rule, "" if text_of(source).upper() in NO_CONTRAST else CONTRAST)


def _coded(rule: Rule, source: Source | None, context: Context) -> Element | None:
    """The items whose scheme and value stand in the list, with the meaning of the list."""
    known = {(code.scheme, code.value): code for code in context.rules.codes[rule.terms]}
    kept = []
    for item in items_of(source):
        code = known.get((text_of(find(item, 0x00080102)), text_of(find(item, 0x00080100))))
        if code is not None:
            kept.append(_code_item(code))
    return Element(rule.number, "SQ", tuple(kept)) if kept else None


def _method(rule: Rule, _source: Source | None, context: Context) -> Element:
    return Element(rule.number, "SQ", tuple(_code_item(code) for code in context.rules.method))


def _code_item(code: Code) -> tuple[Element, ...]:
    return (
        encoding.text(0x00080100, "SH", code.value),
        encoding.text(0x00080102, "SH", code.scheme),
        encoding.text(0x00080104, "LO", code.meaning),
    )


def _written(rule: Rule, words: str) -> Element | None:
    return encoding.text(rule.number, rule.vr, words) if words else None


WRITERS: dict[str, Write] = {
    "age": _age,
    "class": _class,
    "coded": _coded,
    "contrast": _contrast,
    "date": _date,
    "empty": _empty,
    "exact": _number,
    "kernel": _scanner,
    "manufacturer": _scanner,
    "method": _method,
    "model": _scanner,
    "number": _number,
    "padding": _padding,
    "set": _set,
    "subject": _subject,
    "term": _term,
    "uid": _uid,
    "words": _words,
}
