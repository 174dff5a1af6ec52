"""The database refuses every row that a constraint forbids."""

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from annotation.datasets.models import Release, ReleaseItem
from annotation.learning.models import Effort, ModelVersion, PreAnnotation, TrainingRun
from annotation.masks.models import MaskRevision
from annotation.notices.models import Notice
from annotation.reviews.comments import add_comment, mark_seen
from annotation.reviews.models import (
    Arbitration,
    Certificate,
    GoldMask,
    GoldResult,
    GoldScan,
    PlantedFault,
    ReadingPair,
    ReviewRound,
    StyleReading,
    Trial,
)
from annotation.reviews.services import submit_assignment
from annotation.scans.models import ClinicalRecord, ErasedSubject, PathogenTest, Scan
from annotation.work.models import Assignment, Eligibility, ScanScore
from tests.db.forbidden_rows import FORBIDDEN, FRESH, MIND
from tests.factories.phantoms import store_measurement
from tests.factories.world import World, first_of, label, publish
from voxloop.accounts.models import ApiToken
from voxloop.jobs.models import Job, Worker
from voxloop.kernel.clock import now

OURS = {
    "accounts",
    "audit",
    "jobs",
    "scans",
    "intake",
    "work",
    "masks",
    "reviews",
    "learning",
    "reporting",
    "datasets",
    "notices",
    "pages",
    "demonstration",
}


def named_constraints() -> set[str]:
    """Every named constraint of our models."""
    return {
        constraint.name
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for constraint in model._meta.constraints
    }


def test_every_constraint_has_a_row() -> None:
    assert named_constraints() == set(FORBIDDEN)


def of_reviews(world: World, assignment: Assignment, round_: ReviewRound) -> list[models.Model]:
    """A certificate, the agreement of two rounds, their arbitration, and a planted fault."""
    second = ReviewRound.objects.create(annotation=assignment, author=world["annotator"], state="taken_back")
    return [
        Certificate.objects.create(
            batch=assignment.batch,
            scans=5,
            sampled=2,
            excluded=2,
            confidence=0.8,
            seed="ab",
            created_by=world["coordinator"],
        ),
        ReadingPair.objects.create(
            campaign=world.campaign,
            first=round_,
            second=second,
            dice=0.9,
            surface_dice=0.9,
            tolerance_mm=2.0,
            lesion_f1=1.0,
            first_ml=1.0,
            second_ml=1.2,
        ),
        Arbitration.objects.create(
            campaign=world.campaign,
            scan=assignment.scan,
            round=second,
            first_reader=world["annotator"],
            second_reader=world["annotator2"],
            dice=0.4,
        ),
        PlantedFault.objects.create(
            campaign=world.campaign,
            round=round_,
            source=round_,
            host=round_,
            reviewer=world["reviewer"],
            kind="shifted",
            seed=1,
            changed_ml=2.0,
        ),
    ]


def of_gold(world: World, assignment: Assignment, revision: MaskRevision | None) -> list[models.Model]:
    """A gold scan with its reference, an attempt at it, and the result."""
    gold = GoldScan.objects.create(
        campaign=world.campaign, scan=assignment.scan, origin="approved", made_by=world["coordinator"]
    )
    trial = Trial.objects.create(
        campaign=world.campaign, person=world["annotator"], number=1, batch=assignment.batch, pass_dice=0.6
    )
    figures = {"surface_dice": 0.9, "tolerance_mm": 2.0, "too_much_ml": 0.0, "missed_ml": 0.1}
    volumes = {"drawn_ml": 1.0, "gold_ml": 1.1}
    return [
        gold,
        GoldMask.objects.create(gold=gold, layer="findings", revision=revision),
        trial,
        GoldResult.objects.create(
            assignment=assignment, gold=gold, trial=trial, dice=0.9, handed_in_at=now(), **figures, **volumes
        ),
        StyleReading.objects.create(
            assignment=assignment,
            campaign=world.campaign,
            against="gold",
            drawn_ml=1.0,
            reference_ml=1.0,
            handed_in_at=now(),
        ),
    ]


def of_records(world: World, scan: Scan) -> list[models.Model]:
    """A clinical record with a test, and what the criteria say of the scan."""
    record = ClinicalRecord.objects.create(subject=scan.subject, age_years=44)
    return [
        record,
        PathogenTest.objects.create(record=record, pathogen="rsv", day=7, result="negative"),
        Eligibility.objects.create(campaign=world.campaign, scan=scan, is_eligible=True),
    ]


def told(world: World) -> Notice:
    """A notice."""
    return Notice.objects.create(
        person=world["annotator"], campaign=world.campaign, kind="comment", key="one", text="A comment.", url="/"
    )


@pytest.fixture
def rows(world: World) -> dict[type[models.Model], models.Model]:
    """One legal row of every model that has constraints."""
    assignment = first_of(publish(world, size=1))
    Assignment.objects.filter(pk=assignment.pk).update(is_overlap=True)
    label(world, assignment)
    round_ = submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])
    comment = add_comment(round_id=round_.pk, actor=world["annotator"], text="here")
    mark_seen(round_id=round_.pk, actor=world["annotator"], until=now())
    run = TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest={}, manifest_hash="0"
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign,
        number=1,
        run=run,
        state="champion",
        promoted_at=now(),
        weights_key="weights/0",
        config={},
        metrics={},
    )
    revision = round_.masks.get().submitted
    release = Release.objects.create(campaign=world.campaign, name="2026.1")
    made: list[models.Model] = [
        told(world),
        comment,
        round_,
        run,
        model,
        release,
        PreAnnotation.objects.create(campaign=world.campaign, scan=assignment.scan, model=model),
        ReleaseItem.objects.create(
            release=release, scan=assignment.scan, round=round_, revision=revision, layer="findings", split="train"
        ),
        ScanScore.objects.create(
            campaign=world.campaign, scan=assignment.scan, strategy="hybrid", score=1.0, why="diverse"
        ),
        Effort.objects.create(
            assignment=assignment,
            campaign=world.campaign,
            arm="none",
            drawn_ml=1.0,
            strokes=1,
            active_seconds=60,
            measured_at=now(),
        ),
        *of_reviews(world, assignment, round_),
        *of_gold(world, assignment, revision),
        store_measurement(round_),
        Job.objects.create(kind="import_scans", key="x"),
        Worker.objects.create(name="default-1@here", host="here", pid=1, started_at=now(), taken_at=now()),
        ApiToken.objects.create(user=world["annotator"], scopes=["read"])[0],
        ErasedSubject.objects.create(site=world.sites["a"], pseudonym="S-GONE"),
        *of_records(world, assignment.scan),
    ]
    found = {type(row): row for row in made}
    for model_class, _ in FORBIDDEN.values():
        found.setdefault(model_class, model_class._default_manager.first())
    found[ReviewRound].refresh_from_db()
    return found


@pytest.mark.django_db
def test_every_forbidden_row_is_refused(world: World, rows: dict[type[models.Model], models.Model]) -> None:
    other_run = TrainingRun.objects.create(
        campaign=world.campaign, number=2, profile="demo", seed=1, manifest={}, manifest_hash="0", state="failed"
    )
    other_work = first_of(publish(world, size=1))
    words = {
        "other job": rows[Job],
        "first round": rows[ReviewRound],
        "other round": ReviewRound.objects.get(state="taken_back"),
        "other work": other_work,
        "other batch": other_work.batch,
        "other scan": other_work.scan,
        "other subject": other_work.scan.subject,
        "author": world["annotator"],
        "reviewer": world["reviewer"],
        "other run": other_run,
    }
    got: dict[str, str] = {}
    for name, (model, changes) in FORBIDDEN.items():
        row = model._default_manager.get(pk=rows[model].pk)
        row.pk = uuid4() if isinstance(model._meta.pk, models.UUIDField) else None
        row._state.adding = True
        for field, value in changes.items():
            if value is FRESH:
                value = uuid4().hex[:12]
            elif isinstance(model._meta.get_field(field), models.ForeignKey) and value is not None:
                value = words[value]
            setattr(row, field, value)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
            got[name] = "let through"
        except IntegrityError as error:
            cause: Any = error.__cause__
            got[name] = str(cause.diag.constraint_name)
    assert got == {name: name for name in FORBIDDEN}


def test_what_is_forbidden_is_only_the_one_thing() -> None:
    """An unknown state is refused for every model with a state."""
    with_state = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OURS and any(field.name == "state" for field in model._meta.fields)
    }
    refused = {model._meta.label for model, changes in FORBIDDEN.values() if changes.get("state") == MIND["state"]}
    assert refused == with_state
