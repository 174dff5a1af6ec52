"""Classify identifying texts in a file: a dummy, a code, or a name or date that must not be there. De-identification
tools leave dummies where DICOM requires a value; these are accepted. No message repeats the file's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from voxloop.kernel.clock import today
from voxloop.kernel.errors import Invalid

IDENTIFIED_CODES = frozenset({"not_deidentified", "patient_id_is_name", "patient_id_is_date"})
# Words that de-identification software and test series write where a name, a number or an address belongs.
_DUMMY_WORDS = """
    anon anonim anonimo anonimizado anonym anonyme anonymised anonymisiert anonymized anonymise anonymize anonymous
    anonymity anonymisation anonymization applicable available blank case cleared confidential data de deid
    deidentified deleted default dummy empty entfernt example hidden identified identifier id inconnu keine leer
    masked missing name nil no nobody noname none not null number of omitted patient person phantom private provided
    pseudonym pseudonymised pseudonymized redacted removed sample specified subject test unbekannt undefined unknown
    unnamed value withheld
"""
DUMMY_WORDS = frozenset(_DUMMY_WORDS.split())
# Common given names in the countries of likely sites. A Patient ID with one of these words is a name.
_GIVEN_NAMES = """
    adam adele ahmed albert alexander alexandra alfred ali alice alina amelie amir ana andrea andreas andrew angela
    anja anke anna anne anthony antonio barbara beate benjamin bernd bernhard birgit brigitte bruno carla carlos
    carmen carol caroline catherine charles charlotte christa christian christina christine christoph claudia dagmar
    daniel daniela david deborah dennis diana dieter dmitri donald dorothea edward elena eleanor elisabeth elizabeth
    emily emma erich erika ernst eva fatima felix ferdinand florian francesca francesco francisco francois frank
    franz frieda friedrich gabriele george georg gerd gerhard gertrud giovanni giulia giuseppe gisela grace guido
    gunter gustav hanna hannah hans harald hassan heike heinrich heinz helen helena helga helmut henry herbert
    hermann hildegard holger horst hubert ibrahim ingrid irene iris isabel isabella ivan jacob jacques jakob james
    jan jane janet jean jennifer jens jessica jochen joachim johann johanna john jonas jorge jose josef joseph juan
    julia julian jurgen kai karen karin karl katharina katrin kevin klaus konrad kurt laura lena leon linda lisa
    lothar louis luca lucas lucia ludwig luis lukas manfred manuel marco margaret margarete maria marie mario marion
    mark markus martha martin martina mary mathias matthias matthew max maximilian mehmet michael michaela miguel
    mohamed mohammed monika moritz mustafa nadia natalia nicolas nicole nina norbert olaf olga oliver oscar otto
    pablo patricia patrick paul paula pedro peter petra philip philipp pierre rainer ralf rebecca regina reinhard
    renate richard rita robert roberto roland rolf rosa rosemarie rudolf ruth sabine samuel sandra sara sarah
    sebastian sergei silke silvia simon sofia sonja sophia sophie stefan stefanie stephan stephen steven susan
    susanne sven sylvia tatiana thomas tim tina tobias torsten udo ulrich ulrike ursula ute uwe vera veronika victor
    victoria viktor vladimir volker walter werner wilhelm william wolfgang yusuf yvonne
"""
GIVEN_NAMES = frozenset(_GIVEN_NAMES.split())
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
EIGHT_DIGITS = re.compile(r"(?<!\d)\d{8}(?!\d)")
PARTED = re.compile(r"(?<!\d)(\d{1,4})([-./ _])(\d{1,2})\2(\d{1,4})(?!\d)")
WRITTEN = re.compile(rf"(?<!\d)(\d{{1,2}})[-. _]?({'|'.join(MONTHS)})[a-z]*[-. _]?(\d{{4}})(?!\d)")
# Personal numbers that begin with the birth date (Denmark, Sweden, Finland).
PERSONAL = re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})[-+a]\d{3}[\da-z](?![\da-z])")
NAME_LETTERS = 4
VOWELS = set("aeiouyäöüáéíóúàèìòùâêîôûåæøœ")


def is_dummy(value: str) -> bool:
    """Whether a text names nobody: empty, words like REMOVED, one repeated character, an impossible birth date."""
    plain = value.strip().lower()
    if plain in {"n/a", "n.a.", "na", "-"} or _is_dummy_date(plain):
        return True
    words = [word for word in re.split(r"[\W_]+", plain) if word]
    return all(word in DUMMY_WORDS or _is_filler(word) for word in words)


def is_code(name: str, patient_id: str) -> bool:
    """Whether a Patient's Name is a pseudonym: the Patient ID, a dummy, or one word with a digit, which public sets
    also write as family and given name (Case^C0012)."""
    if is_dummy(name):
        return True
    plain = name.strip("^ ").lower()
    if "^" in plain and GIVEN_NAMES.isdisjoint(re.split(r"[\W\d_]+", plain)):
        plain = plain.replace("^", "-")
    if plain != patient_id.lower() and not re.fullmatch(r"[\w.-]*\d[\w.-]*", plain):
        return False
    return not (_holds_a_date(plain) or _reads_as_a_name(plain))


def is_year_only(birth_date: str) -> bool:
    """1 January: what de-identification leaves of a birth date that shall tell the year. It is not stored."""
    return bool(re.fullmatch(r"\d{4}-?01-?01", birth_date.strip()))


def check_patient_id(value: str) -> None:
    """Refuse a Patient ID that is a name or holds a birth date. Raises Invalid with a separate code for each."""
    if is_dummy(value):
        return
    plain = value.strip().lower()
    if _holds_a_date(plain):
        raise Invalid(
            "The Patient ID holds a date, like a birth date: give each patient a code without meaning, and send "
            "the scan again.",
            code="patient_id_is_date",
        )
    if _reads_as_a_name(plain):
        raise Invalid(
            "The Patient ID reads like a name: give each patient a code with digits and without meaning, and send the "
            "scan again.",
            code="patient_id_is_name",
        )


def _is_filler(word: str) -> bool:
    """`0`, `xxx`, `99999`, `123456`: filler for a required field."""
    if set(word) in ({"0"}, {"x"}):
        return True
    return (len(word) >= 3 and len(set(word)) == 1) or (len(word) >= 6 and "1234567890".startswith(word))


def _is_dummy_date(plain: str) -> bool:
    """`00010101`, `19000101`, `00000000`, `11111111`: dummy birth dates."""
    digits = re.sub(r"[-./]", "", plain)
    if not re.fullmatch(r"\d{8}", digits):
        return False
    if len(set(digits)) == 1 or digits in ("19000101", "01011900"):
        return True
    # DICOM's format, and 1 January in common formats; any other order may be a real date.
    year_first = digits[:4] < "1850" and digits[4:6] <= "12" and digits[6:] <= "31"
    return year_first or (digits.startswith("0101") and digits[4:] < "1850")


def _holds_a_date(plain: str) -> bool:
    return any(True for _ in _dates_in(plain))


def _dates_in(plain: str) -> Iterator[date]:
    """Days between 1900 and today that a text may be read as."""
    for found in EIGHT_DIGITS.findall(plain):
        if not _is_dummy_date(found):
            year_first, year_last = (found[:4], found[4:6], found[6:]), (found[4:], found[2:4], found[:2])
            yield from _days(year_first, year_last, (found[4:], found[:2], found[2:4]))
    for first, part, second, third in PARTED.findall(plain):
        if not _is_dummy_date(f"{first}{second}{third}"):
            # A two-digit year counts only in a date with separators.
            if len(first) == 4 or (len(first) == 2 and part in "./"):
                yield from _days((first, second, third))
            if len(third) == 4 or (len(third) == 2 and part in "./"):
                yield from _days((third, second, first), (third, first, second))
    for day, month, year in WRITTEN.findall(plain):
        yield from _days((year, str(MONTHS.index(month) + 1), day))
    for first, second, third in PERSONAL.findall(plain):
        yield from _days((f"19{third}", second, first), (f"19{first}", second, third), (f"20{third}", second, first))


def _days(*candidates: tuple[str, str, str]) -> Iterator[date]:
    for year, month, day in candidates:
        number = int(year) + 1900 if len(year) == 2 else int(year)
        with suppress(ValueError):
            found = date(number, int(month), int(day))
            if date(1900, 1, 1) <= found <= today():
                yield found


def _reads_as_a_name(plain: str) -> bool:
    if re.search(r"[\^,]", plain.strip("^, ")):
        return True
    words = [word for word in re.split(r"[\W\d_]+", plain) if word and word not in DUMMY_WORDS]
    given = [word for word in words if word in GIVEN_NAMES]
    lettered = [word for word in words if len(word) >= NAME_LETTERS and VOWELS & set(word) and set(word) - VOWELS]
    if not any(sign.isdigit() for sign in plain):
        return bool(given or lettered)
    # With a number, one word may be a study's short name (IRIS-0012); two with a given name are a person.
    others = [word for word in words if len(word) >= 3 and word not in given]
    return bool(given and (others or len(given) > 1)) or (len(lettered) >= 2 and " " in plain)
