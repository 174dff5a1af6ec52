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
from annotation.work.models import Campaign
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
