"""A model that leaves: the folder predicts without the platform, its ONNX file and its MONAI bundle say the same."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import onnxruntime
import pytest
import torch
from monai.bundle.config_parser import ConfigParser

from mlservice import export as exporting
from mlservice import to_onnx
from mlservice.alone import main
from mlservice.check import check
from mlservice.contract import CheckRequest, ExportRequest
from mlservice.export import export
from mlservice.networks import build_network, probabilities
from mlservice.predict import find
from mlservice.weights import load_model
from tests.factories.brought import files_of, onnx_files, own_model, zipped
from tests.ml.bodies import OPACITY, SPACING, make_scan, tiny
from voxloop.child import ContractError
from voxloop.child.inside import ChildFolder
from voxloop.volume.growing import lung_limit

CARD = "# Model m3\n"
LARGE = (6.0, 2.7, 2.7)  # mm of a voxel: lungs of the size of lungs


def packed(tmp_path: Path, model: Path) -> tuple[Any, Path]:
    """The result of the stage, and the unpacked folder."""
    job = tmp_path / "job"
    job.mkdir()
    done = export(ExportRequest(str(model), "chest-ct-m3", CARD, "lungs", {"data_source": "masks"}), ChildFolder(job))
    with zipfile.ZipFile(job / done.file) as archive:
        archive.extractall(tmp_path / "elsewhere")
    return done, tmp_path / "elsewhere" / "chest-ct-m3"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_model(tmp_path_factory.mktemp("own") / "m")


@pytest.fixture(scope="module")
def away(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    return packed(tmp_path_factory.mktemp("away"), model)


def nifti(tmp_path: Path, codes: str) -> tuple[np.ndarray[Any, np.dtype[np.int16]], Path]:
    """A scan as zyx in LPS, and as a file whose axes point as `codes` says."""
    hu = np.load(Path(make_scan(tmp_path, "a", 5).folder) / "volume.npy")
    z, y, x = LARGE
    image = nibabel.Nifti1Image(hu.transpose(2, 1, 0), np.diag([-x, -y, z, 1.0]))
    wanted = nibabel.orientations.axcodes2ornt(tuple(codes))
    turned = image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), wanted))
    nibabel.save(turned, tmp_path / "scan.nii.gz")
    return hu, tmp_path / "scan.nii.gz"


def test_the_folder_predicts_without_the_platform(away: tuple[Any, Path], model: Path, tmp_path: Path) -> None:
    _, folder = away
    hu, scan = nifti(tmp_path, "RAS")
    # What must not be needed cannot be imported.
    for name in ("django", "psycopg", "celery", "annotation", "onnxruntime", "onnx"):
        (tmp_path / "absent" / name).mkdir(parents=True)
        (tmp_path / "absent" / name / "__init__.py").write_text(f"raise ImportError('{name} is absent')")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "absent"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mlservice",
            "predict",
            ".",
            str(scan),
            "--to",
            str(tmp_path / "masks"),
            "--threads",
            "1",
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    mask = nibabel.load(told["mask"])
    assert isinstance(mask, nibabel.Nifti1Image)
    original = nibabel.load(scan)
    assert isinstance(original, nibabel.Nifti1Image)
    assert (mask.shape, mask.get_data_dtype()) == (original.shape, np.uint8)
    assert np.allclose(mask.affine, original.affine)
    # The platform says the same, voxel by voxel.
    network, card = load_model(model)
    lungs = lung_limit(hu, LARGE)[0]
    assert lungs is not None
    found = find(network.eval(), hu, LARGE, lungs, card.config, torch.device("cpu")).labels
    back = nibabel.as_closest_canonical(mask)
    ours = np.asarray(back.dataobj)[::-1, ::-1].transpose(2, 1, 0)
    assert found.any()
    assert float((ours != found).mean()) < 1e-4
    assert told["ml"]["infectious_opacity"] > 0


def test_the_folder_is_whole_and_holds_no_pickle(away: tuple[Any, Path]) -> None:
    done, folder = away
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False).returncode == 0
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    names = {name for name in names if "__pycache__" not in name}  # of a prediction in it
    assert done.files == len(names)
    assert done.onnx_difference <= 1e-4
    assert {"model.json", "weights.safetensors", "model.onnx", "onnx.json", "CARD.md", "README.md", "LICENSE"} <= names
    assert {"configs/metadata.json", "configs/inference.json", "docs/README.md", "mlservice/__main__.py"} <= names
    assert not [name for name in names if name.startswith("annotation") or "django" in name.lower()]
    assert not {Path(name).suffix for name in names} & {".pt", ".pth", ".pkl", ".ts"}
    assert "torch==" in (folder / "requirements.txt").read_text()


def test_onnx_says_what_torch_says(tmp_path: Path) -> None:
    """`demo`, on slices of any size, is the model of `away`."""
    torch.manual_seed(1)
    config = tiny("lesion-3d")
    network = build_network(config).eval()
    worst = to_onnx.write_onnx(network, config, tmp_path / "m.onnx")
    assert worst <= 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    images = torch.rand((2, config.inputs, *config.patch_zyx))
    with torch.inference_mode():
        ours = probabilities(network(images), config).numpy()
    assert float(np.abs(session.run(None, {"image": images.numpy()})[0] - ours).max()) <= 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_another_network_is_no_export(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(to_onnx, "MOST_DIFFERENCE", -1.0)
    config = tiny("lesion-3d")
    with pytest.raises(ContractError) as refusal:
        to_onnx.write_onnx(torch.nn.Conv3d(config.inputs, config.channels, 1), config, tmp_path / "m.onnx")
    assert refusal.value.code == "onnx_differs"


def test_the_bundle_holds_the_network_with_its_weights(
    away: tuple[Any, Path], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = away
    parser = ConfigParser()
    parser.read_config(folder / "configs" / "inference.json")
    parser["bundle_root"] = str(folder)
    theirs = parser.get_parsed_content("network").cpu()
    ours = load_model(model)[0].eval()
    images = torch.rand((1, 2, 64, 64))
    with torch.inference_mode():
        assert torch.equal(theirs(images), ours(images))
    metadata = json.loads((folder / "configs" / "metadata.json").read_text())
    assert metadata["network_data_format"]["outputs"]["probability"]["channel_def"] == {
        "0": "background",
        "1": "infectious_opacity",
    }


def test_what_left_comes_back_and_its_onnx_file_too(away: tuple[Any, Path], tmp_path: Path) -> None:
    """As the folder, and as the bare ONNX file with its description: both label alike."""
    _, folder = away
    files = files_of_tree(folder)
    bare = {name: files[name] for name in ("model.onnx", "onnx.json")}
    hu = np.load(Path(make_scan(tmp_path, "a", 5).folder) / "volume.npy")
    shares = []
    for number, (form, sent) in enumerate((("voxloop", files), ("onnx", bare))):
        job = tmp_path / str(number)
        job.mkdir()
        (job / "upload.zip").write_bytes(zipped(sent))
        assert check(CheckRequest("upload.zip", (OPACITY,), 1), ChildFolder(job)).form == form
        network, card = load_model(job / "model")
        lungs = np.ones(hu.shape, bool)
        shares.append(find(network.eval(), hu, SPACING, lungs, card.config, torch.device("cpu")).probability)
    # Windows against whole slices: batch norm has no statistics of its own, so only the edges of windows differ.
    assert float(np.abs(shares[0] - shares[1]).mean()) < 0.01


def files_of_tree(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_model_that_came_as_onnx_leaves_as_onnx(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "upload.zip").write_bytes(zipped(onnx_files()))
    check(CheckRequest("upload.zip", (OPACITY,), 1), ChildFolder(tmp_path / "in"))
    done, folder = packed(tmp_path, tmp_path / "in" / "model")
    assert done.onnx_difference is None
    assert (folder / "model.onnx").read_bytes() == files_of(tmp_path / "in" / "model")["model.onnx"]
    assert "onnxruntime==" in (folder / "requirements.txt").read_text()
    assert not (folder / "configs").exists()
    _, scan = nifti(tmp_path, "LPS")
    assert main(["predict", str(folder), str(scan), "--to", str(tmp_path / "masks")]) == 0


def test_the_command_refuses_in_one_sentence(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scan.txt").write_text("x")
    (tmp_path / "scan.nii").write_text("x")
    for folder, scan, code in (
        (model, "scan.txt", "bad_scan"),
        (model, "scan.nii", "bad_nifti"),
        (tmp_path, "scan.nii", "bad_model"),
    ):
        assert main(["predict", str(folder), str(tmp_path / scan), "--to", str(tmp_path)]) == 1
        assert capsys.readouterr().err.startswith(f"{code}: ")
    assert main(["predict", str(model), str(tmp_path / "none.nii"), "--to", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("file_error: ")


def test_packing_the_same_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"1")
        exporting._pack(tmp_path / name, "m", tmp_path / f"{name}.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
