"""Receive scans, screen and convert them in a child process, and make them part of a campaign."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from annotation.scans.models import Scan, Series, Site, Study, Subject
from annotation.scans.states import SCAN
from annotation.work.models import Campaign
from annotation.work.permissions import require_role
from annotation.work.services import add_scan
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import advance, record
from voxloop.jobs.models import Job
from voxloop.jobs.services import enqueue
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Invalid, NotFound, TooLarge
from voxloop.kernel.ids import new_id
from voxloop.storage.store import open_store

UPLOAD_SUFFIXES = (".zip", ".nii.gz", ".nii")


@dataclass(frozen=True)
class SeriesFacts:
    """What is known of a series beside its voxels. Never a name, a date or a free text of the hospital."""

    subject: str
    study_uid: str
    series_uid: str
    modality: str
    description: str
    facts: Mapping[str, Any]
    source_hash: str


@dataclass(frozen=True)
class VolumeFiles:
    """The converted volume: index (docs/formats.md, without URLs) and its parts as files."""

    index: Mapping[str, Any]
    pack: Path
    preview: Path
    limit: Path | None


def receive_upload(*, upload: Any, site: Site, campaign: Campaign, actor: User) -> Job:
    """Keep an uploaded zip or NIfTI of a de-identified scan and ask for its import.

    `upload` has `name`, `size` and `chunks()`. Raises Invalid for another kind of file, TooLarge.
    """
    _check_place(site, campaign, actor)
    name = Path(str(upload.name)).name.lower()
    suffix = next((suffix for suffix in UPLOAD_SUFFIXES if name.endswith(suffix)), None)
    if suffix is None:
        raise Invalid(
            "Send a zip of one or more DICOM series, or one NIfTI file (.nii or .nii.gz).", code="unknown_file"
        )
    if upload.size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(f"An upload holds at most {settings.MAX_UPLOAD_BYTES >> 20} MiB.")
    folder = settings.WORK_DIR / "uploads" / str(new_id())
    folder.mkdir(parents=True)
    try:
        path = folder / f"upload{suffix}"
        digest = hashlib.sha256()
        with path.open("wb") as handle:
            for block in upload.chunks():
                digest.update(block)
                handle.write(block)
        return _ask(path, site, campaign, actor, is_upload=True, key=digest.hexdigest())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def receive_path(*, path: Path, site: Site, campaign: Campaign, actor: User, mask: Path | None = None) -> Job:
    """Ask for the import of a folder, zip or NIfTI file that lies on the server."""
    _check_place(site, campaign, actor)
    if not path.exists():
        raise Invalid(f"There is no file or folder {path}.", code="no_such_file")
    return _ask(path, site, campaign, actor, is_upload=False, key=str(new_id()), mask=mask)


def _ask(
    path: Path, site: Site, campaign: Campaign, actor: User, *, is_upload: bool, key: str, mask: Path | None = None
) -> Job:
    with transaction.atomic():
        job = enqueue(
            Job.Kind.IMPORT_SCANS,
            payload={
                "path": str(path.resolve()),
                "mask": mask and str(mask.resolve()),
                "site": str(site.pk),
                "campaign": str(campaign.pk),
                "actor": str(actor.pk),
                "is_upload": is_upload,
            },
            key=f"import:{site.pk}:{key}:{new_id()}",
            actor=actor,
        )
        record(actor=actor, action="scans.received", target=job, new={"site": site.code, "campaign": campaign.slug})
    return job


def _check_place(site: Site, campaign: Campaign, actor: User) -> None:
    require_role(actor, campaign, Role.DATA_MANAGER, Role.COORDINATOR)
    if not site.memberships.filter(user=actor).exists():
        raise NotFound("There is no such site, or you are not a member of it.")


def store_scan(
    *, site: Site, campaign: Campaign, series: SeriesFacts, volume: VolumeFiles, actor: User, check: Callable[[], None]
) -> tuple[Scan, bool]:
    """Keep a converted volume as a ready scan of the campaign; answer it, and whether it is new.

    The same voxels sent twice by a site are one scan. `check` is called inside the transaction and raises when the
    job has lost its lease.
    """
    known = Scan.objects.filter(site=site, source_hash=series.source_hash).first()
    if known is not None:
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
        advance(scan, "screening", table=SCAN, actor=actor)
        advance(scan, "converting", table=SCAN, actor=actor)
        advance(
            scan,
            "ready",
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


def reject_series(*, site: Site, campaign: Campaign, series: SeriesFacts, code: str, reason: str, actor: User) -> Scan:
    """Keep the refusal of a series, so that the data manager sees it and the flow chart counts it."""
    with transaction.atomic():
        known = Scan.objects.filter(site=site, source_hash=series.source_hash).first()
        if known is not None:
            return known
        scan = _new_scan(site, series)
        advance(scan, "screening", table=SCAN, actor=actor)
        advance(scan, "rejected", table=SCAN, actor=actor, why=reason, reason_code=code, reason=reason)
        add_scan(campaign=campaign, scan=scan, actor=actor)
    return scan


def _new_scan(site: Site, series: SeriesFacts) -> Scan:
    # One number after the other within a site; the row lock orders two imports at once.
    Site.objects.select_for_update().get(pk=site.pk)
    prefix = f"VX-{site.code.upper()}-"
    last = Scan.objects.filter(code__startswith=prefix).order_by("-code").values_list("code", flat=True).first()
    number = int(last.removeprefix(prefix)) + 1 if last else 1
    subject, _ = Subject.objects.get_or_create(site=site, pseudonym=series.subject)
    study, _ = Study.objects.get_or_create(subject=subject, uid=series.study_uid)
    row, _ = Series.objects.get_or_create(study=study, uid=series.series_uid, defaults={"facts": dict(series.facts)})
    if Scan.objects.filter(series=row).exists():
        row = None
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


def find_job_place(payload: Mapping[str, Any]) -> tuple[Site, Campaign, User]:
    """The site, campaign and person that an import job was asked for."""
    return (
        Site.objects.get(pk=UUID(payload["site"])),
        Campaign.objects.get(pk=UUID(payload["campaign"])),
        User.objects.get(pk=UUID(payload["actor"])),
    )


def read_report(folder: Path) -> dict[str, Any]:
    """The result of a conversion."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]
