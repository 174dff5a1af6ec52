"""A revision as a response: JSON facts, mask message or NIfTI."""

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from annotation.masks.facts import (
    Kind,
    MaskFacts,
)
from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.states import EMPTY
from annotation.masks.store import load_labels, message_of
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from annotation.work.withdrawing import ENDED
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import NotFound
from voxloop.kernel.facts import plain
from voxloop.volume.labelmap import MEDIA_TYPE, strip_erased
from voxloop.volume.nifti import labels_to_bytes

NIFTI_TYPE = "application/gzip"


class MaskRenderer(JSONRenderer):
    """For content negotiation only; the view writes the bytes itself."""

    media_type = MEDIA_TYPE
    format = "mask"


class NiftiRenderer(JSONRenderer):
    media_type = NIFTI_TYPE
    format = "nifti"


def mask_answer(request: Request, revision: MaskRevision | None, layer: str, scan: Scan) -> HttpResponse | Response:
    """A revision as JSON facts, mask message or NIfTI, with its ETag; `None` is an empty mask."""
    if scan.shape_zyx is None or scan.state in ENDED:
        raise NotFound
    etag = f'"{revision.pk if revision else EMPTY}"'
    if request.headers.get("If-None-Match") == etag and revision is not None:
        return HttpResponse(status=304, headers={"ETag": etag})
    headers = {"ETag": etag, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    accepted = request.accepted_media_type or ""
    if accepted.startswith(MEDIA_TYPE):
        return HttpResponse(message_of(revision, layer, scan.shape_zyx), content_type=MEDIA_TYPE, headers=headers)
    if accepted.startswith(NIFTI_TYPE):
        headers["Content-Disposition"] = f'attachment; filename="{scan.code}-{layer}.nii.gz"'
        return HttpResponse(nifti_of(revision, scan), content_type=NIFTI_TYPE, headers=headers)
    facts = MaskFacts(
        id=revision.pk if revision else None,
        etag=etag.strip('"'),
        layer=layer,
        kind=Kind(revision.kind) if revision else None,
        author=revision.author.username if revision and revision.author else None,
        created_at=revision.created_at if revision else None,
        content_hash=revision.content_hash if revision else None,
        voxel_counts=revision.voxel_counts if revision else {},
        chunks=[_chunk(key, name) for key, name in (revision.chunks if revision else {}).items()],
    )
    return Response(plain(facts), headers=headers)


def _chunk(key: str, name: str) -> tuple[int, int, int, str]:
    cz, cy, cx = map(int, key.split(","))
    return cz, cy, cx, name


def nifti_of(revision: MaskRevision | None, scan: Scan) -> bytes:
    """The labels as `.nii.gz` on the scan's grid (RAS), erased voxels as background."""
    return labels_to_bytes(strip_erased(load_labels(revision, ready_volume(scan).shape_zyx)), geometry_of(scan))


def etag_of(header: str | None) -> str | None:
    return header.strip().removeprefix("W/").strip('"') if header else None
