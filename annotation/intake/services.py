"""Receive scans, screen and convert them in a child process, and keep what comes out (`storing`)."""

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
from annotation.intake.rekeying import Rekeyer, notes_on
from annotation.intake.storing import VolumeFiles, reject_series, store_scan
from annotation.intake.uploads import SOURCES, discard_upload, fetch_upload, keep_upload
from annotation.scans.models import Site
from annotation.work.models import Campaign
from annotation.work.permissions import require_role
from annotation.work.schema import Layer, parse_schema
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.scratch import of_job, of_process
from voxloop.jobs.services import Claim, enqueue
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.kernel.ids import new_id
from voxloop.volume.labelmap import decode_message

KEPT_MODALITIES = {"CT", "DX", "CR"}


def receive_upload(*, upload: Any, site: Site, campaign: Campaign, actor: User) -> Job:
    """Keep an uploaded zip or NIfTI of a de-identified scan and ask for its import.

    `upload` has `name`, `size` and `chunks()`. Raises Invalid for another kind of file, TooLarge, NoSpace, StorageAway.
    """
    _check_place(site, campaign, actor)
    require_room()
    key, suffix = keep_upload(upload)
    source = {"upload": key, "suffix": suffix, "is_upload": True}
    return _ask(source, site, campaign, actor, key=key.rpartition("/")[2])


def receive_path(*, path: Path, site: Site, campaign: Campaign, actor: User, mask: Path | None = None) -> Job:
    """Ask for the import of a folder, zip or NIfTI file that lies on the server."""
    _check_place(site, campaign, actor)
    require_room()
    if not path.exists():
        raise Invalid(f"There is no file or folder {path}.", code="no_such_file")
    source = {"path": str(path.resolve()), "mask": mask and str(mask.resolve()), "is_upload": False}
    return _ask(source, site, campaign, actor, key=str(new_id()))


def _ask(source: Mapping[str, Any], site: Site, campaign: Campaign, actor: User, *, key: str) -> Job:
    with transaction.atomic():
        job = enqueue(
            Job.Kind.IMPORT_SCANS,
            payload={
                **source,
                "site": str(site.pk),
                "campaign": str(campaign.pk),
                "actor": str(actor.pk),
            },
            key=f"import:{key}:{new_id()}",
            actor=actor,
        )
        record(actor=actor, action="scans.received", target=job, new={"site": site.code, "campaign": campaign.slug})
    return job


def _check_place(site: Site, campaign: Campaign, actor: User) -> None:
    require_role(actor, campaign, Role.DATA_MANAGER, Role.COORDINATOR)
    if not site.memberships.filter(user=actor).exists():
        raise NotFound("There is no such site, or you are not a member of it.")


def find_job_place(payload: Mapping[str, Any]) -> tuple[Site, Campaign, User]:
    """The site, campaign and person that an import job was asked for."""
    return (
        Site.objects.get(pk=UUID(payload["site"])),
        Campaign.objects.get(pk=UUID(payload["campaign"])),
        User.objects.get(pk=UUID(payload["actor"])),
    )


LabelsListener = Callable[..., None]
_on_labels: list[LabelsListener] = []


def on_labels(listener: LabelsListener) -> LabelsListener:
    """Register the service that keeps a mask which came with a scan (masks lie above the intake; AppConfig.ready).

    Called as `listener(scan=…, campaign=…, layer=…, message=…, actor=…)`, within the transaction that makes the scan.
    """
    if listener not in _on_labels:
        _on_labels.append(listener)
    return listener


def import_scans(claim: Claim) -> dict[str, Any]:
    """Run an import job: convert what was received, keep its scans and refusals, and remove an upload."""
    payload = claim.job.payload
    if not SOURCES & payload.keys():  # an attempt that ended everything but its own row
        raise Invalid("The uploaded file is gone; send it again.", code="no_such_file")
    site, campaign, actor = find_job_place(payload)
    folder = of_job("imports", claim)
    shutil.rmtree(folder, ignore_errors=True)  # what an attempt that was killed has left
    try:
        result = _import(
            source=fetch_upload(payload, folder) if "upload" in payload else Path(payload["path"]),
            mask=Path(payload["mask"]) if payload.get("mask") else None,
            layer=payload.get("layer"),
            site=site,
            campaign=campaign,
            actor=actor,
            on_progress=claim.report,
            check=claim.check,
            may_go_on=claim.may_go_on,
            folder=folder / "out",
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    discard_upload(claim.job)
    return result


def import_now(
    *,
    path: Path,
    site: Site,
    campaign: Campaign,
    actor: User,
    mask: Path | None = None,
    layer: str | None = None,
    on_progress: Callable[[int, str], None] | None = None,
) -> dict[str, Any]:
    """Import a folder, zip or NIfTI that lies on the server at once, without a worker; answer what became of it."""
    _check_place(site, campaign, actor)
    require_room()
    if not path.exists():
        raise Invalid(f"There is no file or folder {path}.", code="no_such_file")
    return _import(
        source=path,
        mask=mask,
        layer=layer,
        site=site,
        campaign=campaign,
        actor=actor,
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
    on_progress: Callable[[int, str], None],
    check: Callable[[], None],
    may_go_on: Callable[[], None],
    folder: Path,
) -> dict[str, Any]:
    if not source.exists():
        raise Invalid("The uploaded file is gone; send it again.", code="no_such_file")
    place = parse_schema(campaign.schema.definition).layer(layer)  # where a mask that comes with a scan belongs
    rekeyer = Rekeyer(site=site, campaign=campaign)  # before the work: without the key nothing could be stored
    shutil.rmtree(folder, ignore_errors=True)  # what an attempt that was killed has left
    try:
        report = run_convert(
            source,
            folder,
            mask=mask,
            may_go_on=may_go_on,
            on_progress=lambda progress, message: on_progress(progress * 9 // 10, message),
        )
        if not report.accepted and not any(refusal["series"] for refusal in report.refused):
            raise Invalid(report.refused[0]["reason"], code=report.refused[0]["code"])
        series = [rekeyer.rekey(item["series"]) for item in report.accepted]
        scans, not_again = [], []
        for number, item in enumerate(report.accepted):
            on_progress(90 + 9 * number // len(report.accepted), "Storing the scans")
            labels = _read_labels(folder / item["folder"], place) if item["labels"] else None
            try:
                with transaction.atomic():
                    scan, is_new = store_scan(
                        site=site,
                        campaign=campaign,
                        series=series[number],
                        volume=_read_volume(folder / item["folder"]),
                        actor=actor,
                        check=check,
                    )
                    if labels is not None:
                        for listener in _on_labels:
                            listener(scan=scan, campaign=campaign, layer=place.name, message=labels, actor=actor)
            except Conflict as refusal:  # erased or withdrawn: the other series come in all the same
                not_again.append({"code": refusal.code, "reason": refusal.detail, "files": 0, "series": None})
                continue
            scans.append({"id": str(scan.pk), "code": scan.code, "new": is_new, "state": scan.state})
        refused = [
            _keep_refusal(refusal, rekeyer, site, campaign, actor, check) for refusal in [*not_again, *report.refused]
        ]
        result = {
            "scans": scans,
            "refused": refused,
            "notes": notes_on(series),
            "not_dicom": report.not_dicom,
            "unreadable": report.unreadable,
        }
        if not scans:
            raise NothingCameIn(result)
        return result
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class NothingCameIn(Invalid):
    """Every series of an import was refused; `result` names each with its reason."""

    def __init__(self, result: dict[str, Any]) -> None:
        refused = result["refused"]
        first = refused[0]
        more = f" ({len(refused) - 1} more series were refused, too.)" if len(refused) > 1 else ""
        super().__init__(f"No scan came in. {first['reason']}{more}", code=first["code"], result=result)
        self.result = result


def _keep_refusal(
    refusal: Mapping[str, Any],
    rekeyer: Rekeyer,
    site: Site,
    campaign: Campaign,
    actor: User,
    check: Callable[[], None],
) -> dict[str, Any]:
    """A refused scan becomes a row; what is no scan at all (SR, SEG, a named patient) is only told."""
    told = {"code": refusal["code"], "reason": refusal["reason"], "files": refusal["files"], "scan": None}
    series = refusal["series"]
    if series and series["modality"] in KEPT_MODALITIES:
        with transaction.atomic(), suppress(Conflict):  # of an erased patient not even a refusal is kept
            check()
            scan = reject_series(
                site=site,
                campaign=campaign,
                series=rekeyer.rekey(series),
                code=refusal["code"],
                reason=refusal["reason"],
                actor=actor,
            )
            told["scan"] = scan.code
    return told


def _read_volume(folder: Path) -> VolumeFiles:
    limit = folder / "limit"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return VolumeFiles(index, folder / "pack", folder / "preview", limit if limit.exists() else None)


def _read_labels(folder: Path, place: Layer) -> bytes:
    """The mask message of a converted volume, after its values were found to be segments of the layer."""
    message = (folder / "labels").read_bytes()
    labels = decode_message(message).labels()
    stray = sorted(set(np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()) - place.ids - {0})
    if stray:
        raise Invalid(
            f"The mask holds the values {stray[:8]}; the segments of layer {place.name} are {sorted(place.ids)}.",
            code="bad_mask",
        )
    return message
