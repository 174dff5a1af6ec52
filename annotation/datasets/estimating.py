"""The size of an export before it is written, from what is stored of at most 100 of its scans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Avg, F, Func, IntegerField

from annotation.datasets.exporters.choices import BY_KEY, known_formats
from annotation.datasets.exporters.sizes import MaskSize, ScanSize, estimate_bytes
from annotation.datasets.models import Release
from annotation.datasets.parts import choose_part, scans_in
from annotation.masks.models import MaskChunk, MaskRevision
from annotation.scans.models import Scan
from voxloop.kernel.errors import Conflict

MOST_SAMPLED, MOST_CHUNKS = 100, 500
TITLES = {"images": "Images", "labels": "Labels", "dicom_seg": "DICOM SEG", "documents": "Documents"}


@dataclass(frozen=True)
class Estimate:
    """Bytes by format, of `scans` of the release's `of` scans."""

    scans: int
    of: int
    bytes: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.bytes.values())

    @property
    def rows(self) -> list[tuple[str, int]]:
        """Title and bytes of each format."""
        return [(TITLES.get(key) or BY_KEY[key].title, size) for key, size in self.bytes.items()]


def estimate_export(
    release: Release, *, formats: Sequence[str] = (), sides: Sequence[str] = (), sites: Sequence[str] = ()
) -> Estimate:
    """The size of an export of a frozen release with these choices. Raises Invalid as `request_export`,
    Conflict (`not_frozen`)."""
    if release.manifest is None:
        raise Conflict(f"{release.name} is a draft; freeze it, then its size can be told.", code="not_frozen")
    frozen: Mapping[str, Any] = release.manifest
    chosen = [key for key in known_formats(formats) if key in BY_KEY]
    scans = scans_in(frozen, choose_part(frozen, sides, sites))
    sampled = scans[:: -(-len(scans) // MOST_SAMPLED)]
    found = estimate_bytes(_stored(sampled), chosen)
    scale = len(scans) / len(sampled)
    return Estimate(len(scans), len(frozen["scans"]), {key: round(size * scale) for key, size in found.items()})


def _stored(scans: Sequence[Mapping[str, Any]]) -> list[ScanSize]:
    packs = dict(Scan.objects.filter(pk__in=[scan["id"] for scan in scans]).values_list("pk", "index__pack__bytes"))
    claims = [claim for scan in scans for claim in scan["layers"].values()]
    revisions = MaskRevision.objects.only("chunks", "voxel_counts").in_bulk(
        [UUID(claim["revision"]) for claim in claims if claim["revision"]]
    )
    per_chunk = _mean_chunk(list(revisions.values()))
    return [
        ScanSize(
            scan["shape_zyx"],
            int(packs.get(UUID(scan["id"])) or 0),
            [
                _mask(revisions.get(UUID(claim["revision"])) if claim["revision"] else None, per_chunk)
                for claim in scan["layers"].values()
            ],
            scan["modality"] == "CT",
        )
        for scan in scans
    ]


def _mask(revision: MaskRevision | None, per_chunk: float) -> MaskSize:
    if revision is None:
        return MaskSize((), 0, 0, 0)
    layers = {key.partition(",")[0] for key in revision.chunks}
    voxels = tuple(int(count) for count in revision.voxel_counts.values())
    return MaskSize(voxels, len(revision.chunks), len(layers), per_chunk * len(revision.chunks))


def _mean_chunk(revisions: Sequence[MaskRevision]) -> float:
    """Stored bytes of a chunk, the mean of some."""
    names = [name for revision in revisions for name in revision.chunks.values()]
    names = names[:: max(1, -(-len(names) // MOST_CHUNKS))]
    rows = MaskChunk.objects.filter(sha256__in=[bytes.fromhex(name) for name in names])
    length = Func(F("data"), function="octet_length", output_field=IntegerField())
    return float(rows.aggregate(mean=Avg(length))["mean"] or 0.0)
