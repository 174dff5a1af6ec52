"""Response types of the viewer's context, reviews and comments (see docs/openapi.yaml)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from annotation.masks.facts import InteractiveFacts
from annotation.reviews.interlocks import Interlock
from annotation.reviews.states import CommentState, RoundState, TrialState
from annotation.scans.facts import Three, VolumeIndexFacts
from annotation.work.facts import LabelSchemaFacts, MarkFacts
from annotation.work.models import Assignment, SeenPolicy, SignaturePolicy
from annotation.work.states import AssignmentState
from voxloop.accounts.preferences import SettingsFacts


@dataclass(frozen=True)
class ReplyFacts:
    """A reply to a comment."""

    id: UUID
    author: str
    text: str
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True)
class CommentFacts:
    """A remark pinned to a voxel, or to the scan as a whole, with its replies."""

    id: UUID
    author: str
    text: str
    ijk: Three | None
    round: int
    state: CommentState
    created_at: datetime
    edited_at: datetime | None
    replies: Sequence[ReplyFacts]


@dataclass(frozen=True)
class CommentsFacts:
    """The comments of a round."""

    results: Sequence[CommentFacts]


@dataclass(frozen=True)
class ReviewOfContextFacts:
    """The round that a context belongs to; `answers` and `submitted` (revisions by layer) are the author's.

    `looked_at`: the differences that this reviewer has checked. `reasons` of the risk are hidden from the mask's
    author."""

    id: UUID
    author: str
    round: int
    state: RoundState
    answers: Mapping[str, Any]
    submitted: Mapping[str, UUID]
    looked_at: Sequence[str]
    reasons: Sequence[str]


@dataclass(frozen=True)
class BatchOfContextFacts:
    """The batch of an assignment; `position` of `size` scans. 1 of 1 for whoever judges."""

    id: UUID
    name: str
    position: int
    size: int
    due_on: date | None


@dataclass(frozen=True)
class CampaignOfContextFacts:
    """The campaign of an assignment."""

    id: UUID
    name: str


@dataclass(frozen=True)
class ScanOfContextFacts:
    """The scan of an assignment. `index` is the content of `volume`; null while the scan is not ready."""

    id: UUID
    code: str
    site: str
    modality: str
    description: str
    shape_zyx: Three | None
    spacing_mm_zyx: tuple[float, float, float] | None
    volume: str
    index: VolumeIndexFacts | None


@dataclass(frozen=True)
class PriorFacts:
    """Another ready scan of the subject that this person may see, the one that arrived last.

    Dates are removed, so the order of acquisition is unknown. `mask` is the URL of its approved mask; null where there
    is none, where the person may not read it or still has work of their own on it."""

    scan: UUID
    code: str
    description: str
    volume: str
    mask: str | None


@dataclass(frozen=True)
class MaskSourceFacts:
    """Where the mask of a layer is read and saved. `source`: the model that made a read-only one, or empty. `start`:
    blank, prediction, returned, submission; for a read-only layer import or prediction."""

    head: UUID | None
    start: str
    source: str
    url: str


@dataclass(frozen=True)
class OverlayFacts:
    """A mask to compare with one's own: `prediction`, `author`, `previous` (the previous round), `reader-<n>`,
    `correction` (made after the mask: by a reviewer, or the reference of a certification), `consensus-<rule>`."""

    key: str
    title: str
    layer: str
    revision: UUID
    url: str


@dataclass(frozen=True)
class ProbabilityFacts:
    """How sure the model of the shown prediction was; `segment` is what it learned, null: any finding of the layer."""

    url: str
    bytes: int
    shape_zyx: Three
    step_zyx: Three
    layer: str
    model: str
    segment: int | None


@dataclass(frozen=True)
class AnswersFacts:
    """The valid answers, and the URL to save them."""

    values: Mapping[str, Any]
    url: str


@dataclass(frozen=True)
class MarksOfContextFacts:
    """What this person has measured, by id, and the URL to keep it; `others`: what the author measured, for a judge,
    and what the judge measured, for whose work came back."""

    own: Mapping[str, MarkFacts]
    others: Sequence[MarkFacts]
    url: str


@dataclass(frozen=True)
class PermissionsFacts:
    """What this person may do here now."""

    edit: bool
    submit: bool
    skip: bool
    block: bool
    approve: bool
    correct: bool
    return_: bool
    comment: bool


@dataclass(frozen=True)
class SlicesSeenFacts:
    """What of the scan this person has looked at: `slices` has a bit for each axial slice, lowest first, as base64.
    `enough`: the share of slices that counts as looked at. `policy`: what is done about less."""

    slices: str
    enough: float
    policy: SeenPolicy


@dataclass(frozen=True)
class SignatureFacts:
    """How a verdict is signed: what it means, and when the password is asked for (`minutes` after it was entered
    where the policy is `recent`)."""

    meaning: str
    policy: SignaturePolicy
    minutes: int


@dataclass(frozen=True)
class FeedbackFacts:
    """How a mask of a certification compares with the reference. The attempt is passed when the mean `dice` of its
    `scans` reaches `pass_dice`; `mean_dice` is of the `measured` ones so far. `next`: its next scan's page."""

    dice: float
    surface_dice: float
    tolerance_mm: float
    too_much_ml: float
    missed_ml: float
    gold_ml: float
    attempt: int
    state: TrialState
    pass_dice: float
    mean_dice: float
    measured: int
    scans: int
    next: str | None


@dataclass(frozen=True)
class PauseFacts:
    """What is paused, why, and since when; null where that is not known."""

    what: str
    why: str
    since: datetime | None


@dataclass(frozen=True)
class ContextFacts:
    """Everything the viewer needs besides voxels; `/view/<id>/` embeds the same. `masks` holds every editable layer,
    and read-only layers with a mask. `comments_seen`: until when this person has read the comments. `review` is
    null outside a review, `feedback` until a scan of a certification is handed in. `proposed_policy`: what is done
    about undecided lesions of the model. `offline_days`: the longest time scans may be kept in a browser; 0: not at
    all. `previous` and `next` are URLs of pages."""

    id: UUID
    stage: Assignment.Stage
    state: AssignmentState
    round: int
    reason: str
    batch: BatchOfContextFacts
    campaign: CampaignOfContextFacts
    scan: ScanOfContextFacts
    prior: PriorFacts | None
    schema: LabelSchemaFacts
    masks: Mapping[str, MaskSourceFacts]
    overlays: Sequence[OverlayFacts]
    probability: ProbabilityFacts | None
    interactive: InteractiveFacts | None
    answers: AnswersFacts
    marks: MarksOfContextFacts
    comments: Sequence[CommentFacts]
    comments_seen: datetime | None
    review: ReviewOfContextFacts | None
    feedback: FeedbackFacts | None
    signature: SignatureFacts
    seen: SlicesSeenFacts
    proposed_policy: SeenPolicy
    can: PermissionsFacts
    interlocks: Sequence[Interlock]
    lease_until: datetime | None
    pauses: Sequence[PauseFacts]
    previous: str | None
    next: str | None
    user: str
    offline_days: int
    settings: SettingsFacts


@dataclass(frozen=True)
class HandedInFacts:
    """The review round of the submission (null: a scan of a certification), and the page of the next task; of a
    certification that of the same scan, with the feedback."""

    state: AssignmentState
    review: UUID | None
    next: str | None


@dataclass(frozen=True)
class VerdictFacts:
    """The outcome of the round, and the page of the next round, which is claimed already. The verdict can be taken
    back for `undo_seconds`."""

    state: RoundState
    next: str | None
    undo_seconds: int


@dataclass(frozen=True)
class ChecksFacts:
    """The names of all differences that this reviewer has checked, each `true`."""

    values: Mapping[str, bool]
