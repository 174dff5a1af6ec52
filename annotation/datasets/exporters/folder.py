"""Write a whole release into an empty folder. SHA256SUMS is written last: a release without it is incomplete."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.datasets import verify
from annotation.datasets.exporters import dicom_seg, manifest
from voxloop.storage.objects import sha256_of
from voxloop.volume import nifti
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED, strip_erased
from voxloop.volume.pack.codec import Voxels


@dataclass(frozen=True)
class ScanVoxels:
    """The voxels of one scan in a release: HU, and the labelmap of each layer including erased voxels (255).

    `instance_uids` are the SOP Instance UIDs of its slices in the order of `k`, where they are known.
    """

    hu_zyx: Voxels
    labels_zyx: Mapping[str, npt.NDArray[np.uint8]]
    instance_uids: Sequence[str] | None = None


Load = Callable[[Mapping[str, Any]], ScanVoxels]
Tell = Callable[[int, str], None]


def write_release(folder: Path, frozen: Mapping[str, Any], load: Load, report: Tell) -> str:
    """Write every file of a release; returns its seal (the sha256 of SHA256SUMS). `frozen` is the release's manifest,
    `load` returns the voxels of one of its scans, `report` is called with 0-100 and a sentence before each scan. Equal
    input gives equal bytes. Raises ValueError when voxels are not the frozen ones."""
    files: list[dict[str, Any]] = []
    scans = frozen["scans"]
    for done, scan in enumerate(scans):
        report(95 * done // max(len(scans), 1), f"Writing {scan['code']} ({done + 1} of {len(scans)})")
        _write_scan(folder, frozen, scan, load(scan), files)
    report(95, "Writing the documents")
    documents = {
        "README.md": manifest.readme_document(frozen),
        "labels.json": _pretty(manifest.labels_document(frozen)),
        "dataset.json": _pretty(manifest.dataset_document(frozen)),
    }
    for name, text in documents.items():
        (folder / name).write_text(text, "utf-8")
        files.append(_entry(folder, name, "document"))
    shutil.copyfile(verify.__file__, folder / "verify.py")
    files.append(_entry(folder, "verify.py", "document"))
    (folder / verify.MANIFEST).write_text(_pretty(manifest.manifest_document(frozen, files)), "utf-8")
    sums = {entry["path"]: entry["sha256"] for entry in [*files, _entry(folder, verify.MANIFEST, "document")]}
    (folder / verify.SUMS).write_text(manifest.sums_document(sums), "utf-8")
    return sha256_of(folder / verify.SUMS)


def _write_scan(
    folder: Path, frozen: Mapping[str, Any], scan: Mapping[str, Any], voxels: ScanVoxels, files: list[dict[str, Any]]
) -> None:
    code, geometry = scan["code"], Geometry.from_json(scan)
    image = _path_in(folder, "images", f"{code}.nii.gz")
    nifti.write_image(image, voxels.hu_zyx, geometry)
    files.append(_entry(folder, f"images/{code}.nii.gz", "image", code))
    for name, claim in scan["layers"].items():
        labels_zyx = voxels.labels_zyx[name]
        if verify.content_hash(labels_zyx) != claim["content_hash"]:
            raise ValueError(f"the {name} mask of {code} is not the approved one")
        clean_zyx = strip_erased(labels_zyx)
        subfolder = manifest.folder_of("labels", name, frozen)
        nifti.write_labels(_path_in(folder, subfolder, f"{code}.nii.gz"), clean_zyx, geometry)
        files.append(_entry(folder, f"{subfolder}/{code}.nii.gz", "label", code, name))
        if (labels_zyx == ERASED).any():
            subfolder = manifest.folder_of("erased", name, frozen)
            nifti.write_labels(
                _path_in(folder, subfolder, f"{code}.nii.gz"), (labels_zyx == ERASED).astype(np.uint8), geometry
            )
            files.append(_entry(folder, f"{subfolder}/{code}.nii.gz", "erased", code, name))
        if scan["modality"] == "CT":  # a projection image has no frame of reference
            subfolder = manifest.folder_of("dicom-seg", name, frozen)
            source = dicom_seg.source_of(
                code, scan["subject"] or code, geometry.shape_zyx[0], scan["uids"], voxels.instance_uids
            )
            _write_seg(_path_in(folder, subfolder, f"{code}.dcm"), clean_zyx, geometry, frozen, scan, name, source)
            files.append(_entry(folder, f"{subfolder}/{code}.dcm", "dicom_seg", code, name))


def _write_seg(
    path: Path,
    labels_zyx: npt.NDArray[np.uint8],
    geometry: Geometry,
    frozen: Mapping[str, Any],
    scan: Mapping[str, Any],
    layer: str,
    source: dicom_seg.Source,
) -> None:
    dicom_seg.write_segmentation(
        path,
        labels_zyx,
        geometry,
        source=source,
        layer=next(item for item in frozen["schema"]["definition"]["layers"] if item["name"] == layer),
        identity=f"{frozen['release']['id']} {scan['layers'][layer]['content_hash']}",
        created_at=datetime.fromisoformat(frozen["release"]["frozen_at"]),
        software=frozen["software"],
        creator=scan["author"],
    )


def _path_in(folder: Path, kind: str, name: str) -> Path:
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not a valid file name")
    (folder / kind).mkdir(parents=True, exist_ok=True)
    return folder / kind / name


def _entry(folder: Path, path: str, role: str, scan: str | None = None, layer: str | None = None) -> dict[str, Any]:
    file = folder / path
    return {
        "path": path,
        "role": role,
        "scan": scan,
        "layer": layer,
        "sha256": sha256_of(file),
        "bytes": file.stat().st_size,
    }


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
