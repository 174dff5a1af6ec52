"""Requests of stages: `request.json` in the job folder. Folders are relative to the job folder, or absolute."""

from __future__ import annotations

from pathlib import PurePosixPath

from mlservice.contract.config import Segment, TrainingConfig
from mlservice.contract.policy import GatePolicy
from voxloop.child import Document, require

ACQUIRE_STRATEGIES = ("hybrid", "entropy", "foreground_random", "random")


class ScanRef(Document, frozen=True):
    """A scan's folder: `volume.npy` (int16 HU, zyx), `labels.npy` (uint8, zyx; erased voxels already 0) and
    `lungs.npy` (uint8, zyx; > 0 inside), the last two where known."""

    id: str
    site: str
    folder: str
    spacing_mm_zyx: tuple[float, float, float]
    content: str = ""  # equal where volume, labels and lungs are equal; "" where that is not known

    def __post_init__(self) -> None:
        plain = self.id and PurePosixPath(self.id).name == self.id and self.id not in {".", ".."}
        require(bool(plain), f"A scan id must be usable as a folder name, not {self.id!r}.")
        require(all(0 < s < 1000 for s in self.spacing_mm_zyx), f"Scan {self.id} has an impossible spacing.")


def _check_scans(scans: tuple[ScanRef, ...], what: str) -> None:
    require(bool(scans), f"There is no scan to {what}.")
    require(len({scan.id for scan in scans}) == len(scans), "A scan is listed twice.")


class PlanRequest(Document, frozen=True):
    """Derive a configuration from a profile and the labelled scans."""

    profile: str
    scans: tuple[ScanRef, ...]
    segments: tuple[Segment, ...]
    cpu_threads: int = 2
    steps: int = 0  # > 0 overrides the profile's

    def __post_init__(self) -> None:
        _check_scans(self.scans, "plan for")
        require(bool(self.segments), "There is no segment to learn.")


class TrainRequest(Document, frozen=True):
    """Train one model; the same request gives the same weights on the same CPU."""

    config: TrainingConfig
    scans: tuple[ScanRef, ...]
    seed: int
    manifest_hash: str
    start: str = ""  # folder of a model whose weights are taken to begin with
    prepared: str = ""  # folder of the machine where prepared scans are kept
    processes: int = 1  # by torchrun: one for each GPU

    def __post_init__(self) -> None:
        _check_scans(self.scans, "learn from")
        require(bool(self.config.classes), "The configuration names no class; plan first.")
        require(not self.config.is_onnx, "A network from an ONNX file is not trained.")
        require(0 <= self.seed < 2**32, "The seed must fit in 32 bits.")
        require(1 <= self.processes <= self.config.batch, "Each process learns from at least one patch of a batch.")


class PredictRequest(Document, frozen=True):
    """Label scans with a model; `predictions/<scan id>/` for each."""

    model: str  # folder with weights.safetensors and model.json
    scans: tuple[ScanRef, ...]
    cpu_threads: int = 2

    def __post_init__(self) -> None:
        _check_scans(self.scans, "label")


class CheckRequest(Document, frozen=True):
    """Check a model that was brought, a zip; `model/` is made of it. Nothing in it is trusted or executed."""

    file: str
    segments: tuple[Segment, ...]  # of the campaign's layer; the model's classes are found by their keys
    cpu_threads: int = 2

    def __post_init__(self) -> None:
        require(bool(self.segments), "There is no segment to mark.")


class ExportRequest(Document, frozen=True):
    """Make a folder of a model, as a zip, that predicts elsewhere."""

    model: str  # folder with model.json and the weights
    name: str  # of the folder in the zip
    card: str  # the model's card, Markdown
    limit: str  # "lungs" where the layer's findings lie in the lungs, else ""
    facts: dict[str, str]  # for the metadata of the MONAI bundle

    def __post_init__(self) -> None:
        is_plain = self.name.replace("-", "").replace("_", "").isalnum() and self.name.isascii()
        require(is_plain, f"A folder cannot be named {self.name!r}.")


class EvaluateRequest(Document, frozen=True):
    """Score predictions of hold-out scans, against the champion's on the same scans where there is one."""

    scans: tuple[ScanRef, ...]
    segments: tuple[int, ...]  # segment ids that count as a finding
    challenger: str  # folder of predictions
    champion: str = ""
    sites: tuple[str, ...] = ()  # hold-out sites; one without a scan leaves the decision to a person
    policy: GatePolicy = GatePolicy()

    def __post_init__(self) -> None:
        require(len({scan.id for scan in self.scans}) == len(self.scans), "A scan is listed twice.")
        require(bool(self.segments), "There is no segment to score.")


class AcquireScan(Document, frozen=True):
    """A scan that may be labelled next, or was. `embedding` describes it without a model; a hold-out scan needs none.
    `uncertainty` and `extent_ml` are what the model says that serves, once it saw the scan."""

    id: str
    site: str
    embedding: tuple[float, ...] = ()
    uncertainty: float | None = None  # mean entropy of the top 0.5 % voxels
    extent_ml: float | None = None
    is_held_out: bool = False

    def __post_init__(self) -> None:
        is_asked = self.uncertainty is not None or self.extent_ml is not None
        require(
            not (self.is_held_out and is_asked),
            f"Scan {self.id} is of a hold-out site: no model may say whether it is labelled.",
        )
        require(self.is_held_out or bool(self.embedding), f"Scan {self.id} has no embedding.")


class AcquireRequest(Document, frozen=True):
    """Order the candidates by each of the strategies; those that need a model are left out until one saw some scan."""

    scans: tuple[AcquireScan, ...]
    size: int  # of the coming batches
    seed: int
    round: int = 0  # rounds so far: the noise on the score decays with it
    labelled: tuple[AcquireScan, ...] = ()  # labelled or given out before: they count for their site
    strategies: tuple[str, ...] = ACQUIRE_STRATEGIES
    random_share: float = 0.10

    def __post_init__(self) -> None:
        require(self.size >= 1, "Choose at least one scan.")
        require(len({scan.id for scan in self.scans}) == len(self.scans), "A scan is listed twice.")
        require(0 <= self.random_share <= 1, "Shares lie between 0 and 1.")
        unknown = set(self.strategies) - set(ACQUIRE_STRATEGIES)
        require(not unknown, f"There is no strategy {', '.join(sorted(unknown))}.")
        lengths = {len(scan.embedding) for scan in (*self.scans, *self.labelled) if scan.embedding}
        require(len(lengths) <= 1, "Embeddings must be of one length.")
