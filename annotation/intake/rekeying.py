"""Replace the identifiers of a converted series by codes before anything of it is stored or reported. The key is that
of the campaign which a patient's first scan was sent to. A patient already known at the site keeps code and key,
whatever the campaign, so that studies of one person share the subject and a study sent to two campaigns has one UID
(docs/adr/0020)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from annotation.intake.dicom.vocabulary import OTHER
from annotation.intake.volumes import Origin
from annotation.scans.models import ErasedSubject, PseudonymKey, Site, Subject
from annotation.scans.pseudonyms import Pseudonyms, open_key
from annotation.work.campaigns import key_of
from annotation.work.models import Campaign

WORDS_OF_A_LIST = ("manufacturer", "model", "kernel")


@dataclass(frozen=True)
class SeriesFacts:
    """Codes and technical facts of a series, without original identifiers."""

    subject: str
    study_uid: str
    series_uid: str
    modality: str
    description: str
    facts: Mapping[str, Any]
    source_hash: str
    key: PseudonymKey | None = None
    is_unnamed: bool = False
    day: int | None = None  # of the study, on the subject's own scale (`Pseudonyms.day`)

    @property
    def is_unlisted(self) -> bool:
        """Whether scanner, model or kernel are not in our vocabulary and were stored as "other"."""
        return any(self.facts.get(name) == OTHER for name in WORDS_OF_A_LIST)


class Rekeyer:
    """Codes for the series of one import, from the campaign's key and existing codes of the site's patients."""

    def __init__(self, *, site: Site, campaign: Campaign) -> None:
        own = key_of(campaign)
        others = PseudonymKey.objects.filter(Q(subjects__site=site) | Q(erased_subjects__site=site))
        others = others.exclude(pk=own.pk).order_by("created_at").distinct()
        self._site = site
        self._keys = [(key, open_key(key)) for key in (own, *others)]

    def rekey(self, origin: Origin) -> SeriesFacts:
        """A converted or refused series under its codes."""
        subject, key, codes = self._find_subject(origin.subject, is_unnamed=origin.is_unnamed)
        facts = dict(origin.facts)
        facts["frame_of_reference_uid"] = codes.uid(facts["frame_of_reference_uid"])
        facts["sop_instance_uids"] = [codes.uid(uid) for uid in facts["sop_instance_uids"]]
        return SeriesFacts(
            subject=subject,
            study_uid=codes.uid(origin.study_uid),
            series_uid=codes.uid(origin.series_uid),
            modality=origin.modality,
            description=origin.description,
            facts=facts,
            source_hash=origin.source_hash,
            key=key,
            is_unnamed=origin.is_unnamed,
            day=codes.day(subject, date.fromisoformat(origin.study_date)) if origin.study_date else None,
        )

    def codes_of(self, numbers: Sequence[str]) -> dict[str, dict[str, tuple[PseudonymKey, Pseudonyms]]]:
        """For each number of a patient, as the files carry it, every code it may have here, and by which key."""
        site = self._site.code
        return {
            number: {opened.subject(site, "patient", number): (key, opened) for key, opened in self._keys}
            for number in numbers
        }

    def _find_subject(self, words: str, *, is_unnamed: bool) -> tuple[str, PseudonymKey, Pseudonyms]:
        kind = "study" if is_unnamed else "patient"
        codes = {opened.subject(self._site.code, kind, words): (key, opened) for key, opened in self._keys}
        known = None
        for rows in (Subject.objects.all(), ErasedSubject.objects.all()):
            found = rows.filter(site=self._site, pseudonym__in=codes).values_list("pseudonym", flat=True).first()
            known = known or found
        subject = known or next(iter(codes))
        return subject, *codes[subject]


def notes_on(series: Sequence[SeriesFacts]) -> list[str]:
    """Notes for the site on the imported series; no value of a file is repeated."""
    notes = []
    if unnamed := sum(item.is_unnamed for item in series):
        notes.append(
            f"{unnamed} of {len(series)} series had no Patient ID of their own (none, or a dummy like ANONYMOUS): each "
            "study counts as a separate person, so no earlier scan is offered for comparison."
        )
    if unlisted := sum(item.is_unlisted for item in series):
        notes.append(
            f"{unlisted} of {len(series)} series came with a scanner, model or kernel that is not listed; it is "
            "stored as “other”."
        )
    return notes
