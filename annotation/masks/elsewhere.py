"""Masks made elsewhere: read in a bounded child, mapped to our segments, stored as a revision that names its source."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from annotation.intake.child import CRASHED, ENDS, child_environment
from annotation.intake.limits import Limits
from annotation.intake.uploads import PREFIX
from annotation.masks.foreign.found import ForeignLabel
from annotation.masks.foreign.request import ASK, SUFFIXES, ReadRequest, ReadResult
from annotation.masks.importing import content_hash
from annotation.masks.mapping import LEFT_OUT, Mapped, apply_map, check_map
from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.services import store_import
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, Campaign
from annotation.work.permissions import require_role
from annotation.work.schema import Layer, parse_schema
from annotation.work.selectors import visible_scans
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.child import Bounds, ChildError
from voxloop.child.outside import run_child
from voxloop.jobs.scratch import of_process
from voxloop.kernel.errors import FULL, Conflict, Invalid, NoSpace, NotFound, TooLarge
from voxloop.volume.labelmap import decode_message
from voxloop.volume.labelmap.chunks import Labels

MEMORY_BYTES = 8 << 30
TIMEOUT_S = 90.0  # within a request


@dataclass(frozen=True)
class ReadMask:
    """A mask file that was read on the grid of a scan, and is not stored: `labels` (their numbers are 1 … n) and
    `messages` (mask messages of the numbers). `sha256` is that of the file."""

    format: str
    software: str
    labels: tuple[ForeignLabel, ...]
    messages: tuple[bytes, ...]
    is_resampled: bool
    threshold: float | None
    sha256: str

    def layers(self) -> list[Labels]:
        """The numbers of the labels at each voxel (uint8, zyx)."""
        return [decode_message(message).labels() for message in self.messages]


def layer_for(scan: Scan, campaign: Campaign, layer: str | None, actor: User) -> Layer:
    """The layer that a mask would be stored in. Raises Forbidden, NotFound, Conflict (withdrawn), Invalid."""
    require_role(actor, campaign, Role.DATA_MANAGER, Role.COORDINATOR)
    if not visible_scans(actor).filter(pk=scan.pk, campaign_scans__campaign=campaign).exists():
        raise NotFound
    check_not_withdrawn(scan)
    ready_volume(scan)
    found: Layer = parse_schema(campaign.schema.definition).layer(layer)
    return found


def read_upload(*, upload: Any, scan: Scan, may_resample: bool = False, threshold: float | None = None) -> ReadMask:
    """Read an uploaded file (`name`, `size`, `chunks()`). Raises as `read_path`, TooLarge."""
    if upload.size > settings.MAX_MASK_BYTES:
        raise TooLarge(f"A mask file holds at most {settings.MAX_MASK_BYTES >> 20} MiB.")
    folder = of_process(PREFIX)
    try:
        folder.mkdir(parents=True)
        path = folder / f"mask{_suffix(str(upload.name))}"
        with path.open("wb") as handle:
            for block in upload.chunks():
                handle.write(block)
        return read_path(path=path, scan=scan, may_resample=may_resample, threshold=threshold)
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_path(*, path: Path, scan: Scan, may_resample: bool = False, threshold: float | None = None) -> ReadMask:
    """Read a mask file in a child process, on the grid of a ready scan; nothing is stored. Raises Invalid
    (`unknown_file`, `bad_file`, `other_grid`, `needs_threshold`, …), NoSpace."""
    _suffix(path.name)
    folder = of_process(PREFIX)
    request = ReadRequest(
        str(path.resolve()),
        **geometry_of(scan).to_json(),
        limits=Limits(),
        may_resample=may_resample,
        threshold=threshold,
    )
    try:
        result = run_child(
            "annotation.masks.foreign.read",
            request,
            ReadResult,
            folder=folder,
            environment=child_environment(folder),
            on_look=lambda lines: None,
            bounds=Bounds(
                memory_bytes=MEMORY_BYTES,
                cpu_s=int(TIMEOUT_S * (os.cpu_count() or 1)) + 1,
                file_bytes=request.limits.most_voxels * 8,
            ),
            timeout_s=TIMEOUT_S,
        )
        if result.code:
            raise (TooLarge if result.code == "volume_too_large" else Invalid)(result.sentence, code=result.code)
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        messages = tuple((folder / f"layer.{n}").read_bytes() for n in range(result.layers))
        is_fractional = result.format == "dicom_seg_fractional"
        return ReadMask(
            result.format,
            result.software,
            result.labels,
            messages,
            result.is_resampled,
            threshold if is_fractional else None,
            digest,
        )
    except ChildError as end:
        if end.code == "no_space":
            raise NoSpace from end
        code, sentence = ENDS.get(end.code, CRASHED)
        raise Invalid(sentence.format(signal=end.signal), code=code) from end
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@transaction.atomic
def import_read_mask(
    *,
    found: ReadMask,
    mapped: Mapped,
    scan: Scan,
    campaign: Campaign,
    layer: str | None,
    actor: User,
    beside_work: bool = False,
) -> tuple[MaskRevision, bool]:
    """Store a mask that was read as a revision of a layer; returns it and whether it is new (the newest import with the
    same voxels is answered instead of a second one).

    Work that has begun keeps its masks: the import is where work that has not begun starts from, and `beside_work` says
    that this is known. Raises Forbidden, NotFound, Conflict (`work_begun`, withdrawn), Invalid (`unmapped_labels`,
    `bad_map`, `segments_overlap`, `empty_mask`)."""
    target = layer_for(scan, campaign, layer, actor)
    check_map(mapped, found.labels, target)
    if target.editable and not beside_work and (begun := count_begun(scan)):
        raise Conflict(
            f"Work on this scan has begun ({begun} {'reading' if begun == 1 else 'readings'}). It keeps its masks, and "
            "this mask would only be where later work starts from: say that this is meant.",
            code="work_begun",
        )
    labels = apply_map(found.layers(), mapped, target, ready_volume(scan).shape_zyx)
    newest = imports_of(scan, target.name).first()
    if newest is not None and newest.content_hash == content_hash(labels, scan):
        return newest, False
    taken = sum(mapped.get(n, LEFT_OUT) != LEFT_OUT for n in range(1, len(found.labels) + 1))
    source = {
        "format": found.format,
        "software": found.software,
        "sha256": found.sha256,
        "labels": len(found.labels),
        "labels_taken": taken,
        "resampled": found.is_resampled,
        "threshold": found.threshold,
    }
    return store_import(scan=scan, layer=target, labels_zyx=labels, actor=actor, source=source), True


def count_begun(scan: Scan) -> int:
    """Readings of a scan that were opened."""
    return Assignment.objects.filter(scan=scan, stage=Assignment.Stage.ANNOTATION).exclude(starts_from="").count()


def imports_of(scan: Scan, layer: str | None = None) -> QuerySet[MaskRevision]:
    """The masks of a scan that came with it or from elsewhere, newest first."""
    rows = MaskRevision.objects.filter(scan=scan, kind=MaskRevision.Kind.IMPORT).select_related("author")
    return rows.filter(**({"layer": layer} if layer else {})).order_by("-created_at")


def _suffix(name: str) -> str:
    known = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), None)
    if known is None:
        raise Invalid(ASK, code="unknown_file")
    return known
