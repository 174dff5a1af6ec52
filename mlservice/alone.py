"""Label scans with the folder of a model, without the platform: `python -m mlservice predict FOLDER SCAN …`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import torch
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from mlservice.networks import choose_device, put_on_device
from mlservice.predict import find
from mlservice.scans import Labels, Volume, volume_ml
from mlservice.weights import load_model
from voxloop.child import ContractError, Document, read_json
from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.growing import lung_limit
from voxloop.volume.nifti import affine_mm, open_image

LOWEST_HU, HIGHEST_HU, PADDING_HU = -(1 << 15), (1 << 15) - 1, -1024  # as an import reads NIfTI
INSIDE = "LPS"  # axes of a volume: to the left, to the back, to the head
SUFFIXES = (".nii.gz", ".nii")
OK, FAILED = 0, 1
USE = "use.json"

Told = Callable[[dict[str, Any]], None]


class Use(Document, frozen=True):
    """`use.json`: what a prediction needs to know that is not the network's. `limit` is "lungs" where nothing farther
    than 10 mm from the lungs is a finding, else ""."""

    limit: str


def label_files(
    folder: Path | str,
    scans: Sequence[Path | str],
    into: Path | str,
    *,
    threads: int = 0,
    tell: Told | None = None,
) -> list[Path]:
    """Write `<into>/<scan>_mask.nii.gz` for each NIfTI file of a CT, on its own grid; returns the paths. `tell` gets
    the figures of each scan. Raises ContractError (`bad_model`, `bad_scan`), FormatError and OSError."""
    folder, into = Path(folder), Path(into)
    into.mkdir(parents=True, exist_ok=True)
    if threads:
        torch.set_num_threads(threads)
    network, card = load_model(folder)
    config = card.config
    device = choose_device(config)
    if threads:
        torch.set_num_threads(threads)
    put_on_device(network, config, device).eval()
    limit = read_json(Use, folder / USE).limit if (folder / USE).exists() else "lungs"
    written = []
    for scan in map(Path, scans):
        began = time.monotonic()
        image, transform = _open(scan)
        hu, spacing = _read(image, transform)
        lungs = lung_limit(hu, spacing)[0] if limit == "lungs" or config.lung_channel else None
        found = find(network, hu, spacing, lungs, config, device)
        target = into / f"{_stem(scan)}_mask.nii.gz"
        _write(target, found.labels, image, transform)
        voxels = np.bincount(found.labels.reshape(-1), minlength=256)
        amounts = {each.key: round(volume_ml(float(voxels[each.id]), spacing), 3) for each in config.classes}
        seconds = round(time.monotonic() - began, 2)
        if tell:
            tell({"scan": scan.name, "mask": str(target), "ml": amounts, "seconds": seconds})
        written.append(target)
    return written


def _open(path: Path) -> tuple[Any, npt.NDArray[np.float64]]:
    if not path.name.lower().endswith(SUFFIXES):
        raise ContractError("bad_scan", f"{path.name} is no NIfTI file (.nii, .nii.gz).")
    image = open_image(path)
    transform = ornt_transform(io_orientation(affine_mm(image)), axcodes2ornt(INSIDE))
    if np.isnan(transform).any():
        raise ContractError("bad_scan", f"The axes of {path.name} cannot be told apart.")
    return image, transform


def _read(image: Any, transform: npt.NDArray[np.float64]) -> tuple[Volume, tuple[float, float, float]]:
    """HU, int16, zyx, and the spacing in mm, as an import makes them."""
    values = np.asarray(image.dataobj, np.float32).reshape(image.shape[:3])
    clipped = np.rint(np.clip(np.nan_to_num(values, nan=PADDING_HU), LOWEST_HU, HIGHEST_HU)).astype(np.int16)
    hu_zyx = np.ascontiguousarray(apply_orientation(clipped, transform).transpose(2, 1, 0))
    moved = affine_mm(image) @ inv_ornt_aff(transform, image.shape[:3])
    return hu_zyx, Geometry.from_ras_affine(hu_zyx.shape, moved).spacing_mm_zyx


def _write(path: Path, labels_zyx: Labels, image: Any, transform: npt.NDArray[np.float64]) -> None:
    """The labels with the axes and the affine of the image."""
    back = ornt_transform(axcodes2ornt(INSIDE), io_orientation(affine_mm(image)))
    labels = np.ascontiguousarray(apply_orientation(labels_zyx.transpose(2, 1, 0), back))
    mask = nibabel.Nifti1Image(labels.reshape(image.shape), image.affine, image.header)
    mask.header.set_data_dtype(np.uint8)
    mask.header.set_slope_inter(1.0, 0.0)
    nibabel.save(mask, path)


def _stem(path: Path) -> str:
    suffix = next(suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix))
    return path.name[: -len(suffix)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 0, 1 for a refusal, and 2 (by argparse) for bad arguments."""
    parser = argparse.ArgumentParser("python -m mlservice", description="Label CT scans with the folder of a model.")
    commands = parser.add_subparsers(dest="command", required=True)
    predict = commands.add_parser("predict", help="write a mask for each scan")
    predict.add_argument("folder", type=Path, help="folder of the model (model.json and its weights)")
    predict.add_argument("scans", type=Path, nargs="+", metavar="scan", help="CT in HU, .nii or .nii.gz")
    predict.add_argument("--to", type=Path, default=Path("."), metavar="FOLDER", help="where the masks go; here")
    predict.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads; as the model's card")
    asked = parser.parse_args(arguments)

    def tell(facts: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    try:
        label_files(asked.folder, asked.scans, asked.to, threads=max(0, asked.threads), tell=tell)
    except (ContractError, FormatError) as refusal:
        sys.stderr.write(f"{refusal.code}: {refusal}\n")
        return FAILED
    except OSError as error:
        sys.stderr.write(f"file_error: {error}\n")
        return FAILED
    return OK
