"""A model on disk is safetensors and JSON, and nothing else is ever loaded."""

import json
import pickle

import pytest
import torch

from mlservice.contract import ContractError
from mlservice.networks import build_network
from mlservice.weights import CARD, WEIGHTS, load_model, save_model
from tests.ml.bodies import tiny


class Bomb:
    """Leaves a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(3)
    network = build_network(tiny("demo"))
    folder = tmp_path / "model"
    folder.mkdir()
    save_model(folder, network, tiny("demo"), manifest_hash="ab", seed=3, loss=0.5)
    return folder, network


def test_a_model_comes_back_as_it_was(model):
    folder, network = model
    loaded, card = load_model(folder)
    assert sorted(path.name for path in folder.iterdir()) == [CARD, WEIGHTS]
    assert card.config == tiny("demo")
    assert card.manifest_hash == "ab"
    assert set(card.versions) == {"python", "torch", "monai"}
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


def refused(folder):
    with pytest.raises(ContractError) as refusal:
        load_model(folder)
    assert refusal.value.code == "bad_model"


def test_pickle_refused(model, tmp_path):
    """CVE-2025-32434: a pickle under the right name, with the right checksum, must not run."""
    folder, network = model
    trap = tmp_path / "sprung"
    for body in (pickle.dumps(Bomb(trap)), _torch_file(tmp_path, network)):
        (folder / WEIGHTS).write_bytes(body)
        card = json.loads((folder / CARD).read_text())
        import hashlib

        card["weights_sha256"] = hashlib.sha256(body).hexdigest()
        (folder / CARD).write_text(json.dumps(card))
        refused(folder)
    assert not trap.exists()


def test_other_files_are_not_looked_for(model, tmp_path):
    folder, network = model
    (folder / WEIGHTS).unlink()
    torch.save(network.state_dict(), folder / "weights.pt")
    refused(folder)


def test_a_changed_byte_is_refused(model):
    folder, _ = model
    body = bytearray((folder / WEIGHTS).read_bytes())
    body[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(body))
    refused(folder)


def test_weights_of_another_network_are_refused(model):
    folder, _ = model
    card = json.loads((folder / CARD).read_text())
    card["config"]["features"] = [16, 16, 32, 64, 128, 16]
    (folder / CARD).write_text(json.dumps(card))
    refused(folder)


def test_no_card_no_model(model):
    folder, _ = model
    (folder / CARD).unlink()
    refused(folder)


def _torch_file(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "w.pt")
    return (tmp_path / "w.pt").read_bytes()
