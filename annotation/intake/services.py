"""Receive scans, screen and convert them in a child process, and store the result (`storing`)."""

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction

from annotation.intake.child import run_convert
from annotation.intake.conversion import Refused
from annotation.intake.limits import Limits
from annotation.intake.naming import harmless_upload
from annotation.intake.outcome import NothingCameInError
from annotation.intake.rekeying import Rekeyer, notes_on
from annotation.intake.storing import VolumeFiles, note_on_twin, reject_series, store_scan
from annotation.intake.uploads import fetch_upload, keep_upload
from annotation.scans.models import Site
from annotation.work.models import Campaign
from annotation.work.permissions import require_role
from annotation.work.schema import Layer, parse_schema
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.running import Claim
from voxloop.jobs.scratch import of_job, of_process
from voxloop.jobs.services import enqueue
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.kernel.ids import new_id
from voxloop.volume.labelmap import decode_message

KEPT_MODALITIES = {"CT", "DX", "CR"}
MOST_REASON = 500  # characters


def receive_upload(*, upload: Any, site: Site, campaign: Campaign, actor: User, overrule: str = "") -> Job:
    """Store an uploaded zip or NIfTI of a de-identified scan and enqueue its import.

    `overrule` says why series are taken in that would be refused as doubtful (derived, an X-ray as a secondary capture,
    values unlike HU); it goes into the audit log. `upload` has `name`, `size` and `chunks()`. Raises Invalid for
    another file type, TooLarge, NoSpace, StorageAway."""
    check_may_import(site, campaign, actor)
    require_room()
    key, suffix = keep_upload(upload)
    name = harmless_upload(str(upload.name), suffix)
    source = {"upload": key, "suffix": suffix, "is_upload": True, "name": name, "bytes": upload.size}
    return _ask(source, site, campaign, actor, key=key.rpartition("/")[2], overrule=overrule)


def receive_path(*, path: Path, site: Site, campaign: Campaign, actor: User, mask: Path | None = None) -> Job:
    """Enqueue the import of a folder, zip or NIfTI file on the server."""
    check_may_import(site, campaign, actor)
    require_room()
    if not path.exists():
        raise Invalid(f"There is no file or folder {path}.", code="no_such_file")
    source = {"path": str(path.resolve()), "mask": mask and str(mask.resolve()), "is_upload": False}
    return _ask(source, site, campaign, actor, key=str(new_id()))


def _ask(
    source: Mapping[str, Any], site: Site, campaign: Campaign, actor: User, *, key: str, overrule: str = ""
) -> Job:
    with transaction.atomic():
        job = enqueue(
            Job.Kind.IMPORT_SCANS,
            payload={
                **source,
                "site": str(site.pk),
                "campaign": str(campaign.pk),
                "actor": str(actor.pk),
                **({"is_overruled": True} if overrule.strip() else {}),
            },
            key=f"import:{key}:{new_id()}",
            actor=actor,
        )
        told = {"site": site.code, "campaign": campaign.slug}
        record(actor=actor, action="scans.received", target=job, new=told, why=overrule.strip()[:MOST_REASON])
    return job


def check_may_import(site: Site, campaign: Campaign, actor: User) -> None:
    """Raise Forbidden or NotFound unless the person oversees the campaign and is a member of the site."""
    require_role(actor, campaign, Role.DATA_MANAGER, Role.COORDINATOR)
    if not site.memberships.filter(user=actor).exists():
        raise NotFound("There is no such site, or you are not a member of it.")


def find_job_parties(payload: Mapping[str, Any]) -> tuple[Site, Campaign, User]:
    """The site, campaign and person of an import job."""
    return (
        Site.objects.get(pk=UUID(payload["site"])),
        Campaign.objects.get(pk=UUID(payload["campaign"])),
        User.objects.get(pk=UUID(payload["actor"])),
    )


LabelsListener = Callable[..., None]
_on_labels: list[LabelsListener] = []


def on_labels(listener: LabelsListener) -> LabelsListener:
    """Register the service that stores a mask sent with a scan (call in AppConfig.ready; intake cannot import masks).

    Called as `listener(scan=…, campaign=…, layer=…, message=…, actor=…)`, within the transaction that creates the
    scan."""
    if listener not in _on_labels:
        _on_labels.append(listener)
    return listener


def import_scans(claim: Claim) -> dict[str, Any]:
    """Run an import job: convert the upload, store its scans and refusals."""
    payload = claim.job.payload
    site, campaign, actor = find_job_parties(payload)
    folder = of_job("imports", claim)
    shutil.rmtree(folder, ignore_errors=True)  # leftovers of a killed attempt
    try:
        return _import(
            source=fetch_upload(payload, folder) if "upload" in payload else Path(payload["path"]),
            mask=Path(payload["mask"]) if payload.get("mask") else None,
            layer=payload.get("layer"),
            site=site,
            campaign=campaign,
            actor=actor,
            overrule=bool(payload.get("is_overruled")),
            on_progress=claim.report,
            check=claim.check,
            may_go_on=claim.may_go_on,
            folder=folder / "out",
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def import_now(
    *,
    path: Path,
    site: Site,
    campaign: Campaign,
    actor: User,
    mask: Path | None = None,
    layer: str | None = None,
    overrule: str = "",
    on_progress: Callable[[int, str], None] | None = None,
) -> dict[str, Any]:
    """Import a folder, zip or NIfTI on the server at once, without a worker; returns the outcome. `overrule` as in
    `receive_upload`."""
    check_may_import(site, campaign, actor)
    require_room()
    if not path.exists():
        raise Invalid(f"There is no file or folder {path}.", code="no_such_file")
    if overrule.strip():
        with transaction.atomic():
            told = {"site": site.code, "campaign": campaign.slug}
            record(actor=actor, action="scans.received", target=campaign, new=told, why=overrule.strip()[:MOST_REASON])
    return _import(
        source=path,
        mask=mask,
        layer=layer,
        site=site,
        campaign=campaign,
        actor=actor,
        overrule=bool(overrule.strip()),
        on_progress=on_progress or (lambda progress, message: None),
        check=lambda: None,
        may_go_on=lambda: None,
        folder=of_process("imports"),
    )


def _import(
    *,
    source: Path,
    mask: Path | None,
    layer: str | None,
    site: Site,
    campaign: Campaign,
    actor: User,
    overrule: bool,
    on_progress: Callable[[int, str], None],
    check: Callable[[], None],
    may_go_on: Callable[[], None],
    folder: Path,
) -> dict[str, Any]:
    if not source.exists():
        raise Invalid("The uploaded file is gone; send it again.", code="no_such_file")
    target_layer = parse_schema(campaign.schema.definition).layer(layer)  # the layer of a mask sent with a scan
    rekeyer = Rekeyer(site=site, campaign=campaign)  # before the conversion: without the key nothing could be stored
    shutil.rmtree(folder, ignore_errors=True)  # leftovers of a killed attempt
    try:
        report = run_convert(
            source,
            folder,
            mask=mask,
            limits=Limits(is_overruled=overrule),
            may_go_on=may_go_on,
            on_progress=lambda progress, message: on_progress(progress * 9 // 10, message),
        )
        if not report.accepted and not any(refusal.series for refusal in report.refused):
            raise Invalid(report.refused[0].reason, code=report.refused[0].code)
        series = [rekeyer.rekey(item.series) for item in report.accepted]
        scans, not_again, twins = [], [], []
        for number, item in enumerate(report.accepted):
            on_progress(90 + 9 * number // len(report.accepted), "Storing the scans")
            labels = _read_labels(folder / item.folder, target_layer) if item.labels else None
            volume = _read_volume(folder / item.folder)
            try:
                with transaction.atomic():
                    scan, is_new = store_scan(
                        site=site, campaign=campaign, series=series[number], volume=volume, actor=actor, check=check
                    )
                    for listener in _on_labels if labels is not None else []:
                        listener(scan=scan, campaign=campaign, layer=target_layer.name, message=labels, actor=actor)
            except Conflict as refusal:  # erased or withdrawn: the other series are still imported
                not_again.append(Refused(refusal.code, refusal.detail, 0, None))
                continue
            scans.append({"id": str(scan.pk), "code": scan.code, "new": is_new, "state": scan.state})
            twins += note_on_twin(scan, series[number], is_new=is_new)
        refused = [_keep_refusal(one, rekeyer, site, campaign, actor, check) for one in [*not_again, *report.refused]]
        result = {
            "scans": scans,
            "refused": refused,
            "notes": notes_on(series) + twins,
            **{name: getattr(report, name) for name in ("not_dicom", "unreadable")},
        }
        if not scans:
            raise NothingCameInError(result)
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep_refusal(
    refusal: Refused,
    rekeyer: Rekeyer,
    site: Site,
    campaign: Campaign,
    actor: User,
    check: Callable[[], None],
) -> dict[str, Any]:
    """A refused scan becomes a row; others (SR, SEG, a named patient) are only reported."""
    told = {
        "code": refusal.code,
        "reason": refusal.reason,
        "files": refusal.files,
        "folder": refusal.folder,
        "file": refusal.file,
        "series_number": refusal.number,
        "scan": None,
    }
    series = refusal.series
    if series and series.modality in KEPT_MODALITIES:
        with transaction.atomic(), suppress(Conflict):  # of an erased patient not even a refusal is stored
            check()
            scan = reject_series(
                site=site,
                campaign=campaign,
                series=rekeyer.rekey(series),
                code=refusal.code,
                reason=refusal.reason,
                actor=actor,
            )
            told["scan"] = scan.code
    return told


def _read_volume(folder: Path) -> VolumeFiles:
    limit = folder / "limit"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return VolumeFiles(index, folder / "pack", folder / "preview", limit if limit.exists() else None)


def _read_labels(folder: Path, layer: Layer) -> bytes:
    """The mask message of a converted volume, after checking that its values are segments of the layer."""
    message = (folder / "labels").read_bytes()
    labels = decode_message(message).labels()
    stray = sorted(set(np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()) - layer.ids - {0})
    if stray:
        raise Invalid(
            f"The mask holds the values {stray[:8]}; the segments of layer {layer.name} are {sorted(layer.ids)}.",
            code="bad_mask",
        )
    return message
