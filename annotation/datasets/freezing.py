"""The frozen list of a release: the facts of each approved scan that never change again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from annotation.datasets.flow import clinical_of, flow_of, quantities_of, readings_of, scanner_of
from annotation.datasets.models import Release, ReleaseItem
from annotation.masks.models import MaskRevision
from annotation.masks.store import hash_of
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from voxloop import __version__
from voxloop.kernel.errors import Conflict


def list_items(release: Release, rounds: Sequence[ReviewRound]) -> list[ReleaseItem]:
    """One row per scan and layer; an empty mask has no revision. The side is the site's, frozen here."""
    return [
        ReleaseItem(
            release=release,
            scan=found.annotation.scan,
            round=found,
            revision=mask.approved,
            layer=mask.layer,
            split=found.annotation.scan.site.split,
        )
        for found in rounds
        for mask in found.masks.all()
    ]


def freeze_list(release: Release, rounds: Sequence[ReviewRound], frozen_at: datetime) -> dict[str, Any]:
    """The frozen part of the manifest (docs/formats.md). Raises Conflict when an approval is not what was signed."""
    schema = release.campaign.schema
    readings = readings_of(release, rounds)
    quantities = quantities_of(rounds)
    scans = [
        _scan_facts(found)
        | {"readings": readings.get(found.annotation.scan_id, []), "quantities": quantities.get(found.pk, {})}
        for found in rounds
    ]
    drawn = {layer for scan in scans for layer in scan["layers"]}
    return {
        "release": {
            "id": str(release.pk),
            "name": release.name,
            "notes": release.notes,
            "licence": release.licence,
            "created_by": release.created_by.username if release.created_by else "",
            "frozen_at": frozen_at.isoformat(timespec="seconds"),
            "filters": release.filters,
        },
        "campaign": {
            "id": str(release.campaign_id),
            "name": release.campaign.name,
            "slug": release.campaign.slug,
            "guidelines": release.campaign.guidelines,
        },
        "schema": {"name": schema.name, "version": schema.version, "definition": schema.definition},
        "layers": [layer["name"] for layer in schema.definition["layers"] if layer["name"] in drawn],
        "software": __version__,
        "flow": flow_of(release, rounds),
        "scans": scans,
    }


def _scan_facts(found: ReviewRound) -> dict[str, Any]:
    scan = found.annotation.scan
    starts = {head.layer: head.start for head in found.annotation.heads.all()}
    return {
        "id": str(scan.pk),
        "code": scan.code,
        "site": scan.site.code,
        "split": scan.site.split,
        "subject": scan.subject.pseudonym if scan.subject else None,
        "modality": scan.modality,
        "shape_zyx": scan.shape_zyx,
        "spacing_mm_zyx": scan.spacing_mm_zyx,
        "lps_from_ijk": scan.lps_from_ijk,
        **{name: scan.facts[name] for name in ("axes", "projection") if scan.facts.get(name)},
        "volume_sha256": scan.pack_key.rpartition("/")[2],
        "uids": uids_of(scan),
        "scanner": scanner_of(scan),
        "clinical": clinical_of(scan),
        "author": found.author.username,
        "reviewer": found.reviewer.username if found.reviewer else "",
        "round": found.number,
        "round_id": str(found.pk),
        "verdict": found.state,
        "approved_at": found.ended_at.isoformat(timespec="seconds") if found.ended_at else None,
        "answers": found.answers.values if found.answers else {},
        "layers": {
            mask.layer: {
                "revision": str(mask.approved.pk) if mask.approved else None,
                "content_hash": signed_hash(found, mask.layer, mask.approved, scan),
                "voxel_counts": mask.approved.voxel_counts if mask.approved else {},
                "is_empty": not (mask.approved and mask.approved.voxel_counts),
                "start": _start_facts(starts.get(mask.layer)),
            }
            for mask in found.masks.all()
        },
    }


def signed_hash(found: ReviewRound, layer: str, approved: MaskRevision | None, scan: Scan) -> str:
    """The hash of the approved voxels, checked to be the signed one; that of an empty labelmap for an empty mask."""
    signed = (found.signature or {}).get("hashes", {}).get(layer)
    if signed != (approved.content_hash if approved else None):
        raise Conflict(
            f"The approval of {scan.code} does not cover its {layer} mask; review it again.", code="signature_broken"
        )
    return approved.content_hash if approved else hash_of({}, ready_volume(scan).shape_zyx)


def _start_facts(start: MaskRevision | None) -> dict[str, Any]:
    """What the author began from: a model's prediction, an imported mask, or nothing."""
    if start is None:
        return {"kind": "blank", "model": "", "revision": None}
    return {"kind": start.kind, "model": start.model_name, "revision": str(start.pk)}


def uids_of(scan: Scan) -> dict[str, Any]:
    """The scan's re-keyed UIDs as intake stored them; empty for one that did not come as DICOM."""
    if scan.series is None:
        return {}
    uids = {
        "study": scan.series.study.uid,
        "series": scan.series.uid,
        "frame_of_reference": scan.facts.get("frame_of_reference_uid"),
    }
    return {key: value for key, value in uids.items() if value}
