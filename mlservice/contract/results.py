"""Results of stages: `result.json`."""

from __future__ import annotations

from enum import StrEnum

from mlservice.contract.config import TrainingConfig
from mlservice.contract.policy import GatePolicy
from voxloop.child import Document


class PlanResult(Document, frozen=True):
    """The configuration to train, and the reasons as sentences."""

    config: TrainingConfig
    voxels: dict[str, int]  # labelled voxels per segment key
    notes: tuple[str, ...]


class LossPoint(Document, frozen=True):
    """Mean training loss over the steps since the previous point, and the score of a validation at this step."""

    step: int
    loss: float
    validation: float | None = None


class TrainResult(Document, frozen=True):
    """`model/` holds weights.safetensors and model.json."""

    model: str
    weights_sha256: str
    parameters: int
    seconds: float
    device: str
    curve: tuple[LossPoint, ...]
    begun: str = ""  # a sentence about the weights that it began with; "" for random ones


class CheckResult(Document, frozen=True):
    """`model/` holds model.json and the weights as the platform keeps them."""

    model: str
    form: str  # "voxloop", "onnx" or "nnunet": what was brought
    weights_sha256: str
    parameters: int
    seconds: float
    notes: tuple[str, ...]


class ExportResult(Document, frozen=True):
    """`file` is the zip. `onnx_difference` is the largest difference of a probability between ONNX Runtime and torch
    on random inputs; null for a model that came as ONNX."""

    file: str
    files: int
    bytes: int
    onnx_difference: float | None
    seconds: float


class Prediction(Document, frozen=True):
    """One labelled scan. `folder` holds `labels.npy` (uint8, zyx, segment ids) and `probability.npy` (uint8, 255 =
    certain, of any finding, each voxel the mean of a `step_zyx` block); `prediction.json` beside them holds the same
    fields and is written when the scan is done. `embedding` describes the scan for `acquire`."""

    id: str
    folder: str
    step_zyx: tuple[int, int, int]
    uncertainty: float
    extent_ml: float
    extent_ml_by_class: dict[str, float]
    embedding: tuple[float, ...]
    seconds: float


class PredictResult(Document, frozen=True):
    """Every scan asked for, in the order of the request."""

    predictions: tuple[Prediction, ...]


class Lesion(Document, frozen=True):
    """One connected finding of a reference, and the share of its voxels that a model marked."""

    ml: float
    marked: float


class ScanScore(Document, frozen=True):
    """One hold-out scan. `dice` is null below 1,000 reference voxels (topff2023)."""

    id: str
    site: str
    dice: float | None
    reference_voxels: int
    reference_ml: float
    predicted_ml: float
    false_positive_ml: float
    lesions: tuple[Lesion, ...] = ()
    invented: int = 0  # connected marks that touch no finding


class SiteScore(Document, frozen=True):
    """One site of the hold-out; figures are null where nothing could be measured."""

    site: str
    scans: int
    mean_dice: float | None
    false_positive_ml_on_empty: float | None


class SizeScore(Document, frozen=True):
    """Findings of one size over the hold-out. `found` are those of which at least a tenth is marked."""

    low_ml: float
    high_ml: float | None  # null: no upper end
    lesions: int
    found: int
    marked: float  # mean share of their voxels


class Summary(Document, frozen=True):
    """One model over the hold-out."""

    mean_dice: float | None
    dice_interval: tuple[float, float] | None  # 95 % by Student's t; null for fewer than two scans
    scored: int  # scans with a Dice
    empty: int  # scans with an empty reference
    false_positive_ml_on_empty: float | None  # mean over the empty scans
    volume_pearson_r: float | None
    invented: int  # marks that touch no finding, over all scans
    sites: tuple[SiteScore, ...]
    sizes: tuple[SizeScore, ...]
    scans: tuple[ScanScore, ...]


class Outcome(StrEnum):
    """What a rule says."""

    HOLDS = "holds"
    FAILS = "fails"  # shown to be worse
    UNCLEAR = "unclear"  # shown neither way, or too little was measured
    NOTHING = "nothing"  # there is nothing to compare


class Verdict(StrEnum):
    """What the gate says: promote, hold back, or leave it to a person."""

    PROMOTE = "promote"
    HOLD_BACK = "hold_back"
    UNDECIDED = "undecided"


class Change(Document, frozen=True):
    """Challenger minus champion over the scans on which both were scored, Dice.

    `interval` is two-sided, 95 %; `bound` the one that the rule looks at. Null for fewer than two scans."""

    scans: int
    mean: float
    interval: tuple[float, float] | None
    bound: float | None


class SiteChange(Document, frozen=True):
    """The change at one hold-out site, and what the rule for sites says of it."""

    site: str
    change: Change | None
    outcome: Outcome


class Rule(Document, frozen=True):
    """One rule of the gate with its numbers, and a sentence a person can check."""

    key: str
    outcome: Outcome
    challenger: float | None
    champion: float | None
    sentence: str


class Gate(Document, frozen=True):
    """The verdict with what it was derived from."""

    verdict: Verdict
    rules: tuple[Rule, ...]
    change: Change | None
    sites: tuple[SiteChange, ...]
    policy: GatePolicy


class Case(Document, frozen=True):
    """One axial slice of a scan on which the challenger did worst, with outlines as SVG path data in voxels.

    Where something was marked wrongly, the slice with most of it."""

    scan: str
    site: str
    slice: int
    rows: int
    columns: int
    row_mm: float
    column_mm: float
    window: tuple[int, int, int, int]  # part that is worth showing: first row, first column, rows, columns
    dice: float | None
    champion_dice: float | None
    predicted_ml: float
    champion_ml: float | None
    reference_ml: float
    reference: str
    challenger: str
    champion: str | None


class EvaluateResult(Document, frozen=True):
    """Both models over the same scans, and the verdict."""

    challenger: Summary
    champion: Summary | None
    gate: Gate
    cases: tuple[Case, ...]


class Why(StrEnum):
    """Why a scan stands at its place of an order."""

    DIVERSE = "diverse"  # unlike the others
    UNCERTAIN = "uncertain"  # the model is not sure
    FOREGROUND = "foreground"  # at random among the scans on which the model marks something
    RANDOM = "random"
    HELD_OUT = "held_out"  # of a hold-out site, at random


class Choice(Document, frozen=True):
    """One place of an order. `score` falls from 1 towards 0; `surer` is the share of the candidates of which the model
    is surer, null for a scan that it did not see."""

    id: str
    why: Why
    score: float
    surer: float | None = None


class AcquireResult(Document, frozen=True):
    """Every candidate in the order of each strategy; any beginning of an order is a batch."""

    orders: dict[str, tuple[Choice, ...]]
