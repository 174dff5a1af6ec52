"""Planted faults: what is known of a reading that measures its reviewer."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.reviews.models.rounds import ReviewRound
from annotation.work.models import Campaign
from voxloop.kernel.ids import new_id
from voxloop.volume.faults import Fault


class PlantedFault(models.Model):
    """A good approved mask with a fault made by the computer, in the queue of one reviewer. The verdict is that of its
    round: approved means missed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="planted_faults")
    round = models.OneToOneField(ReviewRound, on_delete=models.CASCADE, related_name="planted")
    source = models.ForeignKey(ReviewRound, on_delete=models.CASCADE, related_name="faults_made")  # the good mask
    # The hand-in beside which it came; each is drawn once.
    host = models.OneToOneField(ReviewRound, on_delete=models.CASCADE, related_name="fault_beside")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="planted_faults")
    kind = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Fault])
    seed = models.BigIntegerField()  # makes the same fault again
    changed_ml = models.FloatField()  # by the fault
    restored = models.FloatField(null=True)  # share of the fault that a correction has mended; null: none, or not yet
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in Fault]), name="planted_fault_known"),
            models.CheckConstraint(
                condition=Q(restored__isnull=True) | Q(restored__gte=0, restored__lte=1), name="planted_fault_restored"
            ),
        ]
        indexes = [models.Index(fields=["campaign", "reviewer"], name="planted_fault_of")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.reviewer_id}"
