"""Quantities of approved masks, and sets of reports that were asked for."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.masks.models import MaskRevision
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.work.models import Batch, Campaign
from voxloop.jobs.models import Job
from voxloop.kernel.ids import new_id


class Measurement(models.Model):
    """The quantities of one approved mask (`voxloop.volume.measuring`), with what they were computed from."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.OneToOneField(ReviewRound, on_delete=models.CASCADE, related_name="measurement")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="measurements")
    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="measurements")
    layer = models.CharField(max_length=32)
    revision = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="measurements")
    content_hash = models.CharField(max_length=64, blank=True)  # of the approved labelmap; blank: approved as empty
    anatomy = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="measured_with")
    values = models.JSONField(null=True)
    # The model's mask of the same scan in the same lungs, to compare both.
    prediction = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="measured_as_model")
    model_values = models.JSONField(null=True)
    # PNG of lungs and opacities in 3D, and of the slice with most opacity.
    surface_png = models.BinaryField(null=True)
    slice_png = models.BinaryField(null=True)
    software = models.CharField(max_length=32)
    fault = models.CharField(max_length=64, blank=True)  # code of what went wrong; tried again a day later
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ["scan__code", "-measured_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(values__isnull=False, fault="") | Q(values__isnull=True) & ~Q(fault=""),
                name="measurement_values_or_fault",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "scan"], name="measurement_campaign")]

    def __str__(self) -> str:
        return f"quantities of {self.scan}"


class ReportSet(models.Model):
    """The reports of a batch as one zip, made by a job."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="report_sets")
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="report_set")
    key = models.CharField(max_length=100, blank=True)  # of the object; blank: not made
    scans = models.JSONField(default=list)  # ids of the scans in it
    left_out = models.PositiveSmallIntegerField(default=0)  # scans of the batch without quantities
    bytes = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="report_sets"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"reports of {self.batch}"
