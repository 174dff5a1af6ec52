"""Prove that the log was not edited, cut, reordered or shortened."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.audit.services import GENESIS, entry_hash, seal_entries, seal_hash
from voxloop.kernel.clock import now

ANCHOR = "audit-anchor.jsonl"


@dataclass(frozen=True)
class Fault:
    """The first place where the chain does not hold."""

    entry: int
    sentence: str


def anchor() -> Path:
    """Seal what is new and append the newest seal to a file outside the database; answer its path."""
    seal_entries()
    path = Path(settings.STATE_DIR) / ANCHOR
    head = AuditSeal.objects.order_by("-position").first()
    if head is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        row = {"at": now().isoformat(), "position": head.position, "hash": head.hash}
        with path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")
    return path


def verify(anchor_path: Path | None = None) -> tuple[int, Fault | None]:
    """Walk the chain and compare it with every anchor; answer how many entries hold and the first fault."""
    anchors = _anchors(anchor_path or Path(settings.STATE_DIR) / ANCHOR)
    previous, count = GENESIS, 0
    for seal in AuditSeal.objects.select_related("entry").order_by("position").iterator(chunk_size=2000):
        entry = seal.entry
        if seal.position != count + 1:
            return count, Fault(entry.id, f"Seal {count + 1} is missing: a row was removed.")
        if entry.hash != entry_hash(entry):
            return count, Fault(entry.id, f"Entry {entry.id} was changed after it was written.")
        if seal.hash != seal_hash(previous, seal.position, entry.hash):
            return count, Fault(entry.id, f"Entry {entry.id} does not follow the one before it in the chain.")
        if seal.position in anchors and anchors.pop(seal.position) != seal.hash:
            return count, Fault(entry.id, f"Seal {seal.position} is not the one anchored outside the database.")
        previous, count = seal.hash, count + 1
    if anchors:
        cut = min(anchors)
        return count, Fault(0, f"The log ends at seal {count}, but seal {cut} was anchored: rows were cut off.")
    for entry in AuditEntry.objects.filter(seal__isnull=True).order_by("id").iterator(chunk_size=2000):
        if entry.hash != entry_hash(entry):
            return count, Fault(entry.id, f"Entry {entry.id} was changed after it was written.")
        count += 1
    return count, None


def _anchors(path: Path) -> dict[int, str]:
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {row["position"]: row["hash"] for row in rows}
