"""Models that were made elsewhere: what is taken, and what is refused, by code, before anything of it runs."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load, save

from mlservice.brought import graphs, tensors, unpack
from mlservice.check import check
from mlservice.contract import CheckRequest, CheckResult, Segment, TrainRequest
from mlservice.contract.requests import ScanRef
from mlservice.networks import build_network, put_on_device
from mlservice.predict import find
from mlservice.scans import Labels, Volume
from mlservice.weights import ModelCard, load_model
from tests.factories.brought import (
    KEY,
    conv,
    description,
    files_of,
    graph,
    nnunet_files,
    onnx_files,
    own_model,
    with_config,
    with_weights,
    zipped,
)
from tests.ml.test_weights import Bomb
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder

SEGMENTS = (Segment(7, KEY), Segment(9, "nodule"))
SPACING = (5.0, 1.0, 1.0)


def brought(tmp_path: Path, body: bytes) -> CheckResult:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "upload.zip").write_bytes(body)
    return check(CheckRequest("upload.zip", SEGMENTS, 1), ChildFolder(tmp_path / "job"))


def said(tmp_path: Path) -> ModelCard:
    return load_model(tmp_path / "job" / "model")[1]


def code_of(tmp_path: Path, body: bytes) -> str:
    with pytest.raises(ContractError) as refusal:
        brought(tmp_path, body)
    assert refusal.value.sentence.endswith(".")
    assert not (tmp_path / "job" / "model" / "model.json").exists() or refusal.value.code in (
        "model_fails",
        "model_shape",
    )
    return refusal.value.code


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_of(own_model(tmp_path_factory.mktemp("own") / "m"))


def test_a_folder_of_ours_comes_back_with_the_ids_of_the_campaign(own: dict[str, bytes], tmp_path: Path) -> None:
    result = brought(tmp_path, zipped({**own, "README.md": b"x", "mlservice/a.py": b"raise SystemExit"}))
    card = said(tmp_path)
    assert (result.form, result.weights_sha256) == ("voxloop", json.loads(own["model.json"])["weights_sha256"])
    assert [(each.id, each.key) for each in card.config.classes] == [(7, KEY)]
    assert card.manifest_hash == "ab"
    assert sorted(path.name for path in (tmp_path / "job").iterdir()) == ["model", "progress.jsonl", "upload.zip"]


def labels_of(folder: Path, hu: Volume) -> Labels:
    network, card = load_model(folder)
    device = torch.device("cpu")
    lungs = np.ones(hu.shape, bool)
    return find(put_on_device(network, card.config, device).eval(), hu, SPACING, lungs, card.config, device).labels


def bright_box() -> Volume:
    hu = np.full((9, 70, 50), -900, np.int16)
    hu[3:6, 20:40, 10:30] = -100
    return hu


@pytest.mark.parametrize(
    ("answers", "bias"), [("logits", -2.0), ("sigmoid", -2.0)], ids=["softmax over classes", "each class alone"]
)
def test_an_onnx_file_with_a_description_marks_what_it_should(answers: str, bias: float, tmp_path: Path) -> None:
    model = conv((0, 0), bias=bias)
    if answers == "sigmoid":  # one channel for the class, none for the background
        weights = numpy_helper.from_array(np.full((1, 1, 1, 1), 4.0, np.float32), "w")
        node = helper.make_node("Conv", ["x", "w", "b"], ["y"])
        model = graph([node], (0, 0), 1, [weights, numpy_helper.from_array(np.array([bias], np.float32), "b")])
    result = brought(tmp_path, zipped(onnx_files(model, answers=answers)))
    assert (result.form, said(tmp_path).config.network) == ("onnx", "onnx_2d")
    found = labels_of(tmp_path / "job" / "model", bright_box())
    assert np.array_equal(found == 7, bright_box() == -100)


def test_a_network_of_nnunet_needs_no_description_of_ours(tmp_path: Path) -> None:
    result = brought(tmp_path, zipped(nnunet_files()))
    config = said(tmp_path).config
    assert (result.form, config.network, config.patch_zyx) == ("nnunet", "onnx_3d", (8, 32, 32))
    assert (config.window_hu, config.mean_and_deviation_hu) == ((-1000.0, 200.0), (-400.0, 300.0))
    found = labels_of(tmp_path / "job" / "model", bright_box())
    z, y, x = np.nonzero(found == 7)
    assert (found.shape, int(y.min()), int(x.max())) == ((9, 70, 50), 20, 29)
    assert z.size > 0


def test_a_network_of_slices_follows_the_2d_plans(tmp_path: Path) -> None:
    brought(tmp_path, zipped({**nnunet_files(), "model.onnx": conv((32, 32)).SerializeToString()}))
    config = said(tmp_path).config
    assert (config.network, config.patch_zyx, config.spacing_mm_zyx) == ("onnx_2d", (1, 32, 32), (0.0, 1.0, 1.0))


def test_a_brought_network_is_neither_built_nor_trained(tmp_path: Path) -> None:
    brought(tmp_path, zipped(onnx_files()))
    config = said(tmp_path).config
    with pytest.raises(ContractError) as refusal:
        build_network(config)
    assert refusal.value.code == "bad_model"
    with pytest.raises(ContractError):
        TrainRequest(config, (ScanRef("a", "A", "a", SPACING),), 1, "f")


def test_pickles_are_refused_by_name_and_by_content(own: dict[str, bytes], tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    saved = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, saved)
    bodies = [
        zipped({**own, "models/model.pt": b"x"}),
        zipped(with_weights(own, pickle.dumps(Bomb(trap)))),
        zipped(with_weights(own, saved.getvalue())),
        zipped({**onnx_files(), "model.onnx": pickle.dumps(Bomb(trap))}),
    ]
    for number, body in enumerate(bodies):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert code_of(folder, body) == "model_pickle"
    assert not trap.exists()


def lying_header() -> bytes:
    """A safetensors file that declares a tensor of 4 TB and holds four bytes."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 20, 1 << 20], "data_offsets": [0, 4 << 40]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * 4


def not_numbers(own: dict[str, bytes]) -> bytes:
    state = load(own["weights.safetensors"])
    name = next(name for name, tensor in state.items() if tensor.is_floating_point())
    state[name].view(-1)[0] = float("nan")
    return save(state)


OWN: dict[str, tuple[str, Callable[[dict[str, bytes]], dict[str, bytes]]]] = {
    "no weights": ("model_unknown", lambda own: {"model.json": own["model.json"]}),
    "another hash": ("model_hash", lambda own: {**own, "weights.safetensors": own["weights.safetensors"] + b"\0"}),
    "a tensor of 4 TB": ("model_tensor", lambda own: with_weights(own, lying_header())),
    "no safetensors": ("model_tensor", lambda own: with_weights(own, b"\0" * 64)),
    "not numbers": ("model_tensor", lambda own: with_weights(own, not_numbers(own))),
    "a tensor less": ("model_shape", lambda own: with_weights(own, save({"w": torch.zeros(2)}))),
    "another shape": ("model_shape", lambda own: with_config(own, features=[16, 16, 32, 64, 128, 16])),
    "absurd levels": ("model_shape", lambda own: with_config(own, features=[10**9] * 6)),
    "too few levels": ("model_shape", lambda own: with_config(own, features=[16, 16])),
    "a huge patch": ("model_card", lambda own: with_config(own, patch_zyx=[1, 4096, 4096])),
    "a tiny spacing": ("model_card", lambda own: with_config(own, spacing_mm_zyx=[0.0001, 1, 1])),
    "an unknown field": ("model_card", lambda own: with_config(own, run="rm")),
    "no card": ("model_card", lambda own: {**own, "model.json": b"{"}),
    "another class": ("model_segments", lambda own: with_config(own, classes=[{"id": 1, "key": "liver"}])),
}


@pytest.mark.parametrize("what", OWN)
def test_a_poisoned_folder_is_refused(what: str, own: dict[str, bytes], tmp_path: Path) -> None:
    code, poison = OWN[what]
    assert code_of(tmp_path, zipped(poison(own))) == code


def external() -> bytes:
    model = conv((0, 0))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/hostname")
    return bytes(model.SerializeToString())


def declared(*dims: int) -> bytes:
    model = conv((0, 0))
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    return bytes(model.SerializeToString())


def looped() -> bytes:
    body = helper.make_graph([], "body", [], [])
    return bytes(graph([helper.make_node("Loop", ["", "x"], ["y"], body=body)], (0, 0)).SerializeToString())


def node(kind: str, domain: str = "", **options: Any) -> bytes:
    made = helper.make_node(kind, ["x"], ["y"], domain=domain, **options)
    return bytes(graph([made], (0, 0)).SerializeToString())


ONNX: dict[str, tuple[str, dict[str, bytes]]] = {
    "no description": ("model_card", {"model.onnx": conv((0, 0)).SerializeToString()}),
    "another hash": ("model_hash", onnx_files(sha256="0" * 64)),
    "no ONNX": ("model_onnx", {**onnx_files(), "model.onnx": b"\xff" * 64}),
    "weights elsewhere": ("model_external", {**onnx_files(), "model.onnx": external()}),
    "a tensor of 4 TB": ("model_tensor", {**onnx_files(), "model.onnx": declared(1 << 20, 1 << 20)}),
    "a loop": ("model_operator", {**onnx_files(), "model.onnx": looped()}),
    "an operator of others": ("model_operator", {**onnx_files(), "model.onnx": node("PyOp", "com.example")}),
    "two inputs": ("model_onnx", onnx_files(graph([helper.make_node("Add", ["x", "xx"], ["y"])], (0, 0), inputs=2))),
    "four channels": ("model_shape", onnx_files(conv((0, 0), channels=4))),
    "three classes": ("model_shape", onnx_files(conv((0, 0), classes=3))),
    "an answer of another size": (
        "model_shape",
        {**onnx_files(), "model.onnx": node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])},
    ),
    "not numbers": ("model_fails", onnx_files(conv((0, 0), bias=float("inf")))),
    "an unknown class": ("model_segments", onnx_files(classes=["liver"])),
    "a class twice": ("model_segments", onnx_files(classes=[KEY, KEY])),
    "no class": ("model_card", onnx_files(classes=[])),
    "an odd answer": ("model_card", onnx_files(answers="votes")),
    "regions": ("model_card", nnunet_files() | {"dataset.json": b'{"labels": {"background": 0, "a": [1, 2]}}'}),
    "plans of others": ("model_card", nnunet_files() | {"plans.json": b"{}"}),
    "plans that are no JSON": ("model_card", nnunet_files() | {"plans.json": b"["}),
}


@pytest.mark.parametrize("what", ONNX)
def test_a_poisoned_onnx_file_is_refused(what: str, tmp_path: Path) -> None:
    code, files = ONNX[what]
    assert code_of(tmp_path, zipped(files)) == code


def linked() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo("m/model.onnx")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/hostname")
    return body.getvalue()


def bomb() -> bytes:
    return zipped({**onnx_files(), "model.onnx": bytes(4 << 20)}, compress=zipfile.ZIP_DEFLATED)


ZIPS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no zip": ("archive_broken", lambda: b"PK\x03\x04 nothing"),
    "empty": ("model_unknown", lambda: zipped({})),
    "two models": ("model_unknown", lambda: zipped({"a/model.onnx": b"x", "b/model.json": b"x"})),
    "out of its folder": ("archive_path", lambda: zipped({"../../model.json": b"{}"})),
    "an absolute path": ("archive_path", lambda: zipped({"model.json": b"{}"}, inside="/etc/")),
    "a link": ("archive_path", linked),
    "a bomb": ("archive_ratio", bomb),
    "a long description": ("archive_too_large", lambda: zipped(onnx_files() | {"onnx.json": bytes(2 << 20)})),
}


@pytest.mark.parametrize("what", ZIPS)
def test_a_hostile_zip_is_refused(what: str, tmp_path: Path) -> None:
    code, body = ZIPS[what]
    assert code_of(tmp_path, body()) == code
    assert [path.name for path in tmp_path.iterdir()] == ["job"]


def test_limits_on_count_and_size_hold(monkeypatch: pytest.MonkeyPatch, own: dict[str, bytes], tmp_path: Path) -> None:
    monkeypatch.setattr(unpack, "MOST_FILES", 2)
    (tmp_path / "a").mkdir()
    assert code_of(tmp_path / "a", zipped({**own, "README.md": b""})) == "too_many_files"
    monkeypatch.setattr(graphs, "MOST_BYTES", 3)
    (tmp_path / "b").mkdir()
    assert code_of(tmp_path / "b", zipped(onnx_files())) == "model_tensor"
    monkeypatch.setattr(tensors, "MOST_PARAMETERS", 3)
    (tmp_path / "c").mkdir()
    assert code_of(tmp_path / "c", zipped(own)) == "model_tensor"


def test_a_description_with_the_patch_of_the_file(tmp_path: Path) -> None:
    files = {"model.onnx": conv((64, 96)).SerializeToString(), "onnx.json": description()}
    brought(tmp_path, zipped(files))
    assert said(tmp_path).config.patch_zyx == (1, 64, 96)
