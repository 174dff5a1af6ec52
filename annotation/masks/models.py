"""Immutable mask revisions, their chunks, heads, and image-level answers."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.scans.models import Scan
from annotation.work.models import Assignment
from voxloop.kernel.ids import new_id


class MaskChunk(models.Model):
    """32³ voxels of a labelmap, named by the sha256 of the raw voxels; zlib of the payload of docs/formats.md."""

    sha256 = models.BinaryField(primary_key=True, max_length=32)
    data = models.BinaryField()
    counts = models.JSONField(null=True)  # value > 0 -> voxels; null: stored by an older version, to be counted

    class Meta:
        verbose_name = "mask chunk"

    def __str__(self) -> str:
        return bytes(self.sha256).hex()


class MaskRevision(models.Model):
    """An immutable state of one layer of a scan; it has one parent. Appended, never edited (enforced by a trigger)."""

    class Kind(models.TextChoices):
        DRAFT = "draft", "Draft"
        CORRECTION = "correction", "Correction"
        PREDICTION = "prediction", "Prediction"
        CONSENSUS = "consensus", "Consensus"
        IMPORT = "import", "Import"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="mask_revisions")
    layer = models.CharField(max_length=32)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    assignment = models.ForeignKey(Assignment, null=True, on_delete=models.PROTECT, related_name="mask_revisions")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="mask_revisions"
    )
    model_id = models.UUIDField(null=True)  # a learning.ModelVersion, which this app cannot import
    model_name = models.CharField(max_length=64, blank=True)
    chunks = models.JSONField(default=dict)  # "cz,cy,cx" -> sha256 hex, of every chunk that is not all 0
    content_hash = models.CharField(max_length=64)
    voxel_counts = models.JSONField(default=dict)  # segment id -> voxels, erased (255) left out
    strokes = models.JSONField(default=list)
    # [stroke, i, j, k, whether it holds] of every proposed lesion that was accepted (annotation.masks.strokes)
    accepted = models.JSONField(default=list)
    # of a mask from elsewhere: its file and what was taken of it (docs/formats.md); no text of the file
    source = models.JSONField(null=True)
    idempotency_key = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="mask_revision_key_once",
            ),
            models.CheckConstraint(
                condition=Q(author__isnull=False) | Q(model_id__isnull=False), name="mask_revision_has_source"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["draft", "correction", "prediction", "consensus", "import"]),
                name="mask_revision_kind_known",
            ),
        ]
        indexes = [
            models.Index(fields=["scan", "layer", "kind"], name="mask_revision_scan"),
            models.Index(fields=["assignment", "layer", "created_at"], name="mask_revision_assignment"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.scan_id} {self.layer}"


class ProbabilityMap(models.Model):
    """The probability map of a prediction: an immutable object in storage. Append-only."""

    revision = models.OneToOneField(
        MaskRevision, on_delete=models.PROTECT, primary_key=True, related_name="probability_map"
    )
    key = models.CharField(max_length=100)
    facts = models.JSONField()  # bytes, shape_zyx, step_zyx (docs/formats.md)
    segment = models.PositiveSmallIntegerField(null=True)  # null: any finding of the layer

    def __str__(self) -> str:
        return f"probability of {self.revision_id}"


class Head(models.Model):
    """The newest accepted revision of an assignment's layer; moved by compare-and-set."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="heads")
    layer = models.CharField(max_length=32)
    revision = models.ForeignKey(MaskRevision, on_delete=models.PROTECT, related_name="head_of")
    start = models.ForeignKey(  # start of this line of work: a prediction, a submission; null: blank
        MaskRevision, null=True, on_delete=models.PROTECT, related_name="start_of"
    )

    class Meta:
        ordering = ["assignment", "layer"]
        constraints = [models.UniqueConstraint(fields=["assignment", "layer"], name="head_once_per_layer")]

    def __str__(self) -> str:
        return f"head of {self.assignment_id} {self.layer}"


class AnswerSet(models.Model):
    """Image-level answers of an assignment; every save is a new row, the newest is valid."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="answer_sets")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="answer_sets")
    values = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["assignment", "-created_at"], name="answer_set_newest")]

    def __str__(self) -> str:
        return f"answers of {self.assignment_id}"
