"""A model on disk is safetensors and JSON, and no other format is loaded."""

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlservice.contract.config import WEIGHTS
from mlservice.networks import build_network
from mlservice.predict import find
from mlservice.weights import CARD, load_model, save_model
from tests.ml.bodies import tiny
from voxloop.child import ContractError

# What models had before these fields were in a card.
PLAIN: dict[str, Any] = {
    "lung_channel": False,
    "channels_last": False,
    "ema": 0.0,
    "threshold": 0.5,
    "paste_share": 0.0,
    "haze_share": 0.0,
    "consolidation_share": 0.0,
    "sure": 0.0,
    "calibrate": False,
    "validation_share": 0.0,
    "validate_every": 0,
    "patience": 0,
}


class Bomb:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


@pytest.fixture
def model(tmp_path: Path) -> Any:
    torch.manual_seed(3)
    network = build_network(tiny("demo"))
    folder = tmp_path / "model"
    folder.mkdir()
    save_model(folder, network, tiny("demo"), manifest_hash="ab", seed=3, metrics={"training_loss": 0.5})
    return folder, network


def test_a_model_comes_back_as_it_was(model: Any) -> None:
    folder, network = model
    loaded, card = load_model(folder)
    assert sorted(path.name for path in folder.iterdir()) == [CARD, WEIGHTS]
    assert card.config == tiny("demo")
    assert card.manifest_hash == "ab"
    assert set(card.versions) == {"python", "torch", "monai"}
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


def test_a_model_from_before_the_lung_channel_is_what_it_was(model: Any) -> None:
    """Its card lacks the newer fields."""
    folder, _ = model
    config = tiny("demo", loss="dice_ce", min_island_ml=0.5, precision="fp32", **PLAIN)
    torch.manual_seed(3)
    save_model(folder, build_network(config), config, manifest_hash="ab", seed=3, metrics={"training_loss": 0.5})
    card = json.loads((folder / CARD).read_text())
    for name in PLAIN:
        del card["config"][name]
    (folder / CARD).write_text(json.dumps(card))
    loaded, read = load_model(folder)
    assert read.config == config
    assert next(loaded.parameters()).shape[1] == 1
    volume, lungs = np.full((2, 64, 64), -800, np.int16), np.ones((2, 64, 64), bool)
    found = find(loaded.eval(), volume, (4.0, 1.8, 1.8), lungs, read.config, torch.device("cpu"))
    assert found.probability.shape == volume.shape


def refused(folder: Path) -> None:
    with pytest.raises(ContractError) as refusal:
        load_model(folder)
    assert refusal.value.code == "bad_model"


def test_pickle_refused(model: Any, tmp_path: Path) -> None:
    """CVE-2025-32434: a pickle under the right name, with the right checksum, must not run."""
    folder, network = model
    trap = tmp_path / "sprung"
    for body in (pickle.dumps(Bomb(trap)), _torch_file(tmp_path, network)):
        (folder / WEIGHTS).write_bytes(body)
        card = json.loads((folder / CARD).read_text())

        card["weights_sha256"] = hashlib.sha256(body).hexdigest()
        (folder / CARD).write_text(json.dumps(card))
        refused(folder)
    assert not trap.exists()


def test_other_files_are_not_looked_for(model: Any, tmp_path: Path) -> None:
    folder, network = model
    (folder / WEIGHTS).unlink()
    torch.save(network.state_dict(), folder / "weights.pt")
    refused(folder)


def test_a_changed_byte_is_refused(model: Any) -> None:
    folder, _ = model
    body = bytearray((folder / WEIGHTS).read_bytes())
    body[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(body))
    refused(folder)


def test_weights_of_another_network_are_refused(model: Any) -> None:
    folder, _ = model
    card = json.loads((folder / CARD).read_text())
    card["config"]["features"] = [16, 16, 32, 64, 128, 16]
    (folder / CARD).write_text(json.dumps(card))
    refused(folder)


def test_no_card_no_model(model: Any) -> None:
    folder, _ = model
    (folder / CARD).unlink()
    refused(folder)


def _torch_file(tmp_path: Path, network: Any) -> Any:
    torch.save(network.state_dict(), tmp_path / "w.pt")
    return (tmp_path / "w.pt").read_bytes()
