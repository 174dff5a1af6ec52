"""The manifest of a back-up, and the seal that detects changes.

objects/<prefix>/…                    every object, shared by all back-ups of the directory
backups/<time>/begun.json             that a back-up was begun; without a manifest it is half-written
backups/<time>/database.dump          pg_dump's own format
backups/<time>/objects.txt            the keys of the objects that this dump names, one a line
backups/<time>/audit-anchor.jsonl     anchors of the log up to the dump
backups/<time>/secrets.json           keys and log-ins, wrapped by a passphrase
backups/<time>/manifest.json          written last: versions, counts, sizes and hashes of the above, sealed
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from voxloop.kernel.canonical import canonical_json
from voxloop.kernel.errors import Conflict, Invalid, NotFound
from voxloop.storage.directory import BucketDirectory, LocalDirectory

FORMAT = 1
BACKUPS, MANIFEST, BEGUN = "backups", "manifest.json", "begun.json"
DUMP, KEYS, ANCHOR, SECRETS = "database.dump", "objects.txt", "audit-anchor.jsonl", "secrets.json"
Target = LocalDirectory | BucketDirectory


@dataclass(frozen=True)
class Found:
    """One back-up in a directory."""

    name: str
    is_whole: bool


def list_backups(directory: Target) -> list[Found]:
    """Every back-up that was begun, oldest first."""
    files: dict[str, set[str]] = {}
    for path, _ in directory.names(BACKUPS):
        _, name, *rest = path.split("/")
        files.setdefault(name, set()).add("/".join(rest))
    return [Found(name, MANIFEST in files[name]) for name in sorted(files)]


def choose_backup(directory: Target, name: str | None) -> str:
    """The named back-up, or the newest whole one. Raises NotFound, or Conflict `backup_half_written`."""
    found = {each.name: each for each in list_backups(directory)}
    if name is not None and name not in found:
        raise NotFound(f"There is no back-up {name} there; available are {_enumerate(list(found))}.", code="no_backup")
    if name is not None and not found[name].is_whole:
        raise Conflict(
            f"The back-up {name} was never finished: choose one of {_enumerate(_whole(found.values()))}.",
            code="backup_half_written",
        )
    whole = _whole(found.values())
    if not whole:
        rest = f" ({len(found)} half-written)" if found else ""
        raise NotFound(f"There is no complete back-up there{rest}.", code="no_backup")
    return name or whole[-1]


def write_manifest(body: dict[str, Any], audit_key: str) -> bytes:
    """The manifest with its seal."""
    return json.dumps({"manifest": body, "seal": _seal(body, audit_key)}, indent=1, sort_keys=True).encode()


def read_manifest(directory: Target, name: str) -> tuple[dict[str, Any], str]:
    """The manifest and its seal, unchecked. Raises Invalid `backup_damaged`, Conflict `backup_newer`."""
    try:
        document = json.loads(directory.read(f"{BACKUPS}/{name}/{MANIFEST}"))
        body, seal = dict(document["manifest"]), str(document["seal"])
        form = int(body["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"The manifest of the back-up {name} cannot be read.", code="backup_damaged") from error
    if form > FORMAT:
        raise Conflict(
            f"The back-up {name} was made by a newer version of Voxloop: restore it with that one.", code="backup_newer"
        )
    return body, seal


def is_sealed_by(body: dict[str, Any], seal: str, audit_key: str) -> bool:
    """Whether the seal was made with that key over exactly this manifest."""
    return hmac.compare_digest(seal, _seal(body, audit_key))


def _seal(body: dict[str, Any], audit_key: str) -> str:
    key = hmac.new(audit_key.encode(), b"voxloop seal of a back-up", hashlib.sha256).digest()
    return hmac.new(key, canonical_json(body, ascii_only=True), hashlib.sha256).hexdigest()


def _whole(found: Any) -> list[str]:
    return [each.name for each in found if each.is_whole]


def _enumerate(names: list[str]) -> str:
    return ", ".join(names[-5:]) if names else "none"
