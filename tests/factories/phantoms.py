"""An approved scan of a phantom, with or without its lobes, in the small campaign."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any
from uuid import uuid4

import numpy as np

from annotation.masks.answers import save_answers
from annotation.masks.models import MaskRevision
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.masks.store import hash_of, put_chunks, shown_counts
from annotation.reporting.models import Measurement
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.factories.world import World, add_scan, approve
from voxloop import __version__
from voxloop.kernel.clock import now
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import encode_message, split_labelmap
from voxloop.volume.measuring import measure_mask
from voxloop.volume.phantom import make_phantom
from voxloop.volume.phantom.make import Phantom

SHAPE = (40, 96, 96)
SEED = 23  # with findings in every lobe


@lru_cache(maxsize=2)
def phantom(seed: int = SEED) -> Phantom:
    """A small one, made once."""
    return make_phantom(seed, "B", SHAPE)


def add_phantom(world: World, *, seed: int = SEED, site: str = "a") -> Scan:
    """A ready scan of it."""
    made = phantom(seed)
    return add_scan(world, site, made.hu_zyx, made.geometry, number=900 + seed)


def give_layer(world: World, scan: Scan, layer: str, labels_zyx: np.ndarray[Any, Any], **fields: Any) -> MaskRevision:
    """A mask that came for the scan: of the anatomy, or (with `kind` and `model_name`) of a model."""
    names, counts = put_chunks(split_labelmap(labels_zyx))
    chunks = {key: name for key, name in names.items() if name}
    shape = labels_zyx.shape
    given: dict[str, Any] = {"kind": MaskRevision.Kind.IMPORT, "author": world["admin"], **fields}
    return MaskRevision.objects.create(
        scan=scan,
        layer=layer,
        chunks=chunks,
        content_hash=hash_of(chunks, shape),
        voxel_counts=shown_counts(counts),
        **given,
    )


def approve_phantom(world: World, scan: Scan, *, seed: int = SEED, labels_zyx: Any = None) -> Any:
    """Draw the phantom's findings on its scan and approve them; returns the round."""
    batch = create_batch(
        campaign=world.campaign, actor=world["coordinator"], assignee=world["annotator"], scan_ids=[scan.pk]
    )
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    row: Assignment = batch.assignments.select_related("scan", "campaign").get()
    labels = phantom(seed).findings_zyx if labels_zyx is None else labels_zyx
    begin(assignment_id=row.pk, actor=world["annotator"])
    message = encode_message("findings", SHAPE, split_labelmap(labels), [{"id": str(uuid4()), "tool": "sphere"}])
    head = row.heads.filter(layer="findings").first()  # it starts from a model's mask where there is one
    if labels.any():
        save_message(
            assignment_id=row.pk,
            layer="findings",
            message=message,
            if_match=str(head.revision_id) if head else EMPTY,
            key=uuid4(),
            actor=world["annotator"],
        )
    values: dict[str, Any] = {"diagnosis": "covid19", "quality": "good"}
    if not labels.any():
        values = {"diagnosis": "no_signs", "quality": "good", "confirmed_empty": True}
    save_answers(assignment_id=row.pk, values=values, actor=world["annotator"])
    return approve(world, row)


def store_measurement(round_: ReviewRound, **fields: Any) -> Measurement:
    """A row as if nothing were marked on the round's scan, without any voxel being read."""
    scan, layer = round_.annotation.scan, parse_schema(round_.annotation.campaign.schema.definition).layer()
    geometry = Geometry.from_json(scan.index)
    empty = np.zeros(geometry.shape_zyx, np.uint8)
    values = measure_mask(empty, empty.astype(np.int16), geometry, segments=layer.ids, opacities=layer.ids)
    return Measurement.objects.create(
        round=round_,
        campaign=round_.annotation.campaign,
        scan=scan,
        layer=layer.name,
        values=asdict(values) | fields,
        software=__version__,
        measured_at=now(),
    )
