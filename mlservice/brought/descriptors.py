"""What a brought ONNX network expects and answers: from a small file, or from the plans of nnU-Net v2."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlservice.brought.unpack import DATASET, DESCRIPTOR, PLANS
from mlservice.contract.config import ONNX, Segment, TrainingConfig
from voxloop.child import ContractError, Document, read_json, require

LEAST_MM, MOST_MM = 0.2, 20.0
MOST_PATCH = 256**3
MOST_SIDE = 2048


class Descriptor(Document, frozen=True):
    """`onnx.json` (docs/ml-contract.md). Lengths in mm, sizes in voxels, axes `zyx`."""

    classes: tuple[str, ...]  # keys of segments, in the order of the answer's channels after the background
    window_hu: tuple[float, float]  # clipped to this
    patch_zyx: tuple[int, int, int]  # 1 along z for a network of slices
    spacing_mm_zyx: tuple[float, float, float]  # 0 keeps the scan's own
    answers: str = "logits"
    mean_and_deviation_hu: tuple[float, float] | None = None  # without: the window is scaled to [0, 1]
    lung_channel: bool = False
    grid_px: int = 0
    contrast: str = "none"
    overlap: float = 0.5
    threshold: float = 0.5
    min_island_ml: float = 0.0
    sure: float = 0.0
    sha256: str = ""  # of model.onnx, checked where given

    def __post_init__(self) -> None:
        require(0 < len(self.classes) <= 64, "A model marks 1 to 64 classes.")
        check_sizes(self.patch_zyx, self.spacing_mm_zyx, self.grid_px)


def check_sizes(patch_zyx: Sequence[int], spacing_mm_zyx: Sequence[float], grid_px: int) -> None:
    """Raise ContractError `bad_request` for a grid that would exhaust a machine."""
    require(all(1 <= side <= MOST_SIDE for side in patch_zyx), f"A side of a patch has 1 to {MOST_SIDE} voxels.")
    require(patch_zyx[0] * patch_zyx[1] * patch_zyx[2] <= MOST_PATCH, f"A patch has at most {MOST_PATCH} voxels.")
    fits = all(mm == 0 or LEAST_MM <= mm <= MOST_MM for mm in spacing_mm_zyx)
    require(fits, f"A spacing is 0 or {LEAST_MM} to {MOST_MM} mm.")
    require(0 <= grid_px <= MOST_SIDE, f"A grid has at most {MOST_SIDE} voxels.")


def read_descriptor(folder: Path, sides: Sequence[int | None]) -> tuple[Descriptor, str]:
    """The descriptor of model.onnx and its form, `onnx` or `nnunet`. `sides` are the spatial sides of its input, None
    where they are free. Raises ContractError `model_card`."""
    try:
        if (folder / DESCRIPTOR).exists():
            return read_json(Descriptor, folder / DESCRIPTOR), "onnx"
        if (folder / PLANS).exists() and (folder / DATASET).exists():
            return from_nnunet(_load(folder / PLANS), _load(folder / DATASET), sides), "nnunet"
    except ContractError as error:
        raise ContractError("model_card", f"What {ONNX} expects cannot be told: {error.sentence}") from error
    raise ContractError(
        "model_card", f"Beside {ONNX} belongs {DESCRIPTOR}, or {PLANS} and {DATASET} of nnU-Net; see the documentation."
    )


def from_nnunet(plans: Mapping[str, Any], dataset: Mapping[str, Any], sides: Sequence[int | None]) -> Descriptor:
    """The descriptor of a network that nnU-Net v2 trained, exported to ONNX without its sliding window.

    Raises ContractError `bad_request` for what cannot be followed."""
    try:
        name = "2d" if len(sides) == 2 else "3d_fullres"
        configuration = plans["configurations"][name]
        require(list(plans["transpose_forward"]) == [0, 1, 2], "The plans change the order of the axes.")
        schemes = list(configuration["normalization_schemes"])
        require(schemes == ["CTNormalization"], "The plans normalise otherwise than a CT.")
        # Before nnU-Net 2.0.1 under another name.
        facts = plans.get("foreground_intensity_properties_per_channel") or plans["foreground_intensity_properties"]
        hu = facts["0"]
        patch = [int(have or planned) for have, planned in zip(sides, configuration["patch_size"], strict=True)]
        spacing = [float(mm) for mm in configuration["spacing"]]
        return Descriptor(
            classes=_classes(dataset["labels"]),
            window_hu=(float(hu["percentile_00_5"]), float(hu["percentile_99_5"])),
            patch_zyx=(1, patch[0], patch[1]) if len(patch) == 2 else (patch[0], patch[1], patch[2]),
            spacing_mm_zyx=(0.0, spacing[-2], spacing[-1]) if len(patch) == 2 else (spacing[0], spacing[1], spacing[2]),
            mean_and_deviation_hu=(float(hu["mean"]), float(hu["std"])),
        )
    except ContractError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ContractError("bad_request", f"{PLANS} or {DATASET} is not as nnU-Net v2 writes it.") from error


def _classes(labels: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the labels by number; the background is 0."""
    require(all(isinstance(number, int) for number in labels.values()), "Regions of labels cannot be followed.")
    found = sorted((number, name) for name, number in labels.items() if number != 0 and name != "ignore")
    require(
        [number for number, _ in found] == list(range(1, len(found) + 1)), "The labels are not numbered 1, 2, 3, …."
    )
    return tuple(str(name) for _, name in found)


def find_segments(keys: Sequence[str], segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The campaign's segments of these keys. Raises ContractError `model_segments`."""
    by_key = {segment.key: segment for segment in segments}
    strange = [key for key in keys if key not in by_key]
    if strange or len(set(keys)) != len(keys):
        has = ", ".join(sorted(by_key))
        raise ContractError(
            "model_segments",
            f"The model marks {', '.join(key[:60] for key in strange or keys)}; the layer of this campaign has {has}, "
            "each once. Rename the classes in the model's description.",
        )
    return tuple(by_key[key] for key in keys)


def to_config(
    descriptor: Descriptor, dimensions: int, classes: tuple[Segment, ...], cpu_threads: int
) -> TrainingConfig:
    """The configuration that runs the network. Its fields of training say nothing.

    Raises ContractError `model_card`."""
    try:
        return TrainingConfig(
            profile="brought",
            network=f"onnx_{dimensions}d",
            classes=classes,
            features=(),
            window_hu=descriptor.window_hu,
            contrast=descriptor.contrast,
            spacing_mm_zyx=descriptor.spacing_mm_zyx,
            grid_px=descriptor.grid_px,
            patch_zyx=descriptor.patch_zyx,
            loss="bce" if descriptor.answers == "sigmoid" else "dice_ce",
            optimiser="adamw",
            learning_rate=1e-3,
            steps=1,
            batch=1,
            foreground_share=0.0,
            rotate_deg=0.0,
            zoom=0.0,
            lighting=0.0,
            noise=0.0,
            deep_supervision=False,
            overlap=descriptor.overlap,
            precision="fp32",
            cpu_threads=cpu_threads,
            min_island_ml=descriptor.min_island_ml,
            sure=descriptor.sure,
            lung_channel=descriptor.lung_channel,
            threshold=descriptor.threshold,
            mean_and_deviation_hu=descriptor.mean_and_deviation_hu,
            answers=descriptor.answers,
        )
    except ContractError as error:
        raise ContractError("model_card", f"What {ONNX} expects cannot be told: {error.sentence}") from error


def _load(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ContractError("bad_request", f"{path.name} is not JSON.") from error
    require(isinstance(values, dict), f"{path.name} is not a JSON object.")
    found: Mapping[str, Any] = values
    return found
