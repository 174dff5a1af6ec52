"""Approved work measured against models' masks."""

import numpy as np

from annotation.learning.models import ModelVersion, PreAnnotation
from annotation.masks.services import store_prediction
from annotation.scans.models import Scan
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.factories.world import World, approve, ball, label


def foresee(world: World, model: ModelVersion, scan: Scan, *, radius: float, offset_z: int = 0) -> PreAnnotation:
    """A model's mask of one scan: a ball, moved along z."""
    labels = np.roll(ball(tuple(scan.shape_zyx), radius).astype(np.uint8), offset_z, axis=0)
    revision = store_prediction(
        scan=scan,
        layer=parse_schema(world.campaign.schema.definition).layer(),
        labels_zyx=labels,
        model_id=model.pk,
        model_name=str(model),
    )
    return PreAnnotation.objects.create(
        campaign=world.campaign,
        scan=scan,
        model=model,
        state="ready",
        revision=revision,
        uncertainty=0.4,
        extent_ml=8.0,
        extent_ml_by_class={"infectious_opacity": 8.0},
    )


def work(world: World, scan: Scan, *, minutes: float, is_blank: bool = False, who: str = "annotator") -> Assignment:
    """A scan given out, drawn (a ball of radius 9) and approved after so many active minutes."""
    world.campaign.blank_share = 1.0 if is_blank else 0.0
    world.campaign.save(update_fields=["blank_share"])
    batch = create_batch(campaign=world.campaign, actor=world["coordinator"], scan_ids=[scan.pk], assignee=world[who])
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    assignment = batch.assignments.select_related("scan", "campaign").get()
    label(world, assignment, who=who)
    approve(world, assignment, who=who)
    Assignment.objects.filter(pk=assignment.pk).update(active_seconds=round(minutes * 60))
    assignment.refresh_from_db()
    return assignment
