"""Response types for masks: revisions, who set a voxel, offline batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from annotation.masks.models import MaskRevision

Kind = MaskRevision.Kind


@dataclass(frozen=True)
class MaskFacts:
    """The shown mask of one layer. For a mask that does not exist yet `etag` is `empty` and most else null."""

    id: UUID | None
    etag: str
    layer: str
    kind: Kind | None
    author: str | None
    created_at: datetime | None
    content_hash: str | None
    voxel_counts: Mapping[str, int]  # by segment id
    chunks: Sequence[tuple[int, int, int, str]]  # cz, cy, cx, sha256 of its raw bytes


@dataclass(frozen=True)
class HeadFacts:
    """The newest revision of a line of work, in the refusal of an outdated save."""

    revision: UUID
    author: str | None
    created_at: datetime


@dataclass(frozen=True)
class RevisionFacts:
    """Summary of a revision: `author`, or the name of the model that made it. `source` tells the file of a mask from
    elsewhere, else it is empty."""

    id: UUID
    kind: Kind
    author: str | None
    model: str
    created_at: datetime
    source: str


@dataclass(frozen=True)
class ListedRevisionFacts(RevisionFacts):
    """A revision in the history: strokes per tool, voxels by segment id, and the change from the previous one."""

    tools: Mapping[str, int]
    counts: Mapping[str, int]
    change: Mapping[str, int]


@dataclass(frozen=True)
class HistoryFacts:
    """The revisions of one layer, newest first, at most 2000."""

    layer: str
    revisions: Sequence[ListedRevisionFacts]


@dataclass(frozen=True)
class SettingStrokeFacts:
    """A stroke that may have set a voxel."""

    id: str | None
    tool: str | None
    segment: int | None
    at: str | None


@dataclass(frozen=True)
class SetterFacts:
    """The revision that gave a voxel its value, and its strokes that may have done so (if one: it did)."""

    value: int
    revision: RevisionFacts | None
    strokes: Sequence[SettingStrokeFacts]


@dataclass(frozen=True)
class OfflineScanFacts:
    """A scan that the caller may take offline; `bytes` of its volume."""

    assignment: UUID
    code: str
    view: str
    bytes: int


@dataclass(frozen=True)
class OfflinePlanFacts:
    """Which scans of a batch can be taken offline, and for how many days at most; 0: not allowed."""

    scans: Sequence[OfflineScanFacts]
    bytes: int
    days: int


@dataclass(frozen=True)
class OfflineLoadFacts:
    """Scans taken offline, and the end of their leases."""

    until: datetime
    scans: Sequence[OfflineScanFacts]
    bytes: int


@dataclass(frozen=True)
class BroughtBackFacts:
    """How many untouched scans went back."""

    given_back: int


@dataclass(frozen=True)
class SavedAnswersFacts:
    """The valid answers, and since when."""

    values: Mapping[str, Any]
    saved_at: datetime


@dataclass(frozen=True)
class FoundLabelFacts:
    """A label of a mask file: `value` there, voxels on the scan, and the key of the segment suggested for it, or
    empty."""

    name: str
    value: int
    voxels: int
    suggested: str


@dataclass(frozen=True)
class FoundMaskFacts:
    """What a mask file holds; nothing of it is stored. `software` is empty where it is not told."""

    format: str
    software: str
    resampled: bool
    labels: Sequence[FoundLabelFacts]


@dataclass(frozen=True)
class InteractiveFacts:
    """An interactive segmentation server that the operator has set up, and under which licence it may be used."""

    name: str
    licence: str
