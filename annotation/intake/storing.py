"""Converted and refused series become scans of a campaign."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Length

from annotation.intake.rekeying import SeriesFacts
from annotation.scans.erasing import check_not_erased
from annotation.scans.models import Scan, Series, Site, Study, Subject
from annotation.scans.states import SCAN, ScanState
from annotation.work.campaigns import add_scan
from annotation.work.models import Campaign
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.audit.services import advance
from voxloop.kernel.clock import now
from voxloop.storage.store import open_store


@dataclass(frozen=True)
class VolumeFiles:
    """The converted volume: index (docs/formats.md, without URLs) and its parts as files."""

    index: Mapping[str, Any]
    pack: Path
    preview: Path
    limit: Path | None


def store_scan(
    *, site: Site, campaign: Campaign, series: SeriesFacts, volume: VolumeFiles, actor: User, check: Callable[[], None]
) -> tuple[Scan, bool]:
    """Store a converted volume as a ready scan of the campaign; returns it, and whether it is new. The same voxels sent
    twice by a site are one scan. `check` is called inside the transaction and raises when the job has lost its lease.
    Raises Conflict (`subject_erased`, `scan_withdrawn`) for scans that are not accepted again."""
    check_not_erased(site_id=site.pk, pseudonym=series.subject, source_hash=series.source_hash)
    known = Scan.objects.filter(site=site, source_hash=series.source_hash).first()
    if known is not None:
        check_not_withdrawn(known)
        _note_day(known, series)
        add_scan(campaign=campaign, scan=known, actor=actor)
        return known, False
    store = open_store(settings.STORAGE_URL)
    keys = {
        "pack_key": store.put_file("packs", volume.pack),
        "preview_key": store.put_file("previews", volume.preview),
        "limit_key": store.put_file("limits", volume.limit) if volume.limit else "",
    }
    limit = volume.index.get("limit")
    with transaction.atomic():
        check()
        scan = _new_scan(site, series)
        advance(scan, ScanState.SCREENING, table=SCAN, actor=actor)
        advance(scan, ScanState.CONVERTING, table=SCAN, actor=actor)
        advance(
            scan,
            ScanState.READY,
            table=SCAN,
            actor=actor,
            ready_at=now(),
            index=dict(volume.index),
            shape_zyx=volume.index["shape_zyx"],
            spacing_mm_zyx=volume.index["spacing_mm_zyx"],
            lps_from_ijk=volume.index["lps_from_ijk"],
            background_hu=limit["background_hu"] if limit else None,
            **keys,
        )
        add_scan(campaign=campaign, scan=scan, actor=actor)
    return scan, True


def note_on_twin(scan: Scan, series: SeriesFacts, *, is_new: bool) -> list[str]:
    """A note where voxels that the site sent before come under another patient: they stay one scan of the first."""
    if is_new or scan.subject is None or scan.subject.pseudonym == series.subject:
        return []
    return [
        f"A series has the voxels of {scan.code}, which came under another patient: it is one scan, find out whose."
    ]


def _note_day(scan: Scan, series: SeriesFacts) -> None:
    """Scans that came in before days were kept get theirs when they are sent again."""
    if series.day is not None and scan.subject is not None and scan.subject.pseudonym == series.subject:
        Study.objects.filter(series__scans=scan, uid=series.study_uid, day=None).update(day=series.day)


def reject_series(*, site: Site, campaign: Campaign, series: SeriesFacts, code: str, reason: str, actor: User) -> Scan:
    """Store the refusal of a series, for the data manager and the flow chart."""
    check_not_erased(site_id=site.pk, pseudonym=series.subject, source_hash=series.source_hash)
    with transaction.atomic():
        known = Scan.objects.filter(site=site, source_hash=series.source_hash).first()
        if known is not None:
            return known
        scan = _new_scan(site, series)
        advance(scan, ScanState.SCREENING, table=SCAN, actor=actor)
        advance(scan, ScanState.REJECTED, table=SCAN, actor=actor, why=reason, reason_code=code, reason=reason)
        add_scan(campaign=campaign, scan=scan, actor=actor)
    return scan


def _new_scan(site: Site, series: SeriesFacts) -> Scan:
    # Consecutive numbers within a site; the row lock serialises concurrent imports.
    Site.objects.select_for_update().get(pk=site.pk)
    prefix = f"VX-{site.code.upper()}-"
    # By length first: as text, 9999 sorts after 10000.
    ordered = Scan.objects.filter(code__startswith=prefix).order_by(Length("code").desc(), "-code")
    last = ordered.values_list("code", flat=True).first()
    number = int(last.removeprefix(prefix)) + 1 if last else 1
    subject, _ = Subject.objects.get_or_create(
        site=site, pseudonym=series.subject, defaults={"key": series.key, "is_unnamed": series.is_unnamed}
    )
    study, _ = Study.objects.get_or_create(subject=subject, uid=series.study_uid, defaults={"day": series.day})
    row, _ = Series.objects.get_or_create(study=study, uid=series.series_uid)
    return Scan.objects.create(
        code=f"{prefix}{number:04d}",
        site=site,
        subject=subject,
        series=row,
        modality=series.modality,
        description=series.description[:200],
        facts=dict(series.facts),
        source_hash=series.source_hash,
    )
