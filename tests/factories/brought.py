"""Models as people send them: zips of small networks, whole and poisoned; all of them harmless."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from mlservice.networks import build_network
from mlservice.weights import save_model
from tests.ml.bodies import tiny

KEY = "infectious_opacity"


def own_model(folder: Path, **changes: Any) -> Path:
    """A folder with model.json and weights.safetensors of random weights that mark a few voxels."""
    torch.manual_seed(3)
    config = tiny("demo", **({"threshold": 0.03, "min_island_ml": 0.0, "precision": "fp32"} | changes))
    folder.mkdir(parents=True, exist_ok=True)
    save_model(folder, build_network(config), config, manifest_hash="ab", seed=3, metrics={})
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def zipped(files: Mapping[str, bytes], *, inside: str = "m/", compress: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these files in one folder."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", compress) as archive:
        for name, content in files.items():
            archive.writestr(f"{inside}{name}", content)
    return body.getvalue()


def conv(sides: tuple[int, ...], *, channels: int = 1, classes: int = 2, bias: float = -2.0) -> onnx.ModelProto:
    """One convolution by 1: the brighter a voxel, the likelier a finding; logits. `sides` of 0 are free."""
    weights = np.zeros((classes, channels, *(1 for _ in sides)), np.float32)
    weights[1:, 0] = 4.0
    biases = np.array([0.0, *[bias] * (classes - 1)], np.float32)
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"])
    return graph([node], sides, channels, [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(biases, "b")])


def graph(
    nodes: list[onnx.NodeProto], sides: tuple[int, ...], channels: int = 1, tensors: Any = (), inputs: int = 1
) -> onnx.ModelProto:
    """A model around these nodes, from `x` to `y`."""
    shape: list[Any] = [1, channels, *(side or f"s{n}" for n, side in enumerate(sides))]
    given = [helper.make_tensor_value_info("x" * (n + 1), TensorProto.FLOAT, shape) for n in range(inputs)]
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    made = helper.make_graph(nodes, "g", given, [answer], list(tensors))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def description(**changes: Any) -> bytes:
    """`onnx.json` of `conv` on slices."""
    values: dict[str, Any] = {
        "contract": 1,
        "classes": [KEY],
        "window_hu": [-1000, 0],
        "patch_zyx": [1, 32, 32],
        "spacing_mm_zyx": [0, 0, 0],
    }
    return json.dumps(values | changes).encode()


def onnx_files(model: onnx.ModelProto | None = None, **changes: Any) -> dict[str, bytes]:
    made = model if model is not None else conv((0, 0))
    return {"model.onnx": made.SerializeToString(), "onnx.json": description(**changes)}


def nnunet_files(sides: tuple[int, ...] = (8, 32, 32), **labels: int) -> dict[str, bytes]:
    """A network with the files that nnU-Net v2 leaves beside it."""
    hu = {"mean": -400.0, "std": 300.0, "percentile_00_5": -1000.0, "percentile_99_5": 200.0, "min": -1024, "max": 3071}
    configuration = {"patch_size": list(sides), "normalization_schemes": ["CTNormalization"], "batch_size": 2}
    plans = {
        "transpose_forward": [0, 1, 2],
        "configurations": {
            "2d": {**configuration, "patch_size": [32, 32], "spacing": [1.0, 1.0]},
            "3d_fullres": {**configuration, "spacing": [2.5, 1.0, 1.0]},
        },
        "foreground_intensity_properties_per_channel": {"0": hu},
    }
    dataset = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **(labels or {KEY: 1})},
        "file_ending": ".nii.gz",
    }
    return {
        "model.onnx": conv(sides, bias=0.0).SerializeToString(),
        "plans.json": json.dumps(plans).encode(),
        "dataset.json": json.dumps(dataset).encode(),
    }


def with_weights(files: Mapping[str, bytes], body: bytes) -> dict[str, bytes]:
    """Other weights under the right name, with the hash that fits."""
    card = json.loads(files["model.json"])
    card["weights_sha256"] = hashlib.sha256(body).hexdigest()
    return {"model.json": json.dumps(card).encode(), "weights.safetensors": body}


def with_config(files: Mapping[str, bytes], **changes: Any) -> dict[str, bytes]:
    """Another configuration in the card."""
    card = json.loads(files["model.json"])
    card["config"] |= changes
    return {**files, "model.json": json.dumps(card).encode()}
