"""Prove a release offline: every file is there and unchanged, nothing was added, the masks are the approved ones.

This file needs Python, numpy and nibabel, nothing else of Voxloop: it travels inside every release
(`python3 verify.py .`), and reads the formats anew instead of trusting the code that wrote them.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
FORMAT = "voxloop-release/1"
CHUNK = 32
ERASED = 255
Progress = Callable[[int, int, str], None]


class NotARelease(ValueError):  # noqa: N818 - it is an answer about the folder
    """The folder cannot be read as a release at all; nothing was proven."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the file that it is wrong with."""

    file: str
    code: str
    message: str


@dataclass
class Verdict:
    """What was found. `seal` is the sha256 of SHA256SUMS: one number for the whole release."""

    release: str = ""
    manifest_hash: str = ""
    seal: str = ""
    files: int = 0
    scans: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_proven(self) -> bool:
        return not self.faults

    def add(self, file: str, code: str, message: str) -> None:
        self.faults.append(Fault(file, code, message))

    def to_json(self) -> dict[str, Any]:
        """The verdict for scripts."""
        return {
            "ok": self.is_proven,
            "release": self.release,
            "manifest_hash": self.manifest_hash,
            "seal": self.seal,
            "files": self.files,
            "scans": self.scans,
            "faults": [vars(fault) for fault in self.faults],
        }


def canonical(document: Any) -> bytes:
    """The one way to write a JSON document that is hashed: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def verify(folder: Path, *, seal: str = "", progress: Progress = lambda done, total, what: None) -> Verdict:
    """Check a release folder, and against the `seal` that the export told, where it is given.

    Raises NotARelease when there is no folder, or nothing in it that says it is a release.
    """
    if not folder.is_dir():
        raise NotARelease(f"{folder} is not a folder.")
    if not (folder / SUMS).is_file() and not (folder / MANIFEST).is_file():
        raise NotARelease(f"{folder} holds neither {SUMS} nor {MANIFEST}: it is no release, or an unfinished one.")
    verdict = Verdict()
    sums = _check_files(folder, verdict, seal, progress)
    document = _read_manifest(folder, verdict)
    if document is None:
        return verdict
    try:
        _check_content(folder, document, sums, verdict, progress)
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        verdict.add(MANIFEST, "unreadable", f"The manifest is not complete ({type(error).__name__}: {error}).")
    return verdict


def content_hash(labels_zyx: np.ndarray) -> str:
    """The hash that an approval is bound to: sha256 over the shape and the names of the 32³ chunks that are not 0.

    One line `ZxYxX`, then for each chunk in z, y, x order `cz,cy,cx:` and the sha256 of its 32 768 voxels.
    """
    lines = ["x".join(map(str, labels_zyx.shape))]
    lines += [f"{index}:{hashlib.sha256(voxels).hexdigest()}" for index, voxels in _chunks(labels_zyx)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _chunks(labels_zyx: np.ndarray) -> Iterator[tuple[str, bytes]]:
    depth, rows, columns = labels_zyx.shape
    for z in range(0, depth, CHUNK):
        for y in range(0, rows, CHUNK):
            for x in range(0, columns, CHUNK):
                part = labels_zyx[z : z + CHUNK, y : y + CHUNK, x : x + CHUNK]
                if part.any():
                    padding = [(0, CHUNK - length) for length in part.shape]
                    yield f"{z // CHUNK},{y // CHUNK},{x // CHUNK}", np.pad(part, padding).tobytes()


def _check_files(folder: Path, verdict: Verdict, seal: str, progress: Progress) -> dict[str, str]:
    """Every listed file is there with its hash, and there is no other."""
    try:
        raw = (folder / SUMS).read_bytes()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in raw.decode().splitlines())}
    except (OSError, ValueError):
        verdict.add(SUMS, "missing", f"{SUMS} is missing or not readable; the release is not complete.")
        return {}
    verdict.seal = hashlib.sha256(raw).hexdigest()
    if seal and seal.lower() != verdict.seal:
        verdict.add(SUMS, "seal", "The seal is not the one that the export told; this is another or a changed release.")
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(there.keys() - sums.keys() - {SUMS}):
        verdict.add(name, "extra", "This file does not belong to the release.")
    for done, (name, digest) in enumerate(sorted(sums.items())):
        progress(done, len(sums) * 2, name)
        path = there.get(name)
        if path is None:
            verdict.add(name, "missing", "This file of the release is missing.")
        elif path.is_symlink() or not path.is_file():
            verdict.add(name, "not_a_file", "This is a link, not a file of the release.")
        else:
            verdict.files += 1
            if _sha256(path) != digest:
                verdict.add(name, "changed", "The bytes of this file are not those that were exported.")
    return sums


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _read_manifest(folder: Path, verdict: Verdict) -> dict[str, Any] | None:
    """The manifest, if it can be read and its frozen part has the hash that it claims."""
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
        frozen = document["frozen"]
        if document["format"] != FORMAT or not isinstance(document["files"], list):
            raise ValueError("another format")
        verdict.release, verdict.manifest_hash = frozen["release"]["name"], document["manifest_hash"]
        found = hashlib.sha256(canonical(frozen)).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        verdict.add(MANIFEST, "unreadable", f"The manifest is missing or cannot be read ({type(error).__name__}).")
        return None
    if found != document["manifest_hash"]:
        verdict.add(MANIFEST, "manifest_hash", "The frozen list was edited: it does not have the hash it claims.")
    return dict(document)


def _check_content(
    folder: Path, document: dict[str, Any], sums: dict[str, str], verdict: Verdict, progress: Progress
) -> None:
    """What the manifest says, against itself and against the voxels."""
    frozen = document["frozen"]
    _check_listing(document, sums, verdict)
    _check_split(frozen, verdict)
    _check_dataset_list(folder, frozen, verdict)
    steps = [(scan, name) for scan in frozen["scans"] for name in scan["layers"]]
    paths = {(file.get("scan"), file.get("layer"), file.get("role")): str(file["path"]) for file in document["files"]}
    verdict.scans = len(frozen["scans"])
    for done, (scan, layer) in enumerate(steps):
        progress(len(sums) + done, len(sums) + len(steps), scan["code"])
        _check_masks(folder, frozen, scan, layer, paths, verdict)
    progress(len(sums) + len(steps), len(sums) + len(steps), "done")


def _check_listing(document: dict[str, Any], sums: dict[str, str], verdict: Verdict) -> None:
    """The manifest and SHA256SUMS tell the same files and hashes."""
    listed = {entry["path"]: entry["sha256"] for entry in document["files"]} | {MANIFEST: sums.get(MANIFEST)}
    for name in sorted(listed.keys() | sums.keys()):
        if sums and listed.get(name) != sums.get(name):
            verdict.add(name, "listing", f"{SUMS} and {MANIFEST} do not say the same about this file.")


def _check_split(frozen: dict[str, Any], verdict: Verdict) -> None:
    """No site and no subject on two sides."""
    for unit in ("site", "subject"):
        sides: dict[Any, set[str]] = {}
        for scan in frozen["scans"]:
            if scan.get(unit):
                sides.setdefault((scan["site"], scan[unit]), set()).add(scan["split"])
        for key, found in sorted(sides.items()):
            if len(found) > 1:
                verdict.add(MANIFEST, "split", f"The {unit} {key[-1]} is on two sides: {', '.join(sorted(found))}.")


def _check_dataset_list(folder: Path, frozen: dict[str, Any], verdict: Verdict) -> None:
    """The list that training programs read follows the frozen split."""
    try:
        listed = json.loads((folder / "dataset.json").read_text("utf-8"))
        sides = {"training": "train", "validation": "validation", "test": "test"}
        found = {side: {Path(row["image"]).name for row in listed[key]} for key, side in sides.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        verdict.add("dataset.json", "unreadable", f"The list cannot be read ({type(error).__name__}).")
        return
    for side, names in found.items():
        expected = {f"{scan['code']}.nii.gz" for scan in frozen["scans"] if scan["split"] == side}
        if names != expected:
            verdict.add("dataset.json", "split", f"The {side} side is not the frozen one.")


def _check_masks(
    folder: Path,
    frozen: dict[str, Any],
    scan: dict[str, Any],
    layer: str,
    paths: dict[tuple[Any, Any, Any], str],
    verdict: Verdict,
) -> None:
    """One label file: on the image's grid, with the schema's values, and the voxels that were approved."""
    claim = scan["layers"][layer]
    image_path = paths.get((scan["code"], None, "image"), f"image of {scan['code']}")
    label_path = paths.get((scan["code"], layer, "label"), f"{layer} of {scan['code']}")
    image, labels = _load(folder, image_path, verdict), _load(folder, label_path, verdict)
    if image is None or labels is None:
        return
    for name, file in ((image_path, image), (label_path, labels)):
        if problem := _grid_problem(file, scan):
            verdict.add(name, "geometry", problem)
            return
    erased_path = paths.get((scan["code"], layer, "erased"))
    voxels = _labels_of(labels, label_path, verdict)
    erased = _load(folder, erased_path, verdict) if erased_path else None
    taken_away = _labels_of(erased, str(erased_path), verdict) if erased is not None else None
    if voxels is None or (erased_path and taken_away is None):
        return
    segments = next(item["segments"] for item in frozen["schema"]["definition"]["layers"] if item["name"] == layer)
    ids = {int(segment["id"]) for segment in segments}
    stray = sorted(_values_of(voxels) - ids - {0})
    if stray:
        verdict.add(label_path, "value", f"The label holds {stray[0]}, which is no segment of layer {layer}.")
    if taken_away is not None:
        if taken_away.shape != voxels.shape or voxels[taken_away > 0].any():
            verdict.add(str(erased_path), "erased", "Voxels are marked both erased and labelled.")
            return
        voxels[taken_away > 0] = ERASED
    if content_hash(voxels) != claim["content_hash"]:
        verdict.add(label_path, "not_approved", "The voxels are not the approved ones (content hash).")


def _values_of(labels_zyx: np.ndarray) -> set[int]:
    """The values in a labelmap; slice by slice, because counting widens every voxel to 8 bytes."""
    found = np.zeros(256, bool)
    for slice_yx in labels_zyx:
        found[slice_yx] = True
    return {int(value) for value in np.flatnonzero(found)}


def _grid_problem(file: Any, scan: dict[str, Any]) -> str:
    """What is wrong with a file's grid, or nothing. NIfTI holds float32 in RAS, the manifest float64 in LPS."""
    if file.shape != tuple(reversed(scan["shape_zyx"])):
        return f"It has {list(file.shape)} voxels (x, y, z); the scan has {scan['shape_zyx']} (z, y, x)."
    expected = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(scan["lps_from_ijk"], dtype=np.float64)
    if not np.array_equal(file.affine[:3], expected.astype(np.float32)[:3]):
        return "Its place in the patient is not that of the scan."
    return ""


def _load(folder: Path, name: str, verdict: Verdict) -> Any:
    """A NIfTI file, its voxels not yet read; None (and a fault) when it is none."""
    try:
        return nibabel.load(folder / name)
    except Exception as error:  # nibabel raises many kinds for a broken file, and a verifier must not stop at one
        verdict.add(name, "unreadable", f"It cannot be read ({type(error).__name__}).")
        return None


def _labels_of(image: Any, name: str, verdict: Verdict) -> np.ndarray | None:
    """Labels as uint8, C-ordered `zyx`; None (and a fault) when they are of another type or cannot be read."""
    if image.get_data_dtype() != np.uint8 or image.header.get_slope_inter() not in ((None, None), (1.0, 0.0)):
        verdict.add(name, "type", "Labels must be uint8, without scaling.")
        return None
    try:
        return np.asanyarray(image.dataobj).transpose(2, 1, 0).copy(order="C")
    except Exception as error:
        verdict.add(name, "unreadable", f"Its voxels cannot be read ({type(error).__name__}).")
        return None


def main(arguments: list[str] | None = None) -> int:
    """`verify.py DIR`: 0 proven, 1 not, 2 nothing to verify."""
    parser = argparse.ArgumentParser(description="Prove a Voxloop release offline.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    parser.add_argument("--seal", default="", help="the seal that the export told")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of words")
    options = parser.parse_args(arguments)
    try:
        verdict = verify(options.folder, seal=options.seal)
    except NotARelease as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(verdict.to_json()) + "\n" if options.json else in_words(verdict))
    return 0 if verdict.is_proven else 1


def in_words(verdict: Verdict) -> str:
    """The verdict for people, one line per fault."""
    if verdict.is_proven:
        return (
            f"Proven: release {verdict.release}, {verdict.scans} scans, {verdict.files} files.\n"
            f"manifest {verdict.manifest_hash}\nseal     {verdict.seal}\n"
        )
    lines = [f"{fault.file}: {fault.message} [{fault.code}]" for fault in verdict.faults]
    return "\n".join([*lines, f"Not proven: {len(lines)} faults."]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
