"""Write a whole release into an empty folder. SHA256SUMS is written last: a release without it is incomplete."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotation.datasets import signature, verify
from annotation.datasets.exporters import dicom_seg, manifest
from annotation.datasets.exporters.choices import open_writers
from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels, Sign, Writer, pretty
from annotation.datasets.exporters.progress import Done, NoProgress, Progress
from voxloop.storage.objects import sha256_of
from voxloop.volume import nifti
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED, strip_erased

Load = Callable[[Mapping[str, Any]], ScanVoxels]
Tell = Callable[[int, str], None]


def write_release(
    folder: Path,
    frozen: Frozen,
    load: Load,
    report: Tell,
    formats: Sequence[str] = (),
    sign: Sign | None = None,
    progress: Progress | None = None,
) -> str:
    """Write every file of a release; returns its seal (the sha256 of SHA256SUMS). `frozen` is the release's manifest,
    `load` returns the voxels of one of its scans, `report` is called with 0-100 and a sentence before each scan,
    `formats` are written besides NIfTI and DICOM SEG (`exporters.choices`), `sign` signs SHA256SUMS, `progress` knows
    the scans that an earlier attempt wrote. Equal input gives equal bytes, in one attempt or in several. Raises
    ValueError when voxels are not the frozen ones."""
    listing, progress = Listing(folder), progress or NoProgress()
    writers = open_writers(formats, frozen, listing)
    scans, told = frozen["scans"], []
    for place, scan in enumerate(scans):
        report(95 * place // max(len(scans), 1), f"Writing {scan['code']} ({place + 1} of {len(scans)})")
        done = progress.recall(place, scan)
        if done is None:
            first = len(listing.files)
            of_writers = _write_with(writers, listing, frozen, scan, load(scan))
            done = Done(listing.files[first:], of_writers)
            progress.keep(place, scan, done)
        else:
            listing.files += [dict(file) for file in done.files]
        told.append(done.told)
    report(95, "Writing the documents")
    for number, writer in enumerate(writers):
        writer.finish([of_scan[number] for of_scan in told])
    return _write_documents(folder, frozen, formats, listing, sign)


def _write_with(
    writers: Sequence[Writer], listing: Listing, frozen: Frozen, scan: Mapping[str, Any], voxels: ScanVoxels
) -> list[Any]:
    """All files of one scan; returns what the writers told of it, as JSON gives it back."""
    clean_zyx = _write_scan(listing, frozen, scan, voxels)
    told: list[Any] = json.loads(json.dumps([writer.add(scan, voxels, clean_zyx) for writer in writers]))
    return told


def _write_documents(folder: Path, frozen: Frozen, formats: Sequence[str], listing: Listing, sign: Sign | None) -> str:
    """What is about all scans, then the lists of files; returns the seal."""
    listing.add_text("README.md", manifest.readme_document(frozen, formats))
    listing.add_text("labels.json", pretty(manifest.labels_document(frozen)))
    listing.add_text("dataset.json", pretty(manifest.dataset_document(frozen)))
    for script in (verify, signature):
        path = folder / f"{script.__name__.rpartition('.')[2]}.py"
        shutil.copyfile(str(script.__file__), path)
        listing.add(path, "document")
    (folder / verify.MANIFEST).write_text(pretty(manifest.manifest_document(frozen, listing.files)), "utf-8")
    sums = {entry["path"]: entry["sha256"] for entry in listing.files}
    sums[verify.MANIFEST] = sha256_of(folder / verify.MANIFEST)
    (folder / verify.SUMS).write_text(manifest.sums_document(sums), "utf-8")
    if sign:
        signed, public = sign((folder / verify.SUMS).read_bytes())
        (folder / verify.SIGNATURE).write_bytes(signed)
        (folder / verify.KEY).write_bytes(public)
    return sha256_of(folder / verify.SUMS)


def _write_scan(listing: Listing, frozen: Frozen, scan: Mapping[str, Any], voxels: ScanVoxels) -> dict[str, Labels]:
    """NIfTI and DICOM SEG of one scan; returns its labelmaps without the erased voxels."""
    code, geometry = scan["code"], Geometry.from_json(scan)
    image = listing.place("images", f"{code}.nii.gz")
    nifti.write_image(image, voxels.hu_zyx, geometry)
    listing.add(image, "image", code)
    clean_zyx: dict[str, Labels] = {}
    for name, claim in scan["layers"].items():
        labels_zyx = voxels.labels_zyx[name]
        if verify.content_hash(labels_zyx) != claim["content_hash"]:
            raise ValueError(f"the {name} mask of {code} is not the approved one")
        clean_zyx[name] = strip_erased(labels_zyx)
        label = listing.place(manifest.folder_of("labels", name, frozen), f"{code}.nii.gz")
        nifti.write_labels(label, clean_zyx[name], geometry)
        listing.add(label, "label", code, name)
        if (labels_zyx == ERASED).any():
            erased = listing.place(manifest.folder_of("erased", name, frozen), f"{code}.nii.gz")
            nifti.write_labels(erased, (labels_zyx == ERASED).astype(np.uint8), geometry)
            listing.add(erased, "erased", code, name)
        if scan["modality"] == "CT":  # a projection image has no frame of reference
            path = listing.place(manifest.folder_of("dicom-seg", name, frozen), f"{code}.dcm")
            dicom_seg.write_layer(path, clean_zyx[name], frozen, scan, name, voxels)
            listing.add(path, "dicom_seg", code, name)
    return clean_zyx
