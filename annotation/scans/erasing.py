"""Erase a subject in one transaction, after a preview of what goes and stays. Each app registers what it holds of a
scan (`on_erasure`). What stays is free of patient data: the empty row of each scan with its code, the audit log, and
`ErasedSubject`, by which the same patient is refused when sent again (docs/adr/0021)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from annotation.scans.models import ClinicalRecord, ErasedSubject, Scan, Series, Study, Subject
from annotation.scans.services import end_uses
from annotation.scans.states import SCAN, ScanState
from voxloop.accounts.actors import Actor
from voxloop.audit.services import advance, record
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.storage.store import open_store

OBJECTS = ("pack_key", "preview_key", "limit_key")
EMPTIED: dict[str, Any] = {
    "description": "",
    "facts": {},
    "shape_zyx": None,
    "spacing_mm_zyx": None,
    "lps_from_ijk": None,
    "index": None,
    "pack_key": "",
    "preview_key": "",
    "limit_key": "",
    "background_hu": None,
    "source_hash": "",
    "subject": None,
    "series": None,
    "reason_code": "subject_erased",
}


@dataclass(frozen=True)
class Line:
    """One line of the plan: what, how many, its fate (`erased`, `kept`, `marked`), and why."""

    what: str
    count: int
    fate: str
    why: str


@dataclass(frozen=True)
class Part:
    """One app's data of scans. `describe` gives the lines of the plan. `before` runs while the scans still exist and
    returns keys of objects that only these scans used; `after` runs when they are erased and logged."""

    describe: Callable[[Sequence[Scan]], list[Line]]
    before: Callable[[Sequence[Scan], Any], list[str]]
    after: Callable[[Sequence[Scan]], None]


_parts: list[Part] = []


def on_erasure(part: Part) -> None:
    """Register what an app must erase (call in AppConfig.ready)."""
    if part not in _parts:
        _parts.append(part)


def plan_erasure(subject: Subject) -> list[Line]:
    """Preview of the erasure of a subject."""
    scans = list(subject.scans.order_by("code"))
    stored = sum(bool(getattr(scan, field)) for scan in scans for field in OBJECTS)
    lines = [
        Line("Images: volume, preview and lung limit", stored, "erased", "deleted from storage at once"),
        Line(
            "Scans: geometry, scanner, UIDs, hashes",
            len(scans),
            "erased",
            "the empty row stays with its code, so that the log and the counts of batches stay valid",
        ),
        Line(
            "Subject, studies and series",
            1 + subject.studies.count(),
            "erased",
            "one irreversible code stays, so that the patient is refused when sent again",
        ),
    ]
    lines.append(
        Line(
            "Clinical record",
            ClinicalRecord.objects.filter(subject=subject).count(),
            "erased",
            "age, sex, hospitalisation, diagnosis class and tests",
        )
    )
    for part in _parts:
        lines += part.describe(scans)
    why = "it holds codes of scans, names of staff and reasons, no patient data"
    lines.append(Line("Audit log", 0, "kept", why))
    return [line for line in lines if line.count or line.fate == "kept"]


@transaction.atomic
def erase_subject(*, subject_id: UUID, actor: Actor, why: str, confirmation: str) -> ErasedSubject:
    """Erase a patient irreversibly. `confirmation` is the subject's code, typed by the actor.

    Raises NotFound, Invalid (`not_confirmed`), Conflict (`reason_required`).
    """
    subject = Subject.objects.select_for_update(of=("self",)).select_related("site").filter(pk=subject_id).first()
    if subject is None:
        raise NotFound
    if confirmation.strip() != subject.pseudonym:
        raise Invalid(f"Type the code of the subject, {subject.pseudonym}, to confirm.", code="not_confirmed")
    if not why.strip():
        raise Conflict("Say why the subject is erased.", code="reason_required")
    scans = list(subject.scans.select_for_update(of=("self",)).order_by("code"))
    for scan in scans:
        if scan.state == ScanState.READY:
            end_uses(scan=scan, actor=actor)
    keys = {getattr(scan, field) for scan in scans for field in OBJECTS} - {""}
    for part in _parts:
        keys.update(part.before(scans, actor))
    hashes = [scan.source_hash for scan in scans if scan.source_hash]
    for scan in scans:
        advance(
            scan,
            ScanState.ERASED,
            table=SCAN,
            actor=actor,
            why=why.strip(),
            reason="The subject was erased.",
            **EMPTIED,
        )
    for part in _parts:
        part.after(scans)
    gone = ErasedSubject.objects.create(
        site=subject.site,
        pseudonym=subject.pseudonym,
        key=subject.key,
        source_hashes=hashes,
        scans=[scan.code for scan in scans],
        left_objects=sorted(key for key in keys if not _is_used(key)),
    )
    Series.objects.filter(study__subject=subject).delete()
    Study.objects.filter(subject=subject).delete()
    ClinicalRecord.objects.filter(subject=subject).delete()
    subject.delete()
    record(actor=actor, action="subject.erased", target=gone, new={"scans": gone.scans}, why=why.strip())
    transaction.on_commit(lambda: delete_objects(gone.pk), robust=True)  # beat retries failures
    return gone


def delete_objects(erased_id: UUID) -> int:
    """Delete the remaining objects of an erasure; returns how many. `finish_erasures` retries failures."""
    store = open_store(settings.STORAGE_URL)
    gone = ErasedSubject.objects.get(pk=erased_id)
    for key in gone.left_objects:
        if not _is_used(key):
            store.delete(key)
    ErasedSubject.objects.filter(pk=erased_id).update(left_objects=[])
    return len(gone.left_objects)


def finish_erasures() -> int:
    """Delete remaining objects of interrupted erasures. Called by beat; answers how many."""
    return sum(delete_objects(pk) for pk in ErasedSubject.objects.exclude(left_objects=[]).values_list("pk", flat=True))


def check_not_erased(*, site_id: UUID, pseudonym: str, source_hash: str) -> None:
    """Raise Conflict (`subject_erased`) for a patient, or voxels, that were erased at this site."""
    erased = ErasedSubject.objects.filter(site=site_id).filter(
        Q(pseudonym=pseudonym) | Q(source_hashes__contains=[source_hash])
    )
    if erased.exists():
        raise Conflict(
            "This patient was erased here and is not accepted again; an administrator can say why.",
            code="subject_erased",
        )


def _is_used(key: str) -> bool:
    """Whether a scan that was not erased has the same content (a content hash is stored once)."""
    return Scan.objects.filter(Q(pack_key=key) | Q(preview_key=key) | Q(limit_key=key)).exists()
