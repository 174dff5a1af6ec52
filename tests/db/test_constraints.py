"""The database refuses every row that a constraint forbids."""

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from annotation.datasets.models import Release, ReleaseItem
from annotation.learning.models import Effort, ModelVersion, PreAnnotation, TrainingRun
from annotation.masks.models import Head, MaskRevision
from annotation.reviews.comments import add_comment, mark_seen
from annotation.reviews.models import Certificate, Comment, CommentsSeen, ReadingPair, ReviewRound, RoundMask
from annotation.reviews.services import submit_assignment
from annotation.scans.models import ErasedSubject, Scan, Series, Site, SiteMembership, Study, Subject
from annotation.work.models import Assignment, Batch, Campaign, CampaignMember, CampaignScan, LabelSchema, ScanScore
from tests.factories.world import World, first_of, label, publish
from voxloop.accounts.models import ApiToken, User
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
    "datasets",
    "pages",
    "demonstration",
}
MIND = {"state": "unknown"}
# By constraint: the model, and the changes that make a copy of a valid row invalid. `FRESH` is a new value for another
# unique column, so that only the tested constraint fails.
FRESH = object()
FORBIDDEN: dict[str, tuple[type[models.Model], dict[str, Any]]] = {
    "user_theme_known": (User, {"theme": "pink", "username": FRESH}),
    "job_state_known": (Job, {**MIND, "key": FRESH}),
    "job_progress_percent": (Job, {"progress": 101, "key": FRESH}),
    "job_attempts_limited": (Job, {"attempt": 3, "max_attempts": 2, "key": FRESH}),
    "job_running_has_lease": (Job, {"state": "running", "lease_until": None, "key": FRESH}),
    "worker_busy_since": (Worker, {"busy_with": "other job", "busy_since": None, "name": FRESH}),
    "token_scopes_known": (ApiToken, {"scopes": ["everything"], "digest": FRESH}),
    "erased_subject_once_per_site": (ErasedSubject, {}),
    "site_split_known": (Site, {"split": "both", "code": FRESH}),
    "site_membership_once": (SiteMembership, {}),
    "subject_once_per_site": (Subject, {}),
    "study_once_per_subject": (Study, {}),
    "series_once_per_study": (Series, {}),
    "scan_state_known": (Scan, {**MIND, "code": FRESH, "series": None}),
    "scan_ready_has_volume": (Scan, {"pack_key": "", "code": FRESH, "series": None}),
    "scan_refusal_has_reason": (Scan, {"state": "rejected", "reason": "", "code": FRESH, "series": None}),
    "scan_source_once_per_site": (Scan, {"code": FRESH, "series": None}),
    "label_schema_version_once": (LabelSchema, {}),
    "campaign_batch_size": (Campaign, {"batch_size": 501, "name": FRESH, "slug": FRESH}),
    "campaign_blank_share": (Campaign, {"blank_share": 1.01, "name": FRESH, "slug": FRESH}),
    "campaign_repeat_share": (Campaign, {"repeat_share": 0.6, "name": FRESH, "slug": FRESH}),
    "campaign_overlap": (Campaign, {"overlap_readers": 6, "name": FRESH, "slug": FRESH}),
    "campaign_older_share": (Campaign, {"older_share": 1.01, "name": FRESH, "slug": FRESH}),
    "campaign_proposed_known": (Campaign, {"proposed_policy": "guess", "name": FRESH, "slug": FRESH}),
    "campaign_seen_policy_known": (Campaign, {"seen_policy": "guess", "name": FRESH, "slug": FRESH}),
    "campaign_signature_policy_known": (Campaign, {"signature_policy": "guess", "name": FRESH, "slug": FRESH}),
    "campaign_retrain_after": (Campaign, {"retrain_after": 0, "name": FRESH, "slug": FRESH}),
    "campaign_member_once": (CampaignMember, {}),
    "campaign_member_role_known": (CampaignMember, {"role": "superuser"}),
    "campaign_member_pause_has_reason": (CampaignMember, {"role": "data_manager", "is_paused": True}),
    "campaign_scan_once": (CampaignScan, {}),
    "scan_score_once": (ScanScore, {}),
    "scan_score_strategy_known": (ScanScore, {"strategy": "best"}),
    "batch_number_once": (Batch, {}),
    "batch_pause_has_reason": (Batch, {**MIND, "number": 901, "is_paused": True}),
    "batch_state_known": (Batch, {**MIND, "number": 900}),
    "assignment_state_known": (Assignment, {**MIND, "reader": 2}),
    "assignment_worked_on_has_person": (Assignment, {"state": "open", "person": None, "reader": 2}),
    "assignment_one_reader_per_scan": (Assignment, {"is_overlap": False}),
    "assignment_independent_readers": (Assignment, {"reader": 2}),
    "mask_revision_key_once": (MaskRevision, {}),
    "mask_revision_has_source": (MaskRevision, {"author": None, "model_id": None, "idempotency_key": None}),
    "mask_revision_kind_known": (MaskRevision, {"kind": "guess", "idempotency_key": None}),
    "head_once_per_layer": (Head, {}),
    "certificate_state_known": (Certificate, MIND),
    "certificate_sample": (Certificate, {"sampled": 9, "state": "failed"}),
    "certificate_accepted_by_somebody": (Certificate, {"state": "accepted"}),
    "certificate_one_open": (Certificate, {}),
    "review_round_part_of_certificate": (ReviewRound, {"part": "sample", "number": 9}),
    "review_round_number_once": (ReviewRound, {"state": "returned", "reviewer": "reviewer"}),
    "review_round_state_known": (ReviewRound, {**MIND, "number": 9}),
    "review_round_not_own_work": (ReviewRound, {"reviewer": "author", "number": 9}),
    "review_round_verdict_has_reviewer": (ReviewRound, {"state": "returned", "reviewer": None, "number": 9}),
    "review_round_approval_signed": (
        ReviewRound,
        {"state": "approved", "reviewer": "reviewer", "signature": None, "number": 9},
    ),
    "review_round_one_open": (ReviewRound, {"number": 9}),
    "round_mask_once_per_layer": (RoundMask, {}),
    "reading_pair_once": (ReadingPair, {}),
    "reading_pair_of_two": (ReadingPair, {"second": "first round"}),
    "comment_state_known": (Comment, MIND),
    "comment_pin_whole": (Comment, {"i": 1, "j": None, "k": None}),
    "comments_seen_once": (CommentsSeen, {}),
    "training_run_number_once": (TrainingRun, {"state": "failed"}),
    "training_run_state_known": (TrainingRun, {**MIND, "number": 9}),
    "training_run_one_at_a_time": (TrainingRun, {"number": 9}),
    "model_version_number_once": (ModelVersion, {"state": "candidate", "run": "other run"}),
    "model_version_state_known": (ModelVersion, {**MIND, "number": 9, "run": "other run"}),
    "model_version_one_champion": (ModelVersion, {"number": 9, "run": "other run"}),
    "model_version_champion_serves": (ModelVersion, {"number": 9, "run": "other run", "promoted_at": None}),
    "pre_annotation_once_per_model": (PreAnnotation, {}),
    "pre_annotation_state_known": (PreAnnotation, MIND),
    "pre_annotation_ready_has_mask": (PreAnnotation, {"state": "ready", "revision": None}),
    "effort_arm_known": (Effort, {"arm": "guess", "assignment": "other work"}),
    "effort_measured_against_a_model": (Effort, {"arm": "shown", "assignment": "other work"}),
    "release_name_once": (Release, {}),
    "release_state_known": (Release, {**MIND, "name": FRESH, "manifest_hash": "0"}),
    "release_frozen_has_manifest": (Release, {"state": "frozen", "manifest_hash": "", "name": FRESH}),
    "release_item_once": (ReleaseItem, {}),
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
    """A certificate, and the agreement of two rounds."""
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
            second=ReviewRound.objects.create(annotation=assignment, author=world["annotator"], state="taken_back"),
            dice=0.9,
            surface_dice=0.9,
            tolerance_mm=2.0,
            lesion_f1=1.0,
            first_ml=1.0,
            second_ml=1.2,
        ),
    ]


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
        Job.objects.create(kind="import_scans", key="x"),
        Worker.objects.create(name="default-1@here", host="here", pid=1, started_at=now(), taken_at=now()),
        ApiToken.objects.create(user=world["annotator"], scopes=["read"])[0],
        ErasedSubject.objects.create(site=world.sites["a"], pseudonym="S-GONE"),
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
        "other work": other_work,
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
