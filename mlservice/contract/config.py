"""Configuration of a model and its training: frozen, stored beside the weights."""

from __future__ import annotations

import math

from voxloop.child import Document, require

NETWORKS = {"basic_unet_2d", "flexible_unet_2d", "dynunet_3d"}
# Networks of a file that was brought: what they are made of is not known here, and they are not trained.
ONNX_NETWORKS = {"onnx_2d", "onnx_3d"}
# The file of the weights beside model.json.
WEIGHTS, ONNX = "weights.safetensors", "model.onnx"
# "finding_class": any finding against background, then the class within findings (mlservice/losses.py).
LOSSES = {"dice_ce", "bce", "finding_class"}


def weights_name(network: str) -> str:
    """The file beside model.json that holds the weights of a network."""
    return ONNX if network in ONNX_NETWORKS else WEIGHTS


class Segment(Document, frozen=True):
    """One class a model may learn: its id in the label schema (1…254) and its key."""

    id: int
    key: str

    def __post_init__(self) -> None:
        require(1 <= self.id <= 254, f"A segment id is 1…254, not {self.id}.")


class TrainingConfig(Document, frozen=True):
    """A profile after planning. Lengths in mm, sizes in voxels, axes `zyx`, HU in Hounsfield units."""

    profile: str
    network: str
    classes: tuple[Segment, ...]  # output channels in order; background comes before them
    features: tuple[int, ...]
    window_hu: tuple[float, float]  # clipped to this, scaled to [0, 1]
    contrast: str  # "none", or "bcet" slice by slice (topff2023)
    spacing_mm_zyx: tuple[float, float, float]  # 0 keeps the scan's own spacing along that axis
    grid_px: int  # > 0: every slice is resampled to grid_px × grid_px whatever its spacing (topff2023)
    patch_zyx: tuple[int, int, int]
    loss: str
    optimiser: str
    learning_rate: float
    steps: int
    batch: int
    foreground_share: float  # share of patches centred on a labelled voxel (of any finding, or of each class in turn)
    rotate_deg: float
    zoom: float
    lighting: float  # maximum brightness shift, as a share of the window
    noise: float  # maximum noise, as a standard deviation in shares of the window: scanners differ most in noise
    deep_supervision: bool
    overlap: float  # of sliding windows in prediction
    # "fp32"; "bf16" where measured not to reduce Dice; "auto": bf16 where the processor computes it itself. Training
    # writes what it used into the card.
    precision: str
    cpu_threads: int
    min_island_ml: float  # predicted islands smaller than this are dropped
    # Defaults are what models had whose cards do not hold these fields.
    lung_channel: bool = False  # the lung limit is a second input channel; all ones where a scan has none
    channels_last: bool = False  # memory format of the network on the CPU
    ema: float = 0.0  # > 0: the weights kept are an exponential moving average over the steps, with this decay
    threshold: float = 0.5  # least probability of any finding that is marked
    paste_share: float = 0.0  # shares of patches that get each augmentation of mlservice/made_lesions.py
    haze_share: float = 0.0
    consolidation_share: float = 0.0
    # > 0: of an island only voxels of at least this probability count towards `min_island_ml`.
    sure: float = 0.0
    calibrate: bool = False  # learn threshold, `sure` and least island after the steps (mlservice/calibrate.py)
    validation_share: float = 0.0  # share of the scans that is set aside to choose the weights that are kept
    validate_every: int = 0  # steps from one validation to the next; 0: none, the last weights are kept
    patience: int = 0  # > 0: training ends after so many validations without a better one
    # Of a brought network. Mean and standard deviation in HU: it sees (HU clipped to the window − mean) / deviation.
    mean_and_deviation_hu: tuple[float, float] | None = None
    answers: str = "logits"  # "logits", "sigmoid" (a logit for each class, none for the background), "probabilities"

    def __post_init__(self) -> None:
        require(self.network in NETWORKS | ONNX_NETWORKS, f"There is no network {self.network!r}.")
        require(self.loss in LOSSES, f"There is no loss {self.loss!r}.")
        require(self.contrast in {"none", "bcet"}, f"There is no contrast {self.contrast!r}.")
        require(self.optimiser in {"adamw", "sgd"}, f"There is no optimiser {self.optimiser!r}.")
        require(self.precision in {"fp32", "bf16", "auto"}, f"There is no precision {self.precision!r}.")
        require(self.window_hu[0] < self.window_hu[1], "The window must run from low to high HU.")
        require(all(n >= 1 for n in self.patch_zyx), "A patch has at least one voxel along every axis.")
        require(self.steps >= 1 and self.batch >= 1, "There must be at least one step and one patch.")
        require(self.cpu_threads >= 1, "At least one CPU thread is needed.")
        made = (self.paste_share, self.haze_share, self.consolidation_share)
        require(
            all(0 <= share <= 1 for share in (self.foreground_share, *made)) and 0 <= self.overlap < 1,
            "Shares lie between 0 and 1.",
        )
        changes = (self.rotate_deg, self.zoom, self.lighting, self.noise)
        require(all(0 <= change < math.inf for change in changes), "An augmentation is not negative.")
        require(0 < self.learning_rate < math.inf, "The learning rate is more than 0.")
        require(0 <= self.ema < 1, "The decay of the average lies between 0 and 1.")
        require(0 < self.threshold < 1, "The threshold lies between 0 and 1.")
        require(0 <= self.sure < 1, "The probability that makes an island sure lies between 0 and 1.")
        require(self.min_island_ml >= 0, "The size of an island is not negative.")
        self._check_augmentation()
        self._check_validation()
        self._check_brought()
        ids = [segment.id for segment in self.classes]
        require(len(set(ids)) == len(ids), "A segment is listed twice.")

    def _check_augmentation(self) -> None:
        is_plain = self.contrast == "none" and self.is_flat
        require(not self.makes_lesions or is_plain, "Lesions are made in HU, on slices: without contrast, in 2D.")
        is_limited = self.lung_channel or not self.makes_lesions
        require(is_limited, "Lesions are laid inside the lung limit, which is a channel then.")
        is_haze_known = self.finds_any and self.spacing_mm_zyx[1] > 0
        is_made = bool(self.haze_share or self.consolidation_share)
        words = "Haze and consolidation are findings without a class, in mm of the model's grid."
        require(not is_made or is_haze_known, words)

    def _check_validation(self) -> None:
        require(0 <= self.validation_share <= 0.5, "At most half of the scans are set aside for validation.")
        require(self.validate_every >= 0 and self.patience >= 0, "Steps and validations are counted from 0.")
        is_whole = bool(self.validation_share) == bool(self.validate_every)
        require(is_whole, "Validation needs both: validation_share and validate_every.")
        require(not self.patience or self.validate_every > 0, "Without validation there is no patience.")

    def _check_brought(self) -> None:
        require(self.answers in {"logits", "sigmoid", "probabilities"}, f"No network answers {self.answers!r}.")
        is_plain = self.mean_and_deviation_hu is None and self.answers == "logits"
        require(self.is_onnx or is_plain, "Only a network from an ONNX file answers or sees in another way.")
        scale = self.mean_and_deviation_hu
        require(scale is None or (math.isfinite(scale[0]) and 0 < scale[1] < math.inf), "A deviation is more than 0.")

    @property
    def is_onnx(self) -> bool:
        """Whether the network comes from an ONNX file."""
        return self.network in ONNX_NETWORKS

    @property
    def makes_lesions(self) -> bool:
        """Whether patches get lesions that no reader marked."""
        return bool(self.paste_share or self.haze_share or self.consolidation_share)

    @property
    def is_flat(self) -> bool:
        """Whether the network sees one slice at a time."""
        return self.network.endswith("_2d")

    @property
    def channels(self) -> int:
        """Output channels: background and every class."""
        return len(self.classes) + 1

    @property
    def inputs(self) -> int:
        """Input channels: the image, and the lung limit where the model takes it as input."""
        return 1 + self.lung_channel

    @property
    def finds_any(self) -> bool:
        """Whether any finding is learned first and its class second."""
        return self.loss == "finding_class"
