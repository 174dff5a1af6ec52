"""The SQL of a mask save: lock the assignment, read what the save needs, write the result. `services` decides which
saves are refused; this module minimises round trips. A save is these three statements in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from annotation.masks.models import MaskRevision
from annotation.masks.store import Arrived, Manifest, check_list, count_values, hash_of, keep_stored, shown_counts
from annotation.masks.strokes import accepted_after
from annotation.work.leases import lease_after
from annotation.work.models import LabelSchema
from annotation.work.schema import LAYER_NAME, Schema, parse_schema
from annotation.work.selectors import visible_assignments
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry
from voxloop.audit.services import APPEND_ENTRY, entry_values, make_entry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged
from voxloop.kernel.ids import new_id
from voxloop.kernel.statements import run_prepared, statement_of

# A separate statement, so that the read after it sees the previous save.
HOLD = "SELECT 1 FROM work_assignment WHERE id = %(assignment)s FOR NO KEY UPDATE"

READ = """
SELECT a.state, a.stage, a.lease_until, a.scan_id, campaign.lease_minutes, campaign.schema_id,
       scan.code AS scan_code, scan.state AS scan_state, scan.shape_zyx,
       head.revision_id AS head_id, revision.chunks, revision.voxel_counts, revision.content_hash,
       revision.accepted, done.id AS done_id
FROM work_assignment AS a
JOIN work_campaign AS campaign ON campaign.id = a.campaign_id
JOIN scans_scan AS scan ON scan.id = a.scan_id
LEFT JOIN masks_head AS head ON head.assignment_id = a.id AND head.layer = %(layer)s
LEFT JOIN masks_maskrevision AS revision ON revision.id = head.revision_id
LEFT JOIN masks_maskrevision AS done ON done.assignment_id = a.id AND done.idempotency_key = %(key)s
WHERE a.id = %(assignment)s AND a.person_id = %(actor)s AND a.id IN ({visible})
"""

COUNTS = "SELECT sha256, counts FROM masks_maskchunk WHERE sha256 = ANY(%(names)b)"

# The database derives the new manifest from the parent's; only changes are sent. Chunks are sorted: concurrent saves of
# the same chunks could otherwise deadlock.
WRITE = f"""
WITH fresh AS (
    INSERT INTO masks_maskchunk (sha256, data, counts)
    SELECT * FROM unnest(%(names)b::bytea[], %(data)b::bytea[], %(chunk_counts)s::jsonb[])
    ON CONFLICT DO NOTHING RETURNING sha256
), saved AS (
    INSERT INTO masks_maskrevision (id, scan_id, layer, kind, parent_id, assignment_id, author_id, model_name, chunks,
                                    content_hash, voxel_counts, strokes, accepted, idempotency_key, created_at)
    VALUES (%(id)s, %(scan)s, %(layer)s, %(kind)s, %(parent)s, %(assignment)s, %(actor)s, '',
            (COALESCE((SELECT chunks FROM masks_maskrevision WHERE id = %(parent)s), '{{}}') - %(emptied)s::text[])
                || %(named)s::jsonb,
            %(hash)s, %(counts)s::jsonb, %(strokes)s::jsonb, %(accepted)s::jsonb, %(key)s, %(at)s)
), moved AS (
    INSERT INTO masks_head (assignment_id, layer, revision_id) VALUES (%(assignment)s, %(layer)s, %(id)s)
    ON CONFLICT (assignment_id, layer) DO UPDATE SET revision_id = excluded.revision_id
), touched AS (
    UPDATE work_assignment SET touched_at = %(at)s, lease_until = %(lease_until)s WHERE id = %(assignment)s
), written_down AS ({APPEND_ENTRY})
SELECT sha256 FROM fresh
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class Held:
    """The person's assignment, locked by this transaction, with all that a save of one of its layers needs."""

    assignment_id: UUID
    layer: str
    actor: User
    state: str
    stage: str
    lease_until: datetime | None
    lease_minutes: int
    scan_id: UUID
    scan_code: str
    scan_state: str
    shape_zyx: tuple[int, int, int] | None
    schema_id: UUID
    head_id: UUID | None
    chunks: Manifest  # of the head
    voxel_counts: dict[str, int]  # of the head
    content_hash: str | None  # of the head
    accepted: list[list[Any]]  # of the head
    done_id: UUID | None  # the revision that was saved with this idempotency key

    @property
    def schema(self) -> Schema:
        """The label schema of the campaign."""
        return _schema(self.schema_id)


def hold(assignment_id: UUID, layer: str, key: UUID | None, actor: User) -> Held | None:
    """Lock a person's own assignment until the end of the transaction; None when they may not see it or draw on it."""
    run_prepared(HOLD, {"assignment": assignment_id})
    asked = layer if LAYER_NAME.fullmatch(layer) else ""  # not in the schema, and might hold characters that SQL cannot
    values = {"assignment": assignment_id, "layer": asked, "key": key, "actor": actor.pk}
    rows = run_prepared(_read_statement(actor.is_administrator), values)
    if not rows:
        return None
    [row] = rows
    return Held(
        assignment_id=assignment_id,
        layer=layer,
        actor=actor,
        chunks=json.loads(row.pop("chunks") or "{}"),
        voxel_counts=json.loads(row.pop("voxel_counts") or "{}"),
        accepted=json.loads(row.pop("accepted") or "[]"),
        shape_zyx=_triple(json.loads(row.pop("shape_zyx") or "null")),
        **row,
    )


def append(
    held: Held, arrived: Arrived, strokes: Sequence[Mapping[str, Any]], *, kind: str, key: UUID | None
) -> MaskRevision:
    """Write chunks, revision, head, lease and audit entry. Raises Damaged when the head's list of chunks was changed,
    because every later revision would inherit the damage."""
    check_list(held.head_id, held.chunks, held.content_hash, held.shape_zyx or ())
    chunks = {name: chunk for name, chunk in {**held.chunks, **arrived.names}.items() if chunk}
    counts = arrived.counts.copy()
    try:
        replaced = _counts_of(held.chunks, arrived.names)
        counts.update({int(value): n for value, n in held.voxel_counts.items()})
        counts.subtract(replaced)
    except Damaged:
        # A replaced chunk is unreadable: the save repairs the mask, and the rest is recounted.
        counts.update(count_values(held.chunks, [key for key in held.chunks if key not in arrived.names]))
    at = now()
    revision = MaskRevision(
        id=new_id(),
        scan_id=held.scan_id,
        layer=held.layer,
        kind=kind,
        parent_id=held.head_id,
        assignment_id=held.assignment_id,
        author=held.actor,
        chunks=chunks,
        content_hash=hash_of(chunks, held.shape_zyx or ()),
        voxel_counts=shown_counts(counts),
        strokes=list(strokes),
        accepted=accepted_after(held.accepted, strokes),
        idempotency_key=key,
        created_at=at,
    )
    entry = make_entry(
        actor=held.actor,
        action="mask.saved",
        target=revision,
        old=held.head_id and str(held.head_id),
        new={"scan": held.scan_code, "layer": held.layer, "strokes": len(strokes), "hash": revision.content_hash},
    )
    _write(held, revision, arrived, entry)
    revision._state.adding, revision._state.db = False, "default"
    return revision


def _write(held: Held, revision: MaskRevision, arrived: Arrived, entry: AuditEntry) -> None:
    rows = arrived.rows_in_order
    stored = run_prepared(
        WRITE,
        {
            "names": [bytes(row.sha256) for row in rows],
            "data": [bytes(row.data) for row in rows],
            "chunk_counts": [json.dumps(row.counts) for row in rows],
            "id": revision.pk,
            "scan": held.scan_id,
            "layer": held.layer,
            "kind": str(revision.kind),
            "parent": held.head_id,
            "assignment": held.assignment_id,
            "actor": held.actor.pk,
            "emptied": [name for name, chunk in arrived.names.items() if not chunk],
            "named": json.dumps({name: chunk for name, chunk in arrived.names.items() if chunk}),
            "hash": revision.content_hash,
            "counts": json.dumps(revision.voxel_counts),
            "strokes": json.dumps(revision.strokes),
            "accepted": json.dumps(revision.accepted),
            "key": revision.idempotency_key,
            "at": revision.created_at,
            "lease_until": lease_after(held.lease_minutes, held.lease_until),
            **entry_values(entry),
        },
    )
    fresh = {bytes(row["sha256"]) for row in stored}
    keep_stored([row for row in rows if bytes(row.sha256) not in fresh])


def _counts_of(before: Manifest, changed: Manifest) -> Mapping[int, int]:
    """Voxels of each value in the replaced chunks; only chunks stored by older versions are read and counted."""
    replaced = {key: before[key] for key in changed if key in before}
    if not replaced:
        return {}
    names = [bytes.fromhex(name) for name in set(replaced.values())]
    known = {bytes(row["sha256"]).hex(): row["counts"] for row in run_prepared(COUNTS, {"names": names})}
    counts = count_values(before, [key for key, name in replaced.items() if known.get(name) is None])
    for name in replaced.values():
        counts.update({int(value): n for value, n in json.loads(known.get(name) or "{}").items()})
    return counts


@lru_cache
def _read_statement(is_administrator: bool) -> str:
    """READ with the visibility rule of `visible_assignments`."""
    somebody = User(is_administrator=is_administrator)
    visible = visible_assignments(somebody).values("pk")
    return READ.format(visible=statement_of(visible, {somebody.pk: "actor"}))


@lru_cache(maxsize=64)
def _schema(schema_id: UUID) -> Schema:
    # A label schema is never edited, so it can be cached.
    return parse_schema(LabelSchema.objects.values_list("definition", flat=True).get(pk=schema_id))


def _triple(shape: list[int] | None) -> tuple[int, int, int] | None:
    return (shape[0], shape[1], shape[2]) if shape else None
