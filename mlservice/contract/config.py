"""What a model is and how it is trained: one frozen configuration, written beside the weights."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from mlservice.contract.codec import ContractError, require

NETWORKS = {"basic_unet_2d", "flexible_unet_2d", "dynunet_3d"}
LOSSES = {"dice_ce", "bce"}


@dataclass(frozen=True)
class Segment:
    """One class a model may learn: its id in the label schema (1…254) and its key."""

    id: int
    key: str

    def __post_init__(self) -> None:
        require(1 <= self.id <= 254, f"A segment id is 1…254, not {self.id}.")


@dataclass(frozen=True)
class TrainingConfig:
    """A profile after planning. Lengths in mm, sizes in voxels, axes `zyx`, HU in Hounsfield units."""

    profile: str
    network: str
    classes: tuple[Segment, ...]  # output channels in order; background comes before them
    features: tuple[int, ...]
    window_hu: tuple[float, float]  # clipped to this, scaled to [0, 1]
    contrast: str  # "none", or "bcet" slice by slice (topff2023)
    spacing_mm_zyx: tuple[float, float, float]  # 0 keeps the scan's own spacing along that axis
    grid_px: int  # > 0: every slice is brought to grid_px × grid_px whatever its spacing (topff2023)
    patch_zyx: tuple[int, int, int]
    loss: str
    optimiser: str
    learning_rate: float
    steps: int
    batch: int
    foreground_share: float  # of patches centred on a labelled voxel
    rotate_deg: float
    zoom: float
    lighting: float  # share of the window by which brightness may move
    noise: float  # most noise added, as a standard deviation in shares of the window: scanners differ most in it
    deep_supervision: bool
    overlap: float  # of sliding windows at prediction
    precision: str  # "fp32", or "bf16" where measured to cost no Dice
    cpu_threads: int
    min_island_ml: float  # predicted islands smaller than this are dropped

    def __post_init__(self) -> None:
        require(self.network in NETWORKS, f"There is no network {self.network!r}.")
        require(self.loss in LOSSES, f"There is no loss {self.loss!r}.")
        require(self.contrast in {"none", "bcet"}, f"There is no contrast {self.contrast!r}.")
        require(self.optimiser in {"adamw", "sgd"}, f"There is no optimiser {self.optimiser!r}.")
        require(self.precision in {"fp32", "bf16"}, f"There is no precision {self.precision!r}.")
        require(self.window_hu[0] < self.window_hu[1], "The window must run from low to high HU.")
        require(all(n >= 1 for n in self.patch_zyx), "A patch has at least one voxel along every axis.")
        require(self.steps >= 1 and self.batch >= 1, "There must be at least one step and one patch.")
        require(self.cpu_threads >= 1, "At least one CPU thread is needed.")
        require(0 <= self.foreground_share <= 1 and 0 <= self.overlap < 1, "Shares lie between 0 and 1.")
        ids = [segment.id for segment in self.classes]
        require(len(set(ids)) == len(ids), "A segment is listed twice.")

    @property
    def is_flat(self) -> bool:
        """Whether the network sees one slice at a time."""
        return self.network.endswith("_2d")

    @property
    def channels(self) -> int:
        """Output channels: background and every class."""
        return len(self.classes) + 1


_DEMO = TrainingConfig(
    profile="demo",
    network="basic_unet_2d",
    classes=(),
    features=(16, 16, 32, 64, 64, 16),
    window_hu=(-1250.0, 250.0),
    contrast="none",
    spacing_mm_zyx=(
        0.0,
        2.7,
        2.7,
    ),  # after 200 steps, false mL a phantom: 181 at 1.8 mm, which shows too little around a pixel, 30 at 2.7 mm
    grid_px=0,
    patch_zyx=(1, 96, 96),
    loss="dice_ce",
    optimiser="adamw",
    learning_rate=2e-3,
    steps=400,  # 200, 400, 800: Dice .42, .53, .50 on unseen phantoms, 11 to learn from, one seed each
    batch=8,
    foreground_share=0.5,
    rotate_deg=20.0,
    zoom=0.05,
    lighting=0.05,
    noise=0.06,
    deep_supervision=False,
    overlap=0.0,
    precision="fp32",
    cpu_threads=2,
    min_island_ml=0.5,
)

# topff2023: 2D, 320², lung window, BCET, binary cross-entropy, SGD; nothing outside the lungs removed.
_LESION_2D = dataclasses.replace(
    _DEMO,
    profile="lesion-2d",
    network="flexible_unet_2d",
    features=(256, 128, 64, 32, 16),
    contrast="bcet",
    spacing_mm_zyx=(0.0, 0.0, 0.0),
    grid_px=320,
    patch_zyx=(1, 320, 320),
    loss="bce",
    optimiser="sgd",
    learning_rate=1e-2,
    steps=6000,
    batch=32,
    lighting=0.10,
    cpu_threads=4,
    min_island_ml=0.05,
)

_LESION_3D = dataclasses.replace(
    _DEMO,
    profile="lesion-3d",
    network="dynunet_3d",
    features=(32, 64, 128, 256, 320),
    window_hu=(-1000.0, 500.0),
    spacing_mm_zyx=(5.0, 1.25, 1.25),
    patch_zyx=(16, 192, 192),
    optimiser="sgd",
    learning_rate=1e-2,
    steps=12000,
    batch=2,
    deep_supervision=True,
    overlap=0.5,
    precision="bf16",
    cpu_threads=4,
    min_island_ml=0.05,
)

PROFILES: dict[str, TrainingConfig] = {config.profile: config for config in (_DEMO, _LESION_2D, _LESION_3D)}


def profile(name: str) -> TrainingConfig:
    """The profile of that name, before planning (no classes yet). Raises ContractError `unknown_profile`."""
    if name not in PROFILES:
        raise ContractError("unknown_profile", f"There is no profile {name!r}; there are {', '.join(PROFILES)}.")
    return PROFILES[name]
