"""Quantities of approved masks: measured once by a job, again when lobes came, and nothing of them after an erasure."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.conf import settings

from annotation.masks.models import MaskRevision
from annotation.reporting.measuring import BEGUN, measure_when_due, waiting_rounds
from annotation.reporting.models import Measurement
from annotation.reporting.selectors import measurement_of, visible_measurements
from annotation.reporting.tables import ABOUT, HEAD, rows_of
from annotation.reporting.tasks import measure
from annotation.work.erasing import erase
from tests.factories.phantoms import SHAPE, add_phantom, approve_phantom, give_layer, phantom
from tests.factories.world import World
from voxloop import __version__
from voxloop.jobs.models import Job
from voxloop.kernel.clock import now
from voxloop.storage.store import open_store
from voxloop.volume.quantities import lobar_score, opacity_of

pytestmark = pytest.mark.django_db


def measure_all() -> Job:
    """What beat and a worker do."""
    assert measure_when_due()
    job = Job.objects.filter(kind=Job.Kind.MEASURE_SCANS).latest("created_at")
    measure(str(job.pk))
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    return job


def test_an_approval_is_measured_once_against_the_truth_and_beside_the_model(world: World) -> None:
    scan = add_phantom(world)
    model = give_layer(
        world,
        scan,
        "findings",
        np.where(np.arange(SHAPE[2]) < 48, phantom().findings_zyx, 0).astype(np.uint8),
        kind=MaskRevision.Kind.PREDICTION,
        author=None,
        model_id=uuid4(),
        model_name="m1",
    )
    round_ = approve_phantom(world, scan)
    job = measure_all()
    assert job.result == {"measured": 1, "not_measured": 0}
    assert (measure_when_due(), Measurement.objects.count()) == (0, 1)
    found = measurement_of(scan, world["coordinator"])
    assert found is not None
    made, ml = phantom(), phantom().geometry.voxel_ml
    opacity = opacity_of(made.findings_zyx, (1, 2, 3))
    assert (found.round_id, found.software, found.prediction_id) == (round_.pk, __version__, model.pk)
    assert found.content_hash == found.revision.content_hash == round_.signature["hashes"]["findings"]
    assert found.values["opacity"] == pytest.approx(opacity.sum() * ml)
    assert found.values["lungs"] == pytest.approx((made.lungs_zyx > 0).sum() * ml, rel=0.03)  # voxels of 7 × 4 × 4 mm
    assert (found.values["lungs_from"], found.values["score"]) == ("image", None)
    assert found.model_values["opacity"] == pytest.approx(opacity[:, :, :48].sum() * ml)
    assert found.model_values["lungs"] == found.values["lungs"]
    assert bytes(found.surface_png)[:4] == bytes(found.slice_png)[:4] == b"\x89PNG"


def test_lobes_that_come_later_are_measured_with(world: World) -> None:
    scan = add_phantom(world)
    approve_phantom(world, scan)
    measure_all()
    lobes = give_layer(world, scan, "anatomy", phantom().lobes_zyx)
    measure_all()
    assert measure_when_due() == 0
    found = Measurement.objects.get()
    score = lobar_score(opacity_of(phantom().findings_zyx, (1, 2, 3)), phantom().lobes_zyx)
    assert (found.anatomy, found.values["score"], found.values["severity"]) == (lobes, score.total, score.word)
    table = list(rows_of(found))
    assert all(len(row) == len(HEAD) for row in table)
    assert set(HEAD) == set(ABOUT)
    grades = [row[HEAD.index("grade")] for row in table if row[HEAD.index("part")].endswith("_lobe")]
    assert tuple(grades) == score.grades


def test_a_mask_approved_as_empty_is_zeros(world: World) -> None:
    scan = add_phantom(world)
    approve_phantom(world, scan, labels_zyx=np.zeros(SHAPE, np.uint8))
    measure_all()
    found = Measurement.objects.get()
    assert (found.revision, found.content_hash) == (None, "")
    assert (found.values["opacity"], found.values["percent"], found.values["worst_slice"]) == (0, 0, None)
    assert found.values["lungs"] > 1000


def test_a_damaged_scan_is_noted_and_tried_again_a_day_later(world: World, tmp_path: Path) -> None:
    scan = add_phantom(world)
    approve_phantom(world, scan)
    store = open_store(settings.STORAGE_URL)
    kept = store.get(scan.pack_key)
    store.delete(scan.pack_key)
    job = measure_all()
    assert job.result == {"measured": 0, "not_measured": 1}
    found = Measurement.objects.get()
    assert (found.fault, found.values) == ("object_missing", None)
    assert not visible_measurements(world["admin"]).exists()
    assert measure_when_due() == 0  # not every minute
    Measurement.objects.update(measured_at=now() - timedelta(days=1, minutes=1))
    (tmp_path / "pack").write_bytes(kept)
    assert store.put_file("packs", tmp_path / "pack") == scan.pack_key
    measure_all()
    assert Measurement.objects.get().fault == ""


def test_a_killed_worker_leaves_no_scan_that_is_measured_for_ever(world: World) -> None:
    scan = add_phantom(world)
    round_ = approve_phantom(world, scan)
    Measurement.objects.create(
        round=round_,
        campaign=world.campaign,
        scan=scan,
        layer="findings",
        software=__version__,
        fault=BEGUN,
        measured_at=now(),
    )
    assert not waiting_rounds().exists()


def test_readers_see_none_and_an_erasure_deletes_them(world: World) -> None:
    scan = add_phantom(world)
    approve_phantom(world, scan)
    measure_all()
    for person, sees in (("annotator", 0), ("reviewer", 0), ("outsider", 0), ("datamanager", 1), ("admin", 1)):
        assert visible_measurements(world[person]).count() == sees, person
    erase(subject_id=scan.subject_id, actor=world["datamanager"], why="asked for", confirmation=scan.subject.pseudonym)
    assert not Measurement.objects.exists()
