"""What a stage answers: lines of `progress.jsonl`, and `result.json` when it has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlservice.contract.config import TrainingConfig


@dataclass(frozen=True)
class Failure:
    """`result.json` of a stage that failed: `{"contract", "error": {"code", "sentence"}}`."""

    error: dict[str, str]


@dataclass(frozen=True)
class Progress:
    """One line of `progress.jsonl`; `losses` are points of the curves at this step."""

    step: int
    total: int
    sentence: str
    losses: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanResult:
    """The configuration to train, and why in sentences."""

    config: TrainingConfig
    voxels: dict[str, int]  # labelled voxels per segment key
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PreprocessResult:
    """Ids of the scans in `prepared/`."""

    folder: str
    scans: tuple[str, ...]


@dataclass(frozen=True)
class LossPoint:
    """Mean training loss over the steps since the point before."""

    step: int
    loss: float


@dataclass(frozen=True)
class TrainResult:
    """`model/` holds weights.safetensors and model.json."""

    model: str
    weights_sha256: str
    parameters: int
    seconds: float
    device: str
    curve: tuple[LossPoint, ...]


@dataclass(frozen=True)
class Prediction:
    """One labelled scan. `folder` holds `labels.npy` (uint8, zyx, segment ids) and `probability.npy`
    (uint8, 255 = certain, of any finding, each voxel the mean of a `step_zyx` block); the same facts lie beside them in
    `prediction.json` as soon as the scan is done. `embedding` describes the scan for `acquire`."""

    id: str
    folder: str
    step_zyx: tuple[int, int, int]
    uncertainty: float
    extent_ml: float
    extent_ml_by_class: dict[str, float]
    embedding: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class PredictResult:
    """Every scan asked for, in the order of the request."""

    predictions: tuple[Prediction, ...]


@dataclass(frozen=True)
class ScanScore:
    """One hold-out scan. `dice` is null below 1,000 reference voxels (topff2023)."""

    id: str
    site: str
    dice: float | None
    reference_voxels: int
    reference_ml: float
    predicted_ml: float
    false_positive_ml: float


@dataclass(frozen=True)
class SiteScore:
    """One site of the hold-out; figures are null where nothing could be measured."""

    site: str
    scans: int
    mean_dice: float | None
    false_positive_ml_on_empty: float | None


@dataclass(frozen=True)
class Summary:
    """One model over the hold-out."""

    mean_dice: float | None
    scored: int  # scans with a Dice
    empty: int  # scans with an empty reference
    false_positive_ml_on_empty: float | None  # mean over the empty scans
    volume_pearson_r: float | None
    sites: tuple[SiteScore, ...]
    scans: tuple[ScanScore, ...]


@dataclass(frozen=True)
class Interval:
    """Challenger minus champion, mean Dice: 95 % by paired bootstrap over scans."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Rule:
    """One rule of the gate with its numbers, and a sentence a person can check."""

    key: str
    holds: bool
    challenger: float | None
    champion: float | None
    sentence: str


@dataclass(frozen=True)
class Gate:
    """The verdict as data: it holds when every rule does."""

    holds: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class EvaluateResult:
    """Both models over the same scans, and the verdict."""

    challenger: Summary
    champion: Summary | None
    difference: Interval | None
    gate: Gate


@dataclass(frozen=True)
class Choice:
    """One scan of the batch. `why` is `diverse`, `uncertain`, `random` or `repeat`; repeats start blank."""

    id: str
    why: str
    score: float | None


@dataclass(frozen=True)
class AcquireResult:
    """The batch in the order of choosing, and the score of every candidate (higher = more useful)."""

    choices: tuple[Choice, ...]
    scores: dict[str, float]
