"""Gold scans, what their readers made of them, and the certification of newcomers."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from annotation.masks.models import MaskRevision
from annotation.reviews.states import TRIAL, TrialState
from annotation.scans.models import Scan
from annotation.work.models import Assignment, Batch, Campaign
from voxloop.kernel.ids import new_id


class GoldScan(models.Model):
    """A scan with a reference mask, served to measure its readers. It is never deleted, only used no more."""

    class Origin(models.TextChoices):
        APPROVED = "approved", "Approved mask"
        MAJORITY = "majority", "Majority of its readers"
        STAPLE = "staple", "STAPLE of its readers"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="gold_scans")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="gold_scans")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    certifies = models.BooleanField(default=False)  # in the set that a newcomer works
    retired_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="gold_scans")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["campaign", "scan"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "scan"], name="gold_scan_once"),
            models.CheckConstraint(
                condition=Q(origin__in=["approved", "majority", "staple"]), name="gold_scan_origin_known"
            ),
            models.CheckConstraint(condition=Q(certifies=False) | Q(retired_at__isnull=True), name="gold_scan_in_use"),
        ]

    def __str__(self) -> str:
        return f"gold of {self.scan}"


class GoldMask(models.Model):
    """The reference mask of one layer; a layer without one is empty."""

    gold = models.ForeignKey(GoldScan, on_delete=models.CASCADE, related_name="masks")
    layer = models.CharField(max_length=32)
    revision = models.ForeignKey(MaskRevision, on_delete=models.PROTECT, related_name="gold_masks")

    class Meta:
        ordering = ["gold", "layer"]
        constraints = [models.UniqueConstraint(fields=["gold", "layer"], name="gold_mask_once_per_layer")]

    def __str__(self) -> str:
        return f"{self.layer} of {self.gold_id}"


class Trial(models.Model):
    """One attempt of a person at the certification set of a campaign."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="trials")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trials")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=TRIAL.initial)
    batch = models.OneToOneField(Batch, on_delete=models.PROTECT, related_name="trial")
    pass_dice = models.FloatField()  # as it stood when the attempt began
    dice = models.FloatField(null=True)  # mean of its scans, once it has ended
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["campaign", "person", "number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person", "number"], name="trial_number_once"),
            models.UniqueConstraint(
                fields=["campaign", "person"], condition=Q(state=TrialState.WORKING), name="trial_one_open"
            ),
            models.CheckConstraint(condition=Q(state__in=sorted(TRIAL.states)), name="trial_state_known"),
            models.CheckConstraint(
                condition=~Q(state=TrialState.PASSED) | Q(dice__gte=F("pass_dice")), name="trial_passed_by_figure"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.person}"


class GoldResult(models.Model):
    """How a reading of a gold scan compares with its reference, as it was handed in first."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="gold_result")
    gold = models.ForeignKey(GoldScan, on_delete=models.CASCADE, related_name="results")
    trial = models.ForeignKey(Trial, null=True, on_delete=models.CASCADE, related_name="results")  # null: hidden
    dice = models.FloatField()
    surface_dice = models.FloatField()  # by area, at `tolerance_mm`
    tolerance_mm = models.FloatField()
    too_much_ml = models.FloatField()  # marked, and not in the reference
    missed_ml = models.FloatField()
    drawn_ml = models.FloatField()
    gold_ml = models.FloatField()
    handed_in_at = models.DateTimeField()
    measured_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["handed_in_at"]
        constraints = [models.CheckConstraint(condition=Q(dice__gte=0, dice__lte=1), name="gold_result_dice")]
        indexes = [models.Index(fields=["gold", "handed_in_at"], name="gold_result_of")]

    def __str__(self) -> str:
        return f"result of {self.assignment_id}"


class StyleReading(models.Model):
    """How a reading was marked beside the panel, as it was handed in first (annotation.reviews.style)."""

    class Against(models.TextChoices):
        GOLD = "gold", "Gold reference"
        CONSENSUS = "consensus", "Majority of the other readers"
        READER = "reader", "The other reader"

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="style_reading")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="style_readings")
    against = models.CharField(max_length=12, choices=Against.choices)
    drawn_ml = models.FloatField()
    reference_ml = models.FloatField()
    offset_mm = models.FloatField(null=True)  # above 0: outside the reference; null: no lesion is in both
    hu = models.JSONField(null=True)  # 5th, 50th, 95th percentile of what was marked; null: nothing
    reference_hu = models.JSONField(null=True)
    answers = models.JSONField(default=dict)  # by question the reader's answer and that of the panel
    handed_in_at = models.DateTimeField()

    class Meta:
        ordering = ["handed_in_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(against__in=["gold", "consensus", "reader"]), name="style_reading_against_known"
            )
        ]
        indexes = [models.Index(fields=["campaign", "handed_in_at"], name="style_reading_of")]

    def __str__(self) -> str:
        return f"style of {self.assignment_id}"
