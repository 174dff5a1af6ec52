"""Batches and the assignments in them."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.scans.models import Scan
from annotation.work.models.campaigns import Campaign, ReviewPolicy
from annotation.work.pausable import REASON_WHEN_PAUSED, Pausable
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState
from voxloop.kernel.ids import new_id

GOLD_READERS_FROM = 100  # numbers of readers that measure themselves; those of the panel are below


class Batch(Pausable):
    """Up to 50 scans given to one annotator, or left in the pool, with a due date."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=32)
    state = models.CharField(max_length=16, default=BATCH.initial)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="batches"
    )  # null: the pool
    due_on = models.DateField(null=True)
    chosen_by = models.CharField(max_length=32, default="order")
    review_policy = models.CharField(max_length=8, choices=ReviewPolicy.choices, default=ReviewPolicy.ALL)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="created_batches"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["campaign", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="batch_number_once"),
            models.CheckConstraint(condition=Q(state__in=sorted(BATCH.states)), name="batch_state_known"),
            models.CheckConstraint(condition=REASON_WHEN_PAUSED, name="batch_pause_has_reason"),
            models.CheckConstraint(
                condition=Q(review_policy__in=ReviewPolicy.values), name="batch_review_policy_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """One scan, one stage, one person (or nobody yet: the pool)."""

    class Stage(models.TextChoices):
        ANNOTATION = "annotation", "Annotation"
        REVIEW = "review", "Review"
        ARBITRATION = "arbitration", "Arbitration"
        CERTIFICATION = "certification", "Certification"
        PLANTED = "planted", "Planted fault"  # handed in by nobody, for a reviewer (annotation.reviews.planting)

    class Start(models.TextChoices):
        BLANK = "blank", "Blank"
        PREDICTION = "prediction", "Pre-annotated"
        SUBMISSION = "submission", "The author's mask"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="assignments")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="assignments")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="assignments")
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.ANNOTATION)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="assignments"
    )
    state = models.CharField(max_length=12, default=ASSIGNMENT.initial)
    reason = models.TextField(blank=True)
    position = models.PositiveSmallIntegerField(default=1)
    reader = models.PositiveSmallIntegerField(default=1)  # 2, 3 … for independent readers of one scan
    is_overlap = models.BooleanField(default=False)  # one of several independent readings, the first one too
    is_gold = models.BooleanField(default=False)  # measures its reader (annotation.work.gold); told to nobody at work
    is_planted = models.BooleanField(default=False)  # the faulty reading that measures its reviewer, and its review
    round = models.PositiveSmallIntegerField(default=1)
    # The first assignment of this line of work, when another person began it; null: it begins here.
    begun_as = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="gone_on")
    starts_from = models.CharField(max_length=12, choices=Start.choices, blank=True)  # set when it is opened
    lease_until = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(null=True)  # the last save of a mask or an answer
    active_seconds = models.PositiveIntegerField(default=0)
    active_periods = models.JSONField(default=dict)  # what `active_seconds` sums up (annotation.work.activity)
    seen = models.JSONField(default=dict)  # what was looked at (annotation.work.seen)
    marks = models.JSONField(default=dict)  # what was measured (annotation.work.marks)
    choice = models.JSONField(default=dict)  # why it was chosen, as it stood then (annotation.work.choosing)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=sorted(ASSIGNMENT.states)), name="assignment_state_known"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        AssignmentState.QUEUED,
                        AssignmentState.RECLAIMED,
                        AssignmentState.SKIPPED,
                        AssignmentState.BLOCKED,
                    ]
                )
                | Q(person__isnull=False)
                | Q(stage="planted"),
                name="assignment_worked_on_has_person",
            ),
            # At most one person holds a scan in a stage, except independent readers.
            models.UniqueConstraint(
                fields=["campaign", "scan", "stage", "reader"],
                condition=~Q(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED]) & Q(stage="annotation"),
                name="assignment_one_reader_per_scan",
            ),
            models.CheckConstraint(
                condition=Q(is_gold=False) | Q(is_overlap=True, reader__gte=GOLD_READERS_FROM, stage="annotation"),
                name="assignment_gold_is_blind",
            ),
            # In nobody's list, and no other work is taken for it.
            models.CheckConstraint(
                condition=Q(stage="planted", is_planted=True, person__isnull=True)
                | Q(is_planted=True, stage="review")
                | Q(is_planted=False) & ~Q(stage="planted"),
                name="assignment_planted_is_apart",
            ),
            # Nobody reads a scan against themselves.
            models.UniqueConstraint(
                fields=["campaign", "scan", "stage", "person"],
                condition=~Q(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED]) & Q(is_overlap=True),
                name="assignment_independent_readers",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "state"], name="assignment_person_state"),
            models.Index(fields=["campaign", "stage", "state", "person"], name="assignment_pool"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {self.scan} by {self.person or 'the pool'}"

    @property
    def told_state(self) -> str:
        """The state as people are told it; in queries: `annotation.work.selectors.TOLD_STATE`.

        What came back stays "returned" until it is handed in again, also once it was opened: it comes first, with
        the reviewer's comments."""
        is_back = self.state == AssignmentState.OPEN and self.stage == self.Stage.ANNOTATION and self.round > 1
        return AssignmentState.RETURNED if is_back else self.state
