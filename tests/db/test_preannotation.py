"""Pre-annotations: reused after a roll-back, never on scans that a person has begun."""

from datetime import timedelta

import numpy as np
import pytest
from django.conf import settings

from annotation.learning import deciding
from annotation.learning.models import ModelVersion, PreAnnotation
from annotation.learning.preannotation import _request, preannotate, preannotate_when_due, settle_used, unopened_scans
from annotation.learning.selectors import champion_of
from annotation.masks.models import Head
from annotation.masks.selectors import newest_prediction
from annotation.masks.services import begin, store_prediction
from annotation.scans.models import Scan
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Assignment
from annotation.work.schema import parse_schema
from tests.db.test_learning import ALL_HOLD, map_of, model_of
from tests.factories.files import file_of
from tests.factories.world import World
from voxloop.accounts.actors import SystemActor
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.keeping.selectors import open_damage
from voxloop.keeping.services import note_whole
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


def keep_prediction(world: World, model: ModelVersion, scan: Scan, value: int) -> PreAnnotation:
    layer = parse_schema(world.campaign.schema.definition).editable_layers[0]
    labels = np.zeros(scan.shape_zyx, np.uint8)
    labels[5, 5:9, 5:9] = value
    revision = store_prediction(
        scan=scan,
        layer=layer,
        labels_zyx=labels,
        model_id=model.pk,
        model_name=str(model),
        probability=(labels * np.uint8(100), (1, 1, 1)),
        segment=1,
    )
    return PreAnnotation.objects.create(
        campaign=world.campaign, scan=scan, model=model, state="ready", revision=revision
    )


def test_rolling_back_offers_the_older_models_masks_again(approved: World) -> None:
    first, second = model_of(approved, 1), model_of(approved, 2)
    deciding.decide(model=first, gate=ALL_HOLD)
    for scan in approved.scans[6:8]:
        keep_prediction(approved, first, scan, 1)
    deciding.decide(model=second, gate=ALL_HOLD)
    for scan in approved.scans[6:8]:
        keep_prediction(approved, second, scan, 2)
    back = deciding.roll_back(model_id=second.pk, actor=approved["coordinator"], why="It is worse at site b.")
    assert back == first
    second.refresh_from_db()
    assert (champion_of(approved.campaign), second.state) == (first, "replaced")
    job = Job.objects.filter(kind=Job.Kind.PREANNOTATE, payload__model=str(first.pk)).order_by("-created_at").first()
    assert job is not None
    run(job.pk, preannotate)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    newest = newest_prediction(approved.scans[6].pk, "findings")
    assert newest is not None
    assert newest.model_id == first.pk
    assert newest.voxel_counts == {"1": 16}
    assert map_of(newest).max() == 100


def test_opened_scans_are_left_alone_and_a_mask_that_was_used_is_marked(approved: World) -> None:
    model = model_of(approved, 1)
    deciding.decide(model=model, gate=ALL_HOLD)
    scan = approved.scans[6]
    row = keep_prediction(approved, model, scan, 1)
    assert {found.pk for found in unopened_scans(model)} == {approved.scans[6].pk, approved.scans[7].pk}
    assert settle_used() == 0
    batch = create_batch(
        campaign=approved.campaign, actor=approved["coordinator"], scan_ids=[scan.pk], assignee=approved["annotator"]
    )
    publish_batch(batch_id=batch.pk, actor=approved["coordinator"])
    assignment = batch.assignments.get()
    assert scan.pk in {found.pk for found in unopened_scans(model)}  # assigned, not begun
    begin(assignment_id=assignment.pk, actor=approved["annotator"])
    assert Head.objects.get(assignment=assignment).start == row.revision
    assert scan.pk not in {found.pk for found in unopened_scans(model)}
    assert settle_used() == 1
    row.refresh_from_db()
    assert row.state == "used"
    assert Assignment.objects.get(pk=assignment.pk).starts_from == "prediction"


def test_stale_masks_of_unopened_scans_are_made_again_and_not_served(approved: World) -> None:
    first, second = model_of(approved, 1), model_of(approved, 2)
    deciding.decide(model=first, gate=ALL_HOLD)
    opened, unopened = approved.scans[6:8]
    for scan in (opened, unopened):
        keep_prediction(approved, first, scan, 1)
    batch = create_batch(
        campaign=approved.campaign,
        actor=approved["coordinator"],
        scan_ids=[opened.pk, unopened.pk],
        assignee=approved["annotator"],
    )
    publish_batch(batch_id=batch.pk, actor=approved["coordinator"])
    begin(assignment_id=batch.assignments.get(scan=opened).pk, actor=approved["annotator"])
    deciding.decide(model=second, gate=ALL_HOLD)
    assert Job.objects.filter(kind=Job.Kind.PREANNOTATE, payload__model=str(second.pk), state="queued").exists()
    assert _request(second) == [unopened]
    PreAnnotation.objects.filter(model=second).delete()
    keep_prediction(approved, second, unopened, 2)
    row = batch.assignments.get(scan=unopened)
    begin(assignment_id=row.pk, actor=approved["annotator"])
    start = Head.objects.get(assignment=row).start
    assert start is not None
    assert start.model_id == second.pk


def test_new_scans_are_labelled_without_being_asked(approved: World) -> None:
    model = model_of(approved, 1)
    deciding.decide(model=model, gate=ALL_HOLD)
    first = Job.objects.get(kind=Job.Kind.PREANNOTATE)
    assert preannotate_when_due() == 0  # the job of the promotion still waits
    Job.objects.filter(pk=first.pk).update(state="failed", ended_at=now())
    assert preannotate_when_due() == 0  # it failed just now
    Job.objects.filter(pk=first.pk).update(ended_at=now() - timedelta(hours=1))
    assert preannotate_when_due() == 1
    assert preannotate_when_due() == 0


@pytest.mark.fault("a pre-annotation meets a damaged volume")
def test_damaged_scans_wait_until_they_are_mended(approved: World) -> None:
    model = model_of(approved, 1)
    deciding.decide(model=model, gate=ALL_HOLD)
    waiting = list(unopened_scans(model))
    for scan in waiting:
        path = file_of(settings.STORAGE_URL, scan.pack_key)
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 4]))
    job = Job.objects.get(kind=Job.Kind.PREANNOTATE)
    run(job.pk, preannotate)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    assert job.result["damaged"] == [scan.code for scan in waiting]
    assert job.result["masks"] == 0
    assert set(open_damage().values_list("thing", flat=True)) == {scan.pack_key for scan in waiting}
    assert set(PreAnnotation.objects.values_list("state", flat=True)) == {"requested"}
    assert preannotate_when_due() == 0  # again and again would not mend them
    path.write_bytes(good)
    assert note_whole([waiting[-1].pack_key], actor=SystemActor.SCRUB) == 1
    assert preannotate_when_due() == 1
