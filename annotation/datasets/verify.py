"""Verify a release offline: every file is there and unchanged, nothing was added, the masks are the approved ones.

Part of every release (`python3 verify.py .`): it needs Python, numpy and nibabel, and parses the formats itself."""

import argparse
import hashlib
import json
import runpy
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

try:
    import nibabel
    import numpy as np
except ImportError as missing:
    sys.exit(f"verify.py needs {missing.name}. Install it (python3 -m pip install numpy nibabel) and run it again.")

SUMS, MANIFEST, SIGNATURE, KEY = "SHA256SUMS", "manifest.json", "SHA256SUMS.sig", "SHA256SUMS.pem"
FORMAT, CHUNK, ERASED = "voxloop-release/1", 32, 255
Tell = Callable[[int, int, str], None]
Paths = dict[tuple[Any, Any, Any], str]  # of the release's files, by scan, layer and role
Sent = frozenset[str]
_QUIET: Tell = lambda done, total, what: None  # noqa: E731


class NotARelease(ValueError):  # noqa: N818 - it is an answer about the folder
    """The folder is not a release; nothing was verified."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the file that it is wrong with."""

    file: str
    code: str
    message: str


@dataclass
class Verdict:
    """The result. `seal` is the sha256 of SHA256SUMS and so identifies the whole release."""

    release: str = ""
    manifest_hash: str = ""
    seal: str = ""
    signed_by: str = ""  # fingerprint of the public key
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
        return {"ok": self.is_proven, **asdict(self)}


def canonical(document: Any) -> bytes:
    """The one way to write a JSON document that is hashed: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def verify(
    folder: Path, *, seal: str = "", key: Path | None = None, progress: Tell = _QUIET, sent: Sent = frozenset()
) -> Verdict:
    """Check a release folder, where given also against the `seal` of the export and the public `key` of its signer.
    `sent` are paths of files that were proven by `check_scan` and are not here any more. Raises NotARelease when there
    is no folder or it does not look like a release."""
    if not folder.is_dir():
        raise NotARelease(f"{folder} is not a folder.")
    if not (folder / SUMS).is_file() and not (folder / MANIFEST).is_file():
        raise NotARelease(f"{folder} holds neither {SUMS} nor {MANIFEST}: it is not a release, or an unfinished one.")
    verdict = Verdict()
    sums = _check_files(folder, verdict, seal, progress, sent)
    script = Path(__file__).with_name("signature.py")
    if script.is_file() and (key or any((folder / name).exists() for name in (SIGNATURE, KEY))):
        verdict.signed_by, fault = runpy.run_path(str(script))["check"](folder, key)
        verdict.faults += [Fault(*fault)] if fault else []
    document = _read_manifest(folder, verdict)
    if document is None:
        return verdict
    try:
        _check_content(folder, document, sums, verdict, progress, sent)
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        verdict.add(MANIFEST, "unreadable", f"The manifest is not complete ({type(error).__name__}: {error}).")
    return verdict


def content_hash(labels_zyx: np.ndarray) -> str:
    """The hash that an approval is bound to: sha256 over a line `ZxYxX` and, for each 32³ chunk that is not 0, in z, y,
    x order, a line `cz,cy,cx:` and the sha256 of its 32 768 voxels."""
    lines = ["x".join(map(str, labels_zyx.shape))]
    for z, y, x in product(*(range(0, length, CHUNK) for length in labels_zyx.shape)):
        part = labels_zyx[z : z + CHUNK, y : y + CHUNK, x : x + CHUNK]
        if part.any():
            voxels = np.pad(part, [(0, CHUNK - length) for length in part.shape]).tobytes()
            lines.append(f"{z // CHUNK},{y // CHUNK},{x // CHUNK}:{hashlib.sha256(voxels).hexdigest()}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check_files(folder: Path, verdict: Verdict, seal: str, progress: Tell, sent: Sent) -> dict[str, str]:
    """Every listed file is there with its hash, and there is no other."""
    try:
        raw = (folder / SUMS).read_bytes()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in raw.decode().splitlines())}
    except (OSError, ValueError):
        verdict.add(SUMS, "missing", f"{SUMS} is missing or not readable; the release is not complete.")
        return {}
    verdict.seal = hashlib.sha256(raw).hexdigest()
    if seal and seal.lower() != verdict.seal:
        verdict.add(SUMS, "seal", "The seal is not the one given; this is another or a changed release.")
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(there.keys() - sums.keys() - {SUMS, SIGNATURE, KEY}):
        verdict.add(name, "extra", "This file does not belong to the release.")
    for done, (name, digest) in enumerate(sorted(sums.items())):
        progress(done, len(sums) * 2, name)
        if name in sent:
            verdict.files += 1
        elif (path := there.get(name)) is None:
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
    """The manifest, if it is readable and its frozen part matches its hash."""
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


def _check_content(folder: Path, document: Any, sums: Any, verdict: Verdict, progress: Tell, sent: Sent) -> None:
    """Check the manifest for consistency and against the voxels."""
    frozen = document["frozen"]
    _check_listing(document, sums, verdict)
    _check_split(frozen, verdict)
    _check_dataset_list(folder, frozen, verdict)
    paths = {(file.get("scan"), file.get("layer"), file.get("role")): str(file["path"]) for file in document["files"]}
    verdict.scans = len(frozen["scans"])
    for done, scan in enumerate(frozen["scans"], start=1):
        if paths.get((scan["code"], None, "image")) not in sent:
            check_scan(folder, frozen, scan, paths, verdict)
        progress(len(sums) + len(sums) * done // verdict.scans, len(sums) * 2, scan["code"])


def check_scan(folder: Path, frozen: dict[str, Any], scan: dict[str, Any], paths: Paths, verdict: Verdict) -> None:
    """One scan of the list: its image and its masks."""
    _load(folder, paths.get((scan["code"], None, "image"), f"image of {scan['code']}"), scan, verdict)
    for layer in scan["layers"]:
        _check_masks(folder, frozen, scan, layer, paths, verdict)


def _check_listing(document: dict[str, Any], sums: dict[str, str], verdict: Verdict) -> None:
    """The manifest and SHA256SUMS list the same files and hashes."""
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


def _check_masks(folder: Path, frozen: Any, scan: Any, layer: str, paths: Paths, verdict: Verdict) -> None:
    """One label file: on the scan's grid, with the schema's values, and the voxels that were approved."""
    label_path = paths.get((scan["code"], layer, "label"), f"{layer} of {scan['code']}")
    if (voxels := _load_labels(folder, label_path, scan, verdict)) is None:
        return
    segments = next(item["segments"] for item in frozen["schema"]["definition"]["layers"] if item["name"] == layer)
    values: set[int] = set().union(*map(np.unique, voxels))  # by slice: sorting the whole needs more memory
    if stray := sorted(values - {int(segment["id"]) for segment in segments} - {0}):
        verdict.add(label_path, "value", f"The label holds {stray[0]}, which is not a segment of layer {layer}.")
    if erased_path := paths.get((scan["code"], layer, "erased")):
        if (erased := _load_labels(folder, erased_path, scan, verdict)) is None:
            return
        if voxels[erased > 0].any():
            verdict.add(erased_path, "erased", "Voxels are marked both erased and labelled.")
            return
        voxels[erased > 0] = ERASED
    if content_hash(voxels) != scan["layers"][layer]["content_hash"]:
        verdict.add(label_path, "not_approved", "The voxels are not the approved ones (content hash).")


def _grid_problem(file: Any, scan: dict[str, Any]) -> str:
    """What is wrong with a file's grid, or an empty string. NIfTI holds float32 in RAS, the manifest float64 in LPS."""
    if file.shape != tuple(reversed(scan["shape_zyx"])):
        return f"It has {list(file.shape)} voxels (x, y, z); the scan has {scan['shape_zyx']} (z, y, x)."
    expected = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.array(scan["lps_from_ijk"], dtype=np.float64)
    if not np.array_equal(file.affine[:3], expected.astype(np.float32)[:3]):
        return "Its position or orientation is not that of the scan."
    return ""


def _load(folder: Path, name: str, scan: dict[str, Any], verdict: Verdict) -> Any:
    """A NIfTI file on the scan's grid, its voxels not yet read; None (and a fault) when it is not one."""
    try:
        image = nibabel.load(folder / name)
    except Exception as error:  # nibabel raises many exception types for a broken file, and the check must go on
        verdict.add(name, "unreadable", f"It cannot be read ({type(error).__name__}).")
        return None
    if problem := _grid_problem(image, scan):
        verdict.add(name, "geometry", problem)
    return None if problem else image


def _load_labels(folder: Path, name: str, scan: dict[str, Any], verdict: Verdict) -> np.ndarray | None:
    """Labels as uint8, C-ordered `zyx`; None (and a fault) when the file is no such labelmap."""
    if (image := _load(folder, name, scan, verdict)) is None:
        return None
    try:
        if image.get_data_dtype() == np.uint8 and (image.dataobj.slope, image.dataobj.inter) == (1, 0):
            return np.array(np.asanyarray(image.dataobj).transpose(2, 1, 0), order="C")
        verdict.add(name, "type", "Labels must be uint8, without scaling.")
    except Exception as error:
        verdict.add(name, "unreadable", f"Its voxels cannot be read ({type(error).__name__}).")
    return None


def main(arguments: list[str] | None = None) -> int:
    """`verify.py DIR`: 0 proven, 1 not, 2 nothing to verify."""
    parser = argparse.ArgumentParser(description="Prove a Voxloop release offline.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    parser.add_argument("--seal", default="", help="the seal that the export printed")
    parser.add_argument("--key", type=Path, help="the signer's public key (PEM)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    options = parser.parse_args(arguments)
    try:
        verdict = verify(options.folder, seal=options.seal, key=options.key)
    except NotARelease as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(verdict.to_json()) + "\n" if options.json else in_words(verdict))
    return 0 if verdict.is_proven else 1


def in_words(verdict: Verdict) -> str:
    """The verdict for people, one line per fault."""
    if lines := [f"{fault.file}: {fault.message} [{fault.code}]" for fault in verdict.faults]:
        return "\n".join([*lines, f"Not proven: {len(lines)} fault{'s' * (len(lines) != 1)}."]) + "\n"
    scans = f"{verdict.scans} scan{'s' * (verdict.scans != 1)}"
    lines = [f"Proven: release {verdict.release}, {scans}, {verdict.files} files."]
    named = {"manifest": verdict.manifest_hash, "seal": verdict.seal, "key": verdict.signed_by}
    return "\n".join(lines + [f"{name:8} {value}" for name, value in named.items() if value]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
