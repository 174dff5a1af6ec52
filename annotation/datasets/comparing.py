"""What changed between two releases of a campaign: scans in, out and changed, with mL, Dice and who signed.

Both lists are frozen, so the answer is always the same. Voxels are read only of chunks that differ: equal chunks have
equal names, and the rest of the overlap follows from the frozen counts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from annotation.datasets.keeping import check_list
from annotation.datasets.models import Release
from annotation.datasets.selectors import visible_releases
from annotation.datasets.states import ReleaseState
from annotation.masks.models import MaskRevision
from annotation.masks.store import check_manifest, get_chunks
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.volume.amounts import amount_of, unit_of
from voxloop.volume.labelmap import count_chunk, decode_chunk

IN, OUT, CHANGED = "in", "out", "changed"
Entry = Mapping[str, Any]
Revisions = Mapping[UUID, MaskRevision]


@dataclass(frozen=True)
class SegmentChange:
    """One segment in both releases, in mL (cm² on an X-ray). `dice` is null where the scan is in one of them only, or
    the segment is in neither mask."""

    layer: str
    segment: str
    before: float
    after: float
    unit: str
    dice: float | None = None

    @property
    def delta(self) -> float:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True)
class ScanChange:
    """A scan that is in one release only, or not as it was; `author`, `reviewer` and `round` of the later one that has
    it. `why` is a sentence; `answers` are the keys of questions with another answer."""

    scan: str
    change: str
    site: str
    split_before: str
    split_after: str
    author: str
    reviewer: str
    round: int
    why: str
    answers: Sequence[str] = ()
    segments: Sequence[SegmentChange] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """Everything that changed from one release to the other, by code of the scan."""

    before: Release
    after: Release
    unchanged: int
    scans: Sequence[ScanChange]

    def count(self, change: str) -> int:
        """How many scans are `in`, `out` or `changed`."""
        return sum(one.change == change for one in self.scans)


def find_earlier(release: Release, actor: User) -> list[Release]:
    """Releases of the campaign that it can be compared with, the one frozen last before it first."""
    if release.frozen_at is None:
        return []
    rows = visible_releases(actor).filter(campaign=release.campaign_id).exclude(state=ReleaseState.DRAFT)
    others = rows.exclude(pk=release.pk)
    return [
        *others.filter(frozen_at__lte=release.frozen_at).order_by("-frozen_at", "-created_at"),
        *others.filter(frozen_at__gt=release.frozen_at).order_by("frozen_at", "created_at"),
    ]


def compare_releases(*, release_id: UUID, since_id: UUID, actor: User) -> Comparison:
    """What changed in a release since another of the same campaign. Raises NotFound, Conflict (`not_frozen`), Invalid
    (`other_campaign`), Damaged (`release_damaged`, `mask_damaged`)."""
    after, before = _find(release_id, actor), _find(since_id, actor)
    if before.campaign_id != after.campaign_id:
        raise Invalid("Both releases must be of one campaign; choose another of the same.", code="other_campaign")
    old, new = _scans_of(before), _scans_of(after)
    pairs = [(old.get(key), new.get(key)) for key in sorted({**old, **new})]
    differing = [(was, now) for was, now in pairs if was is None or now is None or _facts(was) != _facts(now)]
    revisions = _load(differing)
    gone = _states_of([was["id"] for was, now in differing if was and now is None])
    changes = [_compare(was, now, after, revisions, gone) for was, now in differing]
    return Comparison(before, after, len(pairs) - len(differing), sorted(changes, key=lambda one: one.scan))


def _find(release_id: UUID, actor: User) -> Release:
    release = visible_releases(actor).defer(None).filter(pk=release_id).first()
    if release is None:
        raise NotFound
    if release.state == ReleaseState.DRAFT:
        raise Conflict(f"{release.name} is a draft; freeze it, then compare.", code="not_frozen")
    check_list(release)
    return release


def _scans_of(release: Release) -> dict[str, Entry]:
    return {scan["id"]: scan for scan in (release.manifest or {})["scans"]}


def _facts(scan: Entry) -> Any:
    """What makes a scan another one for a user: its masks, its answers, its side."""
    return {name: claim["content_hash"] for name, claim in scan["layers"].items()}, scan["answers"], scan["split"]


def _load(differing: Sequence[tuple[Entry | None, Entry | None]]) -> Revisions:
    """The revisions of masks that are in both releases and differ."""
    wanted = {
        UUID(claim["revision"])
        for was, now in differing
        if was and now
        for layer, _, _ in _changed_layers(was, now)
        for claim in (was["layers"].get(layer), now["layers"].get(layer))
        if claim and claim["revision"]
    }
    return MaskRevision.objects.only("chunks", "content_hash").in_bulk(wanted)


def _changed_layers(was: Entry, now: Entry) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    for layer in sorted({**was["layers"], **now["layers"]}):
        old, new = was["layers"].get(layer), now["layers"].get(layer)
        if (old and old["content_hash"]) != (new and new["content_hash"]):
            yield layer, old, new


def _states_of(scan_ids: Sequence[str]) -> dict[str, str]:
    """The state of scans that left, where it explains why."""
    rows = Scan.objects.filter(pk__in=scan_ids).exclude(state=ScanState.READY)
    return {str(key): state for key, state in rows.values_list("pk", "state")}


def _compare(
    was: Entry | None, now: Entry | None, after: Release, revisions: Revisions, gone: Mapping[str, str]
) -> ScanChange:
    shown: Entry = now or was or {}
    segments = [
        change
        for layer, old, new in _changed_layers(was or {"layers": {}}, now or {"layers": {}})
        for change in _segment_changes(layer, old, new, shown, after, revisions)
    ]
    given = [dict(scan["answers"]) if scan else {} for scan in (was, now)]
    return ScanChange(
        scan=shown["code"],
        change=CHANGED if was and now else IN if now else OUT,
        site=shown["site"],
        split_before=was["split"] if was else "",
        split_after=now["split"] if now else "",
        author=shown["author"],
        reviewer=shown["reviewer"],
        round=shown["round"],
        why=_say_why(was, now, gone),
        answers=[key for key in sorted({**given[0], **given[1]}) if given[0].get(key) != given[1].get(key)]
        if was and now
        else (),
        segments=segments,
    )


def _say_why(was: Entry | None, now: Entry | None, gone: Mapping[str, str]) -> str:
    if now is None:
        state = gone.get(was["id"]) if was else None
        return f"The scan was {state}." if state else "No approval of it fits the later release."
    said = "Corrected by the reviewer" if now["verdict"] == "corrected" else "Approved"
    at = (now.get("approved_at") or "")[:10]
    return f"{said}, round {now['round']}{f', on {at}' if at else ''}."


def _segment_changes(
    layer: str, old: Entry | None, new: Entry | None, scan: Entry, release: Release, revisions: Revisions
) -> list[SegmentChange]:
    """Segments of one layer that are in either mask."""
    shape_zyx, spacing_mm_zyx = scan["shape_zyx"], scan["spacing_mm_zyx"]
    counts = [{int(key): n for key, n in claim["voxel_counts"].items()} if claim else {} for claim in (old, new)]
    names = _segment_names(release, layer)
    common = _overlap(old, new, counts[0], shape_zyx, revisions) if old and new else None
    found = []
    for value in sorted({**counts[0], **counts[1]}):
        before, after = counts[0].get(value, 0), counts[1].get(value, 0)
        found.append(
            SegmentChange(
                layer=layer,
                segment=names.get(value, str(value)),
                before=amount_of(before, shape_zyx, spacing_mm_zyx),
                after=amount_of(after, shape_zyx, spacing_mm_zyx),
                unit=unit_of(shape_zyx),
                dice=None if common is None else 2 * common[value] / (before + after),
            )
        )
    return found


def _segment_names(release: Release, layer: str) -> dict[int, str]:
    layers = (release.manifest or {})["schema"]["definition"]["layers"]
    segments = next(one["segments"] for one in layers if one["name"] == layer)
    return {int(segment["id"]): segment["key"] for segment in segments}


def _overlap(
    old: Entry, new: Entry, counts: Mapping[int, int], shape_zyx: Sequence[int], revisions: Revisions
) -> Counter[int]:
    """Voxels of each value that are the same in both masks: all of the old mask, less those of its differing chunks,
    plus what is the same within them."""
    if not old["revision"] or not new["revision"]:
        return Counter()
    was, now = revisions[UUID(old["revision"])], revisions[UUID(new["revision"])]
    for revision in (was, now):
        check_manifest(revision, shape_zyx)
    differing = [key for key, name in was.chunks.items() if now.chunks.get(key) != name]
    changed = get_chunks({key: now.chunks[key] for key in differing if key in now.chunks})
    common = Counter(counts)
    for index, payload in get_chunks({key: was.chunks[key] for key in differing}).items():
        voxels, there = count_chunk(payload)
        common.subtract(there)
        if index in changed:
            same = np.bincount(voxels[voxels == decode_chunk(changed[index])], minlength=256)
            common.update({int(value): int(same[value]) for value in np.flatnonzero(same) if value})
    return common
