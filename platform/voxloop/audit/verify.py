"""Prove that no entry of the log was edited, removed or reordered, and that it was not truncated."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voxloop.audit.anchors import faults_between, read_anchors
from voxloop.audit.models import AuditEntry, AuditSeal
from voxloop.audit.services import GENESIS, entry_hash, seal_hash

TELL_EVERY = 2000


@dataclass(frozen=True)
class ChainFault:
    """The first position at which the chain is broken."""

    entry: int
    sentence: str


def verify(
    anchor_path: Path | None = None, *, tell: Callable[[int], None] = lambda count: None
) -> tuple[int, ChainFault | None]:
    """Walk the chain and compare it with every anchor; returns the number of valid entries and the first fault. The
    anchors are those of this file, or else of every readable location (see `anchors.anchor_statuses`). `tell`
    hears the count now and then."""
    anchors, differs = faults_between(read_anchors(anchor_path))
    if differs is not None:
        return 0, ChainFault(0, f"Two locations hold different anchors of seal {differs}: one of them was changed.")
    previous, count = GENESIS, 0
    for seal in AuditSeal.objects.select_related("entry").order_by("position").iterator(chunk_size=2000):
        entry = seal.entry
        if seal.position != count + 1:
            return count, ChainFault(entry.id, f"Seal {count + 1} is missing: a row was removed.")
        if entry.hash != entry_hash(entry):
            return count, ChainFault(entry.id, f"Entry {entry.id} was changed after it was written.")
        if seal.hash != seal_hash(previous, seal.position, entry.hash):
            return count, ChainFault(entry.id, f"Entry {entry.id} does not follow the one before it in the chain.")
        if seal.position in anchors and anchors.pop(seal.position) != seal.hash:
            return count, ChainFault(entry.id, f"Seal {seal.position} is not the one anchored outside the database.")
        previous, count = seal.hash, count + 1
        if count % TELL_EVERY == 0:
            tell(count)
    if anchors:
        cut = min(anchors)
        return count, ChainFault(0, f"The log ends at seal {count}, but seal {cut} was anchored: rows were cut off.")
    for entry in AuditEntry.objects.filter(seal__isnull=True).order_by("id").iterator(chunk_size=2000):
        if entry.hash != entry_hash(entry):
            return count, ChainFault(entry.id, f"Entry {entry.id} was changed after it was written.")
        count += 1
    return count, None
