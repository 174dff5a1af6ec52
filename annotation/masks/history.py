"""History of a mask: the revisions behind a head, and the revision that set one voxel."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform

from annotation.masks.facts import Kind, ListedRevisionFacts, RevisionFacts, SetterFacts, SettingStrokeFacts
from annotation.masks.models import MaskRevision
from annotation.masks.sources import source_in_words
from annotation.masks.store import get_chunks, key_of
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from voxloop.kernel.errors import Invalid
from voxloop.volume.labelmap import decode_chunk
from voxloop.volume.labelmap.chunks import CHUNK

MOST_REVISIONS = 2000
FACTS = (
    "id",
    "parent_id",
    "kind",
    "author__username",
    "model_name",
    "created_at",
    "voxel_counts",
    "strokes",
    "source",
)


def list_revisions(head: MaskRevision | None) -> list[ListedRevisionFacts]:
    """The line of revisions that ends in `head`, newest first, at most 2000: who, when, tools, what changed."""
    if head is None:
        return []
    rows = {row["id"]: row for row in _line_of(head).values(*FACTS)}
    found = []
    for row in _walk(rows, head.pk):
        before = rows.get(row["parent_id"], {}).get("voxel_counts", {})
        counts = row["voxel_counts"]
        change = {name: counts.get(name, 0) - before.get(name, 0) for name in {*counts, *before}}
        found.append(
            ListedRevisionFacts(
                **_few_words(row),
                tools=dict(Counter(str(stroke.get("tool", "")) for stroke in row["strokes"])),
                counts=counts,
                change={name: n for name, n in sorted(change.items()) if n},
            )
        )
        if len(found) == MOST_REVISIONS:
            break
    return found


def find_setter(head: MaskRevision | None, ijk: Sequence[int], scan: Scan) -> SetterFacts:
    """Which revision gave a voxel its value. An undo gives a value back: whoever had set it before has set it. Raises
    Invalid outside the scan. Reads only the hash of the voxel's chunk in each revision; a chunk is inflated where that
    hash changes."""
    nz, ny, nx = ready_volume(scan).shape_zyx
    i, j, k = ijk
    if not (0 <= i < nx and 0 <= j < ny and 0 <= k < nz):
        raise Invalid("This voxel lies outside the scan.", code="outside")
    if head is None:
        return SetterFacts(0, None, [])
    chunk = key_of((k // CHUNK, j // CHUNK, i // CHUNK))
    within = (k % CHUNK, j % CHUNK, i % CHUNK)
    rows = {
        row["id"]: row
        for row in _line_of(head).annotate(name=KeyTextTransform(chunk, "chunks")).values("id", "parent_id", "name")
    }
    line = list(_walk(rows, head.pk))
    values: dict[str | None, int] = {None: 0}

    def value_in(row: dict[str, Any]) -> int:
        name = row["name"]
        if name not in values:
            [payload] = get_chunks({chunk: name}).values()
            values[name] = int(decode_chunk(payload)[within])
        return values[name]

    now = value_in(line[0])
    pairs = list(zip(line, [*line[1:], None], strict=True))
    at = 0
    while at < len(pairs):
        row, parent = pairs[at]
        before = value_in(parent) if parent else 0
        if before == now:
            at += 1
            continue
        found = MaskRevision.objects.filter(pk=row["id"]).values(*FACTS).get()
        undone = _undone_by(found["strokes"], scan)
        since = (
            n
            for n, (old, older) in enumerate(pairs[at + 1 :], at + 1)
            if old["id"] in undone and value_in(old) != now and (value_in(older) if older else 0) == now
        )
        given_back = next(since, None)
        if given_back is None:
            return SetterFacts(now, RevisionFacts(**_few_words(found)), _may_have_set(found["strokes"], now))
        at = given_back + 1
    return SetterFacts(now, None, [])


def _undone_by(strokes: list[dict[str, Any]], scan: Scan) -> set[UUID]:
    """Revisions with the strokes that the undo steps among these have taken back."""
    ids = {one["params"]["of"] for one in strokes if one.get("tool") == "undo" and "of" in one.get("params", {})}
    holding = Q(pk__in=[])
    for one in ids:
        holding |= Q(strokes__contains=[{"id": one}])
    return set(MaskRevision.objects.filter(holding, scan=scan).values_list("pk", flat=True)) if ids else set()


def _few_words(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": Kind(row["kind"]),
        "author": row["author__username"],
        "model": row["model_name"],
        "created_at": row["created_at"],
        "source": source_in_words(row["source"]),
    }


def _line_of(head: MaskRevision) -> Any:
    return MaskRevision.objects.filter(scan=head.scan_id, layer=head.layer).order_by()


def _walk(rows: dict[UUID, dict[str, Any]], newest: UUID) -> Iterator[dict[str, Any]]:
    at: UUID | None = newest
    while at is not None and at in rows:
        yield rows[at]
        at = rows[at]["parent_id"]


def _may_have_set(strokes: list[dict[str, Any]], value: int) -> list[SettingStrokeFacts]:
    """The strokes of a save that may have set this value; the log does not record the voxels of each."""
    fitting = [one for one in strokes if value and one.get("segment") in (value, 0) and one.get("added")]
    if not value or value == 255:
        fitting = [one for one in strokes if one.get("removed") or one.get("tool") == "erase"]
    return [
        SettingStrokeFacts(one.get("id"), one.get("tool"), one.get("segment"), one.get("at"))
        for one in fitting or strokes
    ]
