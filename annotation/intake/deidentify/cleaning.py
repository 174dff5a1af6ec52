"""De-identify one file."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from annotation.intake.deidentify import encoding
from annotation.intake.deidentify.elements import BINARY, Source, find, items_of, text_of
from annotation.intake.deidentify.encoding import Element, encode_file
from annotation.intake.deidentify.keys import Person, SiteKeys
from annotation.intake.deidentify.pixels import Pixels, clean_pixels
from annotation.intake.deidentify.report import CHANGED, KEPT, REMOVED, Report, class_of
from annotation.intake.deidentify.rules import Rule, Rules
from annotation.intake.deidentify.screen import SERIES_UID, STUDY_UID, check_image
from annotation.intake.deidentify.values import Context, write_value
from annotation.intake.dicom.identity import is_dummy
from annotation.intake.dicom.read import read_whole
from annotation.intake.limits import Limits

DEEPEST = 8  # sequences in sequences
INSTANCE, PATIENT_NAME, PATIENT_ID, BIRTH_DATE, MODALITY = 0x00080018, 0x00100010, 0x00100020, 0x00100030, 0x00080060
BITS_STORED, HIGH_BIT, PIXELS = 0x00280101, 0x00280102, 0x7FE00010
# Written into every file whether the source has them or not, and never into an item of a sequence.
MADE = frozenset({"age", "empty", "method", "set", "subject"})
# What becomes of these depends on nothing but their value.
BY_VALUE = frozenset({"class", "contrast", "exact", "kernel", "manufacturer", "model", "number", "term", "words"})
LONGEST_REMEMBERED, MOST_REMEMBERED = 64, 4096


@dataclass(frozen=True)
class Cleaned:
    """A file that may be sent. `patient`, `study_uid` and `series_uid` are the originals, for the site's table only."""

    data: bytes
    person: Person
    patient: dict[str, str]
    study_uid: str
    series_uid: str
    study_code: str
    series_code: str
    instance_code: str


def deidentify(data: bytes, *, keys: SiteKeys, rules: Rules, report: Report, limits: Limits | None = None) -> Cleaned:
    """De-identify one DICOM file (PS3.15 E.1, basic profile). `report` counts what was done.

    The same bytes and key give the same result. Raises Invalid or TooLarge, each with a stable code and a sentence
    that says what to do; nothing is counted then."""
    limits = limits or Limits()
    with quiet():
        header, syntax = read_whole(data, limits)
        sop_class = check_image(header, rules)
        pixels = clean_pixels(header, syntax, limits)
        person = find_person(header, keys)
        counts = Report(files=1)
        original = text_of(find(header, INSTANCE)) or hashlib.sha256(data).hexdigest()
        instance = keys.uid(original)
        file = _File(Context(rules, keys, person, header), counts, rules.classes[sop_class].modalities)
        written = encode_file(sop_class, instance, file.clean(pixels, instance))
    report.merge(counts)
    study, series = (text_of(find(header, tag)) for tag in (STUDY_UID, SERIES_UID))
    originals = {"patient_id": PATIENT_ID, "name": PATIENT_NAME, "birth_date": BIRTH_DATE}
    return Cleaned(
        data=written,
        person=person,
        patient={name: text_of(find(header, tag)) for name, tag in originals.items()},
        study_uid=study,
        series_uid=series,
        study_code=keys.uid(study),
        series_code=keys.uid(series),
        instance_code=instance,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing of a value goes into a log: pydicom repeats every odd one in a warning. None is written unchecked."""
    logger = logging.getLogger("pydicom")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = was_disabled


def find_person(header: Dataset, keys: SiteKeys) -> Person:
    """Whom the file is of: the Patient ID, or where that names nobody each study a person of its own."""
    patient_id = text_of(find(header, PATIENT_ID))
    if is_dummy(patient_id):
        return keys.person("study", text_of(find(header, STUDY_UID)))
    return keys.person("patient", patient_id)


@dataclass(frozen=True)
class _File:
    """The attributes of one file under the rules, counted as they are judged."""

    context: Context
    report: Report
    modalities: tuple[str, ...]

    def clean(self, pixels: Pixels, instance: str) -> list[Element]:
        """Every attribute that is written."""
        written = {element.tag: element for element in self._attributes(self.context.header, 0)}
        for _, _, rule in self.context.rules.all():
            if rule.number not in written and self._applies(rule) and (rule.do in MADE or rule.always):
                element = write_value(rule, None, self.context)
                if element is not None:
                    written[rule.number] = element
        if MODALITY not in written:
            written[MODALITY] = encoding.text(MODALITY, "CS", self.modalities[0])
        made = (
            encoding.text(INSTANCE, "UI", instance),
            Element(BITS_STORED, "US", pixels.bits_stored.to_bytes(2, "little")),
            Element(HIGH_BIT, "US", (pixels.bits_stored - 1).to_bytes(2, "little")),
            Element(PIXELS, "OW", pixels.data),
        )
        return [*(written | {element.tag: element for element in made}).values()]

    def _attributes(self, dataset: Dataset, depth: int) -> list[Element]:
        written = []
        for tag, source in dataset.items():
            found = self.context.rules.find(int(tag))
            if found is None:
                self.report.add(class_of(int(tag)), REMOVED)
                continue
            name, _, rule = found
            if rule.do == "pixels" and not depth:
                self.report.add(name, KEPT)
                continue
            element, outcome = self._judge(dataset, rule, source, depth)
            self.report.add(name, outcome)
            if element is not None:
                written.append(element)
        return written

    def _judge(self, dataset: Dataset, rule: Rule, source: Source, depth: int) -> tuple[Element | None, str]:
        """The attribute as it is written, and its outcome; remembered where both depend on nothing but the value."""
        value = source.value
        if rule.do not in BY_VALUE or not isinstance(value, bytes) or len(value) > LONGEST_REMEMBERED:
            element = self._attribute(dataset, rule, source, depth)
            return element, outcome_of(rule, source, element)
        known: dict[Any, tuple[Element | None, str]] = self.context.rules.judged
        key = (rule.tag, self.modalities, source.VR, getattr(source, "is_little_endian", True), value)
        if key not in known:
            if len(known) >= MOST_REMEMBERED:
                known.clear()
            element = self._attribute(dataset, rule, source, depth)
            known[key] = element, outcome_of(rule, source, element)
        return known[key]

    def _attribute(self, dataset: Dataset, rule: Rule, source: Source, depth: int) -> Element | None:
        if not self._applies(rule) or (depth and rule.do in (*MADE, "pixels")):
            return None
        if rule.vr != "SQ":
            return write_value(rule, source, self.context)
        if depth >= DEEPEST:
            return None
        try:
            sequence = dataset[rule.number]
            if rule.do != "items":
                return write_value(rule, sequence, self.context)
            items = tuple(tuple(self._attributes(item, depth + 1)) for item in items_of(sequence))
        except Exception:  # pydicom raises anything for a broken sequence; what cannot be read is not kept
            return None
        return Element(rule.number, "SQ", items)

    def _applies(self, rule: Rule) -> bool:
        return not rule.modalities or bool(set(rule.modalities) & set(self.modalities))


def outcome_of(rule: Rule, source: Source, element: Element | None) -> str:
    """Whether an attribute was kept, changed or removed. One that is emptied counts as removed."""
    had = text_of(source)
    if element is None or (not element.value and had):
        return REMOVED
    if not isinstance(element.value, bytes) or rule.vr in BINARY:
        return KEPT
    return KEPT if element.value.decode("ascii").strip(" \0") == had else CHANGED
