"""Stage `export`: a folder of a model, as a zip, that predicts without the platform."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
import zipfile
from pathlib import Path

import mlservice
from mlservice.alone import USE, Use
from mlservice.contract.config import ONNX, weights_name
from mlservice.contract.requests import ExportRequest
from mlservice.contract.results import ExportResult
from mlservice.portable import (
    bundle_inference,
    bundle_metadata,
    code_files,
    describe_onnx,
    readme,
    requirements,
)
from mlservice.to_onnx import write_onnx
from mlservice.weights import CARD, load_model
from voxloop.child import write_json
from voxloop.child.inside import ChildFolder, run_inside

FILE, SUMS = "portable.zip", "SHA256SUMS"
STEPS = 3
MIDNIGHT_1980 = (1980, 1, 1, 0, 0, 0)  # equal content gives equal bytes


def export(request: ExportRequest, job: ChildFolder) -> ExportResult:
    """Raises ContractError `bad_model`, `onnx_differs`."""
    began = time.monotonic()
    source = job.path(request.model)
    network, card = load_model(source)
    folder = job.fresh("portable")
    job.report(0, STEPS, "Writing the network as ONNX")
    for name in (CARD, weights_name(card.config.network)):
        shutil.copyfile(source / name, folder / name)
    difference = None
    if not card.config.is_onnx:
        difference = write_onnx(network, card.config, folder / ONNX)
        write_json(folder / "onnx.json", describe_onnx(card.config, _sha256(folder / ONNX)))
        (folder / "configs").mkdir()
        _write_plain(folder / "configs" / "metadata.json", bundle_metadata(card, request.name, request.facts))
        _write_plain(folder / "configs" / "inference.json", bundle_inference(card.config))
        (folder / "docs").mkdir()
        (folder / "docs" / "README.md").write_text(request.card, "utf-8")
    job.report(1, STEPS, "Adding the code that predicts")
    write_json(folder / USE, Use(request.limit))
    (folder / "CARD.md").write_text(request.card, "utf-8")
    (folder / "README.md").write_text(readme(request.name, card.config), "utf-8")
    (folder / "requirements.txt").write_text(requirements(card.config), "utf-8")
    for name, path in [*code_files(), *_licence()]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    job.report(2, STEPS, "Packing")
    files = _pack(folder, request.name, job.folder / FILE)
    shutil.rmtree(folder)
    size = (job.folder / FILE).stat().st_size
    return ExportResult(FILE, files, size, difference, round(time.monotonic() - began, 2))


def _pack(folder: Path, name: str, target: Path) -> int:
    """Zip the folder with its sums; returns the number of files."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    (folder / SUMS).write_text("".join(f"{_sha256(folder / path)}  {path}\n" for path in paths), "utf-8")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [*paths, SUMS]:
            entry = zipfile.ZipInfo(f"{name}/{path}", MIDNIGHT_1980)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with (folder / path).open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(source, packed, 1 << 20)
    return len(paths) + 1


def _licence() -> list[tuple[str, Path]]:
    """The licence of the code, where it was installed with its sources."""
    path = Path(mlservice.__path__[0]).parent / "LICENSE"
    return [("LICENSE", path)] if path.is_file() else []


def _write_plain(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(run_inside(ExportRequest, export))
