"""Change files of a release as a forger would, and look what the verifier finds."""

import hashlib
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from annotation.datasets.verify import canonical, verify
from voxloop.storage.objects import sha256_of


def faults(folder: Path, **options: Any) -> Any:
    return {(fault.file, fault.code) for fault in verify(folder, **options).faults}


def cover_up(folder: Path, *names: Any) -> None:
    """Like a careful forger, update the manifest's file list and SHA256SUMS to the changed files."""
    document = json.loads((folder / "manifest.json").read_text())
    for entry in document["files"]:
        if entry["path"] in names:
            entry["sha256"], entry["bytes"] = sha256_of(folder / entry["path"]), (folder / entry["path"]).stat().st_size
    (folder / "manifest.json").write_text(json.dumps(document))
    sums = {entry["path"]: entry["sha256"] for entry in document["files"]}
    sums["manifest.json"] = sha256_of(folder / "manifest.json")
    (folder / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))


def relabel(folder: Path, name: str, change: Any, dtype: Any = np.uint8) -> None:
    """Change the voxels of a label file in place, with a valid file as the result."""
    image = nibabel.Nifti1Image.from_filename(folder / name)
    voxels = np.asanyarray(image.dataobj).astype(dtype)
    change(voxels)
    image.header.set_data_dtype(dtype)
    nibabel.Nifti1Image(voxels, image.affine, image.header).to_filename(folder / name)


def edit_manifest(folder: Path, change: Any, *, rehash: Any) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    change(document["frozen"])
    if rehash:
        document["manifest_hash"] = hashlib.sha256(canonical(document["frozen"])).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(document))
    cover_up(folder)
