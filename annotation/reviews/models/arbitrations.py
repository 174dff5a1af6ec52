"""The arbitration of a scan whose independent readers disagree too much."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from annotation.reviews.models.rounds import ReviewRound
from annotation.reviews.states import ARBITRATION, ArbitrationState
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from voxloop.kernel.ids import new_id


class Arbitration(models.Model):
    """A third person's decision between readers. `round` is the first reader's: it gets the decided mask."""

    class Way(models.TextChoices):
        FIRST = "first", "The mask of reader A"
        OTHER = "other", "The mask of another reader"
        MAJORITY = "majority", "The majority of the readers"
        STAPLE = "staple", "STAPLE of the readers"
        MERGED = "merged", "Merged or drawn by the arbitrator"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="arbitrations")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="arbitrations")
    state = models.CharField(max_length=12, default=ARBITRATION.initial)
    round = models.OneToOneField(ReviewRound, on_delete=models.PROTECT, related_name="arbitration")
    first_reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    second_reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    dice = models.FloatField()  # of the two that agree least
    arbitrator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="arbitrations"
    )
    way = models.CharField(max_length=8, choices=Way.choices, blank=True)
    reason = models.CharField(max_length=200, blank=True)  # of an end without a decision
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=sorted(ARBITRATION.states)), name="arbitration_state_known"),
            models.CheckConstraint(
                condition=Q(arbitrator__isnull=True)
                | ~Q(arbitrator=F("first_reader")) & ~Q(arbitrator=F("second_reader")),
                name="arbitration_not_own_work",
            ),
            models.CheckConstraint(condition=~Q(first_reader=F("second_reader")), name="arbitration_of_two"),
            models.CheckConstraint(
                condition=~Q(state=ArbitrationState.DECIDED) | Q(arbitrator__isnull=False) & ~Q(way=""),
                name="arbitration_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["campaign", "scan"],
                condition=Q(state__in=[ArbitrationState.WAITING, ArbitrationState.CLAIMED]),
                name="arbitration_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"arbitration of {self.scan}"
