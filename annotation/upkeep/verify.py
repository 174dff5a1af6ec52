"""Check a back-up: seal, hashes, every object, a dump that can be read, secrets that can be opened."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from annotation.upkeep.copying import Tell, is_intact, with_progress
from annotation.upkeep.manifest import BACKUPS, DUMP, SECRETS, Target, choose_backup, is_sealed_by, read_manifest
from annotation.upkeep.pruning import named_in
from annotation.upkeep.tools import find_tool, run_tool
from annotation.upkeep.wrapping import unwrap
from voxloop.installation.keys import AUDIT, SECRET
from voxloop.kernel.errors import Conflict, NotFound, Refusal
from voxloop.storage.directory import open_directory
from voxloop.storage.objects import sha256_of


@dataclass
class Opened:
    """A back-up whose seal is valid."""

    directory: Target
    name: str
    facts: dict[str, Any]
    secrets: dict[str, Any] | None
    audit_key: str


def open_backup(*, address: str, at: str | None, passphrase: str | None) -> Opened:
    """Find a back-up and check its seal. Raises Refusal when it was changed or no key is available."""
    directory = open_directory(address)
    name = choose_backup(directory, at)
    facts, seal = read_manifest(directory, name)
    secrets = None
    if passphrase and SECRETS in facts["files"]:
        secrets = unwrap(directory.read(f"{BACKUPS}/{name}/{SECRETS}"), passphrase, name=name)
    key = key_of(secrets)
    if not key:
        raise Conflict(
            f"The seal of the back-up {name} cannot be checked: give its passphrase (--passphrase-file), or set "
            "VOXLOOP_AUDIT_KEY to that of the installation.",
            code="no_key_for_seal",
        )
    if not is_sealed_by(facts, seal, key):
        raise Conflict(
            f"The back-up {name} was changed after it was made, or VOXLOOP_AUDIT_KEY is another installation's.",
            code="backup_changed",
        )
    return Opened(directory, name, facts, secrets, key)


def key_of(secrets: dict[str, Any] | None) -> str:
    """The audit key: from the back-up's secrets if open, else of this process; "" for none."""
    keys = (secrets or {}).get("keys", {})
    if found := keys.get(AUDIT) or keys.get(SECRET):
        return str(found)
    return settings.AUDIT_KEY if settings.KEYS_GIVEN & {AUDIT, SECRET} else ""


@contextmanager
def fetch_part(opened: Opened, part: str) -> Iterator[Path]:
    """A local copy of a file of the back-up, checked against the manifest's hash. Raises Conflict `backup_damaged`."""
    with tempfile.TemporaryDirectory(prefix="voxloop-") as folder:
        path = Path(folder) / part
        try:
            opened.directory.fetch(f"{BACKUPS}/{opened.name}/{part}", path)
        except NotFound:
            raise Conflict(f"{part} of the back-up {opened.name} is missing.", code="backup_damaged") from None
        if sha256_of(path) != opened.facts["files"][part]["sha256"]:
            raise Conflict(f"{part} of the back-up {opened.name} is damaged.", code="backup_damaged")
        yield path


def verify_backup(*, address: str, at: str | None, passphrase: str | None, tell: Tell) -> tuple[str, list[str]]:
    """Check everything; returns the back-up's name and a sentence for each fault. Raises Refusal as `open_backup`."""
    opened = open_backup(address=address, at=at, passphrase=passphrase)
    faults = list(opened.facts["faults"])
    for part in opened.facts["files"]:
        tell(5, f"Reading {part}")
        try:
            with fetch_part(opened, part) as path:
                if part == DUMP:
                    tool = find_tool("pg_restore", at_least=opened.facts["postgres_major"])
                    run_tool(tool, "--list", str(path), what="Reading the dump", database=False)
        except Refusal as refusal:
            faults.append(refusal.detail)
    if SECRETS in opened.facts["files"] and opened.secrets is None:
        faults.append("The secrets were not opened: give the passphrase (--passphrase-file).")
    keys = named_in(opened.directory, opened.name)
    known = " ".join(opened.facts["faults"])
    for key in with_progress(keys, len(keys), tell, "Reading objects", 10, 99):
        if key not in known and not is_intact(opened.directory.objects, key):
            faults.append(f"The object {key} is missing or damaged in the back-up.")
    return opened.name, faults
