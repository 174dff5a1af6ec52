"""Training runs, model versions and pre-annotations."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.learning.states import (
    MODEL_VERSION,
    PRE_ANNOTATION,
    TRAINING_RUN,
    ModelState,
    PreAnnotationState,
    RunState,
)
from annotation.masks.models import MaskRevision
from annotation.scans.models import Scan
from annotation.work.models import Assignment, Campaign
from voxloop.jobs.models import Job
from voxloop.kernel.ids import new_id


class TrainingRun(models.Model):
    """One training from one frozen manifest."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="training_runs")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default=TRAINING_RUN.initial)
    trigger = models.CharField(max_length=16, default="person")  # person, threshold, calendar, brought
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="training_runs"
    )
    profile = models.CharField(max_length=32)
    seed = models.PositiveIntegerField()
    manifest = models.JSONField()  # revision ids, hashes, sites, split, code version
    manifest_hash = models.CharField(max_length=64)
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="training_run")
    curves = models.JSONField(default=dict)
    results = models.JSONField(null=True)
    gate = models.JSONField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["campaign", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="training_run_number_once"),
            models.CheckConstraint(condition=Q(state__in=sorted(TRAINING_RUN.states)), name="training_run_state_known"),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=Q(state__in=[RunState.QUEUED, RunState.RUNNING, RunState.EVALUATING]),
                name="training_run_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.number}"


class ModelVersion(models.Model):
    """Weights + configuration + the frozen data it learned from + its measured results."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="models")
    number = models.PositiveIntegerField()
    run = models.OneToOneField(TrainingRun, on_delete=models.PROTECT, related_name="model")
    state = models.CharField(max_length=12, default=MODEL_VERSION.initial)
    weights_key = models.CharField(max_length=100)
    portable_key = models.CharField(max_length=100, blank=True)  # the zip of its folder, once it was packed
    portable = models.JSONField(null=True)  # figures of that zip: bytes, files, onnx_difference, made_at
    config = models.JSONField()
    metrics = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True)  # the last time
    replaced_at = models.DateTimeField(null=True)  # the last time; null while it serves
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="promoted_models"
    )

    class Meta:
        ordering = ["campaign", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="model_version_number_once"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(MODEL_VERSION.states)), name="model_version_state_known"
            ),
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(state=ModelState.CHAMPION), name="model_version_one_champion"
            ),
            models.CheckConstraint(
                condition=~Q(state=ModelState.CHAMPION) | Q(promoted_at__isnull=False, replaced_at__isnull=True),
                name="model_version_champion_serves",
            ),
        ]

    def __str__(self) -> str:
        return f"m{self.number}"


class PreAnnotation(models.Model):
    """A model's mask for one scan, kept for ever to measure the reader's effort against it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="pre_annotations")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="pre_annotations")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="pre_annotations")
    state = models.CharField(max_length=12, default=PRE_ANNOTATION.initial)
    revision = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="pre_annotations")
    uncertainty = models.FloatField(null=True)
    extent_ml = models.FloatField(null=True)
    extent_ml_by_class = models.JSONField(default=dict)  # by the key of the segment
    embedding = models.JSONField(null=True)  # embedding of the scan, by which acquisition keeps a batch diverse
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "scan", "model"], name="pre_annotation_once_per_model"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(PRE_ANNOTATION.states)), name="pre_annotation_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[PreAnnotationState.READY, PreAnnotationState.USED]) | Q(revision__isnull=False),
                name="pre_annotation_ready_has_mask",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.scan}"


class ScanEmbedding(models.Model):
    """What a scan looks like, in numbers (mlservice/embedding.py): computed once, without a model."""

    scan = models.OneToOneField(Scan, on_delete=models.CASCADE, primary_key=True, related_name="embedding")
    numbers = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"embedding of {self.scan_id}"


class Effort(models.Model):
    """What one approved annotation took, and how far it lies from the model's mask. Measured once it is approved, and
    again after it was changed (annotation.learning.effort)."""

    class Arm(models.TextChoices):
        SHOWN = "shown", "Began from the newest model's mask"
        OLDER = "older", "Began from an older model's mask"
        BLANK = "blank", "Began blank, though a model had a mask"
        NONE = "none", "No model had a mask"
        IMPORTED = "imported", "Began from an imported mask"
        REPEAT = "repeat", "Second reading, blank"

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, primary_key=True, related_name="effort")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="efforts")
    arm = models.CharField(max_length=8, choices=Arm.choices)
    # The model it is measured against: whose mask it began from, or whose mask there was when it began.
    model = models.ForeignKey(ModelVersion, null=True, on_delete=models.PROTECT, related_name="efforts")
    drawn_ml = models.FloatField()
    predicted_ml = models.FloatField(null=True)
    added_ml = models.FloatField(null=True)  # in the reader's mask and not in the model's
    removed_ml = models.FloatField(null=True)
    # [fate, mL proposed, mL of that kept, mL drawn] of every lesion of the model's mask and every new one
    # (voxloop.volume.proposals), the largest first; null: not judged yet, or no model had a mask.
    lesions = models.JSONField(null=True)
    repeat_dice = models.FloatField(null=True)  # of a second reading with the first; null where both are small
    strokes = models.PositiveIntegerField()
    active_seconds = models.PositiveIntegerField()  # of all who worked on it before it was handed in
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ["campaign", "assignment"]
        constraints = [
            models.CheckConstraint(
                condition=Q(arm__in=["shown", "older", "blank", "none", "imported", "repeat"]), name="effort_arm_known"
            ),
            models.CheckConstraint(
                condition=~Q(arm__in=["shown", "older", "blank"]) | Q(model__isnull=False, added_ml__isnull=False),
                name="effort_measured_against_a_model",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "arm"], name="effort_arm")]

    def __str__(self) -> str:
        return f"effort of {self.assignment_id}"
