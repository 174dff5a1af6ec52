"""What lies in the folder of a model that leaves the platform, besides its weights."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlservice
import voxloop
from mlservice.brought.descriptors import Descriptor
from mlservice.contract.config import WEIGHTS, TrainingConfig
from mlservice.networks import describe_network
from mlservice.to_onnx import DIVISOR, IMAGE, PROBABILITY
from mlservice.weights import ModelCard

# Code that predicts needs; the rest of the platform stays behind.
CODE = {mlservice: ("**/*.py", "profiles/*.toml"), voxloop: ("__init__.py", "child/*.py", "volume/**/*.py")}
NEEDED = ("torch", "monai", "safetensors", "msgspec", "numpy", "scipy", "nibabel")


def code_files() -> list[tuple[str, Path]]:
    """Name in the folder and path of every file of code, sorted."""
    found = []
    for package, patterns in CODE.items():
        root = Path(package.__path__[0])
        for pattern in patterns:
            found += [(f"{root.name}/{path.relative_to(root).as_posix()}", path) for path in root.glob(pattern)]
    return sorted(set(found))


def requirements(config: TrainingConfig) -> str:
    """The packages that a prediction needs, at the versions that made the folder."""
    names = [*NEEDED, *(["onnxruntime"] if config.is_onnx else [])]
    return "".join(f"{name}{_pin(name)}\n" for name in names)


def _pin(name: str) -> str:
    try:
        return f"=={version(name).partition('+')[0]}"
    except PackageNotFoundError:
        return ""


def describe_onnx(config: TrainingConfig, sha256: str) -> Descriptor:
    """The description of model.onnx that another installation reads."""
    return Descriptor(
        classes=tuple(segment.key for segment in config.classes),
        window_hu=config.window_hu,
        patch_zyx=_patch(config),
        spacing_mm_zyx=config.spacing_mm_zyx,
        answers="probabilities",
        lung_channel=config.lung_channel,
        grid_px=config.grid_px,
        contrast=config.contrast,
        overlap=config.overlap or 0.25,
        threshold=config.threshold,
        min_island_ml=config.min_island_ml,
        sure=config.sure,
        sha256=sha256,
    )


def _patch(config: TrainingConfig) -> tuple[int, int, int]:
    """A patch that the ONNX file takes: of slices a multiple of 32."""
    if not config.is_flat:
        return config.patch_zyx
    sides = [max(4 * DIVISOR, -(-side // DIVISOR) * DIVISOR) for side in config.patch_zyx[1:]]
    return 1, sides[0], sides[1]


def bundle_metadata(card: ModelCard, name: str, facts: dict[str, str]) -> dict[str, Any]:
    """`configs/metadata.json` of the MONAI bundle."""
    config = card.config
    spatial = ["32*n", "32*n"] if config.is_flat else list(config.patch_zyx)
    image = {"type": "image", "format": "hounsfield", "modality": "CT", "dtype": "float32", "is_patch_data": True}
    channels = {"0": "HU of the window, scaled to 0 … 1"} | ({"1": "lung limit, 0 … 1"} if config.lung_channel else {})
    marks = {"0": "background"} | {str(n): each.key for n, each in enumerate(config.classes, start=1)}
    return {
        "version": "1.0.0",
        "changelog": {"1.0.0": "exported"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {each: version(each) for each in ("safetensors", "msgspec", "scipy", "nibabel")},
        "name": name,
        "task": "Segmentation of findings in chest CT",
        "intended_use": "Proposes masks to a reader, who corrects them. It is no medical device.",
        **facts,
        "network_data_format": {
            "inputs": {
                IMAGE: {
                    **image,
                    "num_channels": config.inputs,
                    "spatial_shape": spatial,
                    "value_range": [0, 1],
                    "channel_def": channels,
                }
            },
            "outputs": {
                PROBABILITY: {
                    **image,
                    "format": "segmentation",
                    "num_channels": config.channels,
                    "spatial_shape": spatial,
                    "value_range": [],
                    "channel_def": marks,
                }
            },
        },
    }


def bundle_inference(config: TrainingConfig) -> dict[str, Any]:
    """`configs/inference.json` of the MONAI bundle: `network` is the network with its weights, `run` labels files."""
    kind, arguments = describe_network(config)
    return {
        "imports": [
            "$import torch",
            "$from safetensors.torch import load_file",
            "$from mlservice.alone import label_files",
        ],
        "bundle_root": ".",
        "output_dir": "$@bundle_root + '/eval'",
        "scans": [],
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": f"{kind.__module__}.{kind.__name__}", **arguments},
        "weights": f"$load_file(@bundle_root + '/{WEIGHTS}')",
        "load": "$@network_def.load_state_dict(@weights, strict=False)",
        "network": "$(@load, @network_def.eval().to(@device))[1]",
        "run": ["$label_files(@bundle_root, @scans, @output_dir)"],
    }


def readme(name: str, config: TrainingConfig) -> str:
    """What to do with the folder."""
    bundle = "" if config.is_onnx else BUNDLE
    return README.format(name=name, bundle=bundle, marks=", ".join(each.key for each in config.classes))


README = """# {name}

A model that proposes masks of findings in chest CT ({marks}) to a reader, who corrects them. It is no medical device.
`CARD.md` says what it learned from, how it was measured, and what it cannot do.

## Predict
With Python 3.11 or later; no network, database or platform is needed.

    pip install -r requirements.txt
    python -m mlservice predict . scan.nii.gz --to masks

run in this folder, writes `masks/scan_mask.nii.gz` on the scan's own grid (values are the `id` of the classes in
`model.json`). The scan is a CT in Hounsfield units, de-identified. `--help` lists the options.

## What is in it
| file | |
| --- | --- |
| `model.json` | preprocessing, classes, threshold, provenance |
| `weights.safetensors` or `model.onnx` | the weights |
| `model.onnx`, `onnx.json` | the same network as ONNX: images in, probabilities out; what it expects |
| `use.json` | whether the lungs limit what is marked |
{bundle}| `mlservice/`, `voxloop/` | the code that predicts, Apache-2.0 (`LICENSE`) |
| `SHA256SUMS` | `sha256sum -c SHA256SUMS` checks all of it |

Nothing in it is a pickle. The folder, packed as a zip, can be brought to another installation (Models, Bring a model).
"""
BUNDLE = (
    "| `configs/`, `docs/` | the layout of a MONAI bundle; its weights are `weights.safetensors`, because `model.pt` "
    "would be a pickle |\n"
)
