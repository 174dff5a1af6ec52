"""The frozen input of a training run: approved revisions, their hashes, the split by site, the code version."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.work.models import Campaign
from annotation.work.schema import parse_schema
from annotation.work.selectors import excluded
from voxloop.kernel.canonical import canonical_hash

APPROVED = (RoundState.APPROVED, RoundState.CORRECTED)


def approved_rounds(campaign: Campaign) -> QuerySet[ReviewRound]:
    """The newest approved or corrected round of every ready scan of the campaign that its criteria do not exclude;
    never of a test site, nor of a second reader, who measures how far readers agree.

    Test sites are not even counted: no choice of a person or a model may depend on them."""
    newest = (
        ReviewRound.objects.filter(
            annotation__campaign=campaign,
            annotation__reader=1,
            state__in=APPROVED,
            annotation__scan__state=ScanState.READY,
        )
        .exclude(annotation__scan__site__split="test")
        .exclude(annotation__scan__in=excluded(campaign).values("scan_id"))
        .order_by("annotation__scan_id", "-ended_at")
        .distinct("annotation__scan_id")
    )
    return ReviewRound.objects.filter(pk__in=newest.values("pk"))


def freeze_manifest(campaign: Campaign, *, profile: str, seed: int) -> dict[str, Any]:
    """The frozen list: `items` of scan, site, split, round, revision (null = confirmed empty) and content hash."""
    layer = parse_schema(campaign.schema.definition).layer()
    rounds = approved_rounds(campaign).select_related("annotation__scan__site").order_by("annotation__scan__code")
    masks = {
        row.round_id: row.approved
        for row in RoundMask.objects.filter(round__in=rounds, layer=layer.name).select_related("approved")
    }
    items = []
    for round_ in rounds:
        scan, revision = round_.annotation.scan, masks.get(round_.pk)
        items.append(
            {
                "scan": str(scan.pk),
                "code": scan.code,
                "site": scan.site.code,
                "split": scan.site.split,
                "pack": scan.pack_key,
                "round": str(round_.pk),
                "revision": revision and str(revision.pk),
                "content_hash": revision and revision.content_hash,
            }
        )
    return {
        "version": 1,
        "campaign": str(campaign.pk),
        "schema": str(campaign.schema_id),
        "layer": layer.name,
        "segments": [{"id": segment.id, "key": segment.key} for segment in layer.segments],
        "profile": profile,
        "seed": seed,
        "code": code_version(),
        "items": items,
    }


def hash_manifest(manifest: dict[str, Any]) -> str:
    """sha256 over the canonical JSON of a manifest."""
    return canonical_hash(manifest)


@cache
def code_version() -> str:
    """The version of the code: the commit where there is a repository, else the package's version."""
    root = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
        return done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        try:
            return version("voxloop")
        except PackageNotFoundError:
            return "unknown"
