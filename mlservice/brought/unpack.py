"""Take the known files out of a zip that was sent. No name of the zip becomes a path."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from mlservice.contract.config import ONNX, WEIGHTS
from voxloop.child import ContractError

MIB = 1 << 20
MODEL, DESCRIPTOR = "model.json", "onnx.json"
PLANS, DATASET = "plans.json", "dataset.json"
# The most bytes of each file that is read; others are left where they are.
KNOWN = {MODEL: MIB, WEIGHTS: 1024 * MIB, ONNX: 1024 * MIB, DESCRIPTOR: MIB, PLANS: 16 * MIB, DATASET: 16 * MIB}
MOST_FILES = 5000
MOST_RATIO = 100  # weights hardly shrink
PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".ts", ".npy", ".npz"}
# How the files begin that torch.save and pickle write.
PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


def unpack(source: Path, into: Path) -> None:
    """Write the known files of the zip's one model into the folder `into`, under their known names.

    Raises ContractError: `model_pickle`, `model_unknown`, and those of a hostile zip (`archive_broken`, `archive_path`,
    `archive_ratio`, `archive_too_large`, `too_many_files`)."""
    try:
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_members(members)
            for name, member in _files_of_the_model(members).items():
                _write(archive, member, into / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, ContractError):
            raise
        raise ContractError(
            "archive_broken", "The file is not a whole zip, or packed in an unknown way; pack the model again."
        ) from error
    for name in (WEIGHTS, ONNX):
        if (into / name).exists() and (into / name).read_bytes()[:4].startswith(PICKLED):
            raise _pickle(name)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_FILES:
        raise ContractError("too_many_files", f"The zip holds more than {MOST_FILES} files; send the model alone.")
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in member.filename:
            raise ContractError("archive_path", "The zip names a file outside its own folder; pack it again.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ContractError("archive_path", "The zip holds a link; pack the files themselves.")
        if member.flag_bits & 0x1:
            raise ContractError("archive_broken", "The zip is encrypted; send it without a password.")
        if PurePosixPath(parts[-1]).suffix.lower() in PICKLES:
            raise _pickle(parts[-1][-60:])


def _pickle(name: str) -> ContractError:
    return ContractError(
        "model_pickle",
        f"{name} may hold a pickle, which can run code when it is read; send weights.safetensors or model.onnx.",
    )


def _files_of_the_model(members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The known files of the one folder that holds a model."""
    folders: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.name in KNOWN:
            found = folders.setdefault(path.parent, {})
            if path.name in found:
                raise ContractError("archive_broken", f"The zip holds {path.name} twice; pack the model again.")
            found[path.name] = member
    models = [files for files in folders.values() if MODEL in files or ONNX in files]
    if len(models) != 1:
        many = "more than one model; send one" if models else f"neither {MODEL} nor {ONNX}"
        raise ContractError("model_unknown", f"The zip holds {many}. The documentation lists what can be brought.")
    return models[0]


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    most = KNOWN[target.name]
    if member.file_size > most:
        raise ContractError("archive_too_large", f"{target.name} is larger than the {most // MIB} MiB that are read.")
    if member.file_size > MIB and member.file_size > MOST_RATIO * max(1, member.compress_size):
        raise ContractError(
            "archive_ratio", f"{target.name} unpacks to over {MOST_RATIO} times its size; no model does."
        )
    written = 0
    with archive.open(member) as packed, target.open("xb") as handle:
        while block := packed.read(MIB):
            written += len(block)
            if written > member.file_size:
                raise ContractError("archive_broken", "The zip holds more than it declares; pack the model again.")
            handle.write(block)
