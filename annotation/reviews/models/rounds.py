"""Review rounds, what was submitted and approved in them, and comments pinned to a voxel."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from annotation.masks.models import AnswerSet, MaskRevision
from annotation.reviews.states import CERTIFICATE, COMMENT, REVIEW_ROUND, CertificateState, RoundState
from annotation.work.models import Assignment, Batch, Campaign
from voxloop.kernel.ids import new_id


class Certificate(models.Model):
    """A random sample of a batch that stands for all of it (annotation.reviews.certificates, docs/quality.md)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="certificates")
    state = models.CharField(max_length=12, default=CERTIFICATE.initial)
    scans = models.PositiveSmallIntegerField()
    sampled = models.PositiveSmallIntegerField()
    excluded = models.PositiveSmallIntegerField()  # so many bad scans or more are to be excluded
    confidence = models.FloatField()
    seed = models.CharField(max_length=32)
    reason = models.CharField(max_length=200, blank=True)  # of its end
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="drawn_samples"
    )  # null: by the policy of the batch
    created_at = models.DateTimeField(auto_now_add=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="accepted_samples"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=sorted(CERTIFICATE.states)), name="certificate_state_known"),
            models.CheckConstraint(
                condition=Q(sampled__gte=1, sampled__lte=F("scans"), confidence__gt=0, confidence__lt=1),
                name="certificate_sample",
            ),
            models.CheckConstraint(
                condition=~Q(state=CertificateState.ACCEPTED) | Q(accepted_by__isnull=False),
                name="certificate_accepted_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["batch"], condition=Q(state=CertificateState.DRAWN), name="certificate_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"sample of {self.sampled} of {self.batch}"


class RealRounds(models.Manager["ReviewRound"]):
    """Rounds without planted faults: what counts, trains and is released sees no other."""

    def get_queryset(self) -> models.QuerySet["ReviewRound"]:
        return super().get_queryset().filter(is_planted=False)


class ReviewRound(models.Model):
    """One reviewer's verdict on one submitted revision."""

    class Part(models.TextChoices):
        SAMPLE = "sample", "Drawn at random"
        EXTRA = "extra", "Reviewed for its risk, not part of the estimate"
        REST = "rest", "Waits for the sample"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    annotation = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, default=REVIEW_ROUND.initial)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="authored_rounds")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="review_rounds"
    )
    review = models.OneToOneField(Assignment, null=True, on_delete=models.PROTECT, related_name="review_round")
    answers = models.ForeignKey(AnswerSet, null=True, on_delete=models.PROTECT, related_name="rounds")
    risk = models.PositiveSmallIntegerField(default=0)  # 0-100
    reasons = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    signature = models.JSONField(null=True)  # who, statement, when, which revisions
    looked_at = models.JSONField(default=list)  # names of differences that the reviewer marked as checked
    # Shown to nobody who judges: it is the reviewers' blindness.
    certificate = models.ForeignKey(Certificate, null=True, on_delete=models.PROTECT, related_name="rounds")
    part = models.CharField(max_length=8, choices=Part.choices, blank=True)
    is_planted = models.BooleanField(default=False)  # measures its reviewer (annotation.reviews.planting)

    objects = RealRounds()
    with_planted: models.Manager["ReviewRound"] = models.Manager()  # for the doors of a verdict, and what ends work

    class Meta:
        ordering = ["-risk", "created_at"]
        constraints = [
            # What was taken back keeps its row; handing in again makes another of the same number.
            models.UniqueConstraint(
                fields=["annotation", "number"],
                condition=~Q(state=RoundState.TAKEN_BACK),
                name="review_round_number_once",
            ),
            models.CheckConstraint(condition=Q(state__in=sorted(REVIEW_ROUND.states)), name="review_round_state_known"),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=F("author")), name="review_round_not_own_work"
            ),
            models.CheckConstraint(
                condition=~Q(
                    state__in=[RoundState.CLAIMED, RoundState.APPROVED, RoundState.CORRECTED, RoundState.RETURNED]
                )
                | Q(reviewer__isnull=False),
                name="review_round_verdict_has_reviewer",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RoundState.APPROVED, RoundState.CORRECTED]) | Q(signature__isnull=False),
                name="review_round_approval_signed",
            ),
            models.UniqueConstraint(
                fields=["annotation"],
                condition=Q(state__in=[RoundState.PENDING, RoundState.CLAIMED, RoundState.ARBITRATION]),
                name="review_round_one_open",
            ),
            models.CheckConstraint(
                condition=Q(certificate__isnull=True, part="") | Q(certificate__isnull=False) & ~Q(part=""),
                name="review_round_part_of_certificate",
            ),
        ]
        indexes = [models.Index(fields=["state", "-risk"], name="review_round_queue")]

    def __str__(self) -> str:
        return f"round {self.number} of {self.annotation.scan}"


class RoundMask(models.Model):
    """The revision of one layer that was submitted in a round, and the one that was approved."""

    round = models.ForeignKey(ReviewRound, on_delete=models.CASCADE, related_name="masks")
    layer = models.CharField(max_length=32)
    submitted = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="submitted_in")
    approved = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="approved_in")
    # What became of the lesions that the model had proposed (voxloop.volume.proposals); null: it had proposed nothing
    lesions = models.JSONField(null=True)

    class Meta:
        ordering = ["round", "layer"]
        constraints = [models.UniqueConstraint(fields=["round", "layer"], name="round_mask_once_per_layer")]

    def __str__(self) -> str:
        return f"{self.layer} of {self.round_id}"


class ReadingPair(models.Model):
    """How far two readings of one scan agree, as each was handed in first (annotation.reviews.agreement)."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="reading_pairs")
    first = models.ForeignKey(ReviewRound, on_delete=models.CASCADE, related_name="pairs_as_first")
    second = models.ForeignKey(ReviewRound, on_delete=models.CASCADE, related_name="pairs_as_second")
    segment = models.PositiveSmallIntegerField(default=0)  # 0: any
    dice = models.FloatField()
    surface_dice = models.FloatField()  # by area, at `tolerance_mm`
    tolerance_mm = models.FloatField()
    hd95_mm = models.FloatField(null=True)  # null: only one of both drew anything
    assd_mm = models.FloatField(null=True)
    lesion_f1 = models.FloatField()
    first_ml = models.FloatField()
    second_ml = models.FloatField()
    answers = models.JSONField(default=dict)  # by question the answers of both, with segment 0
    measured_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["measured_at"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second", "segment"], name="reading_pair_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="reading_pair_of_two"),
        ]
        indexes = [models.Index(fields=["campaign", "segment"], name="reading_pair_campaign")]

    def __str__(self) -> str:
        return f"{self.first_id} against {self.second_id}"


class Comment(models.Model):
    """A comment pinned to a voxel `(i, j, k)` of the scan, or to the whole scan."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(ReviewRound, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(max_length=2000)
    i = models.PositiveIntegerField(null=True)
    j = models.PositiveIntegerField(null=True)
    k = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=12, default=COMMENT.initial)
    is_draft = models.BooleanField(default=False)  # its verdict was taken back: its author's until the next return
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="resolved_comments"
    )

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=sorted(COMMENT.states)), name="comment_state_known"),
            models.CheckConstraint(
                condition=Q(i__isnull=True, j__isnull=True, k__isnull=True)
                | Q(i__isnull=False, j__isnull=False, k__isnull=False),
                name="comment_pin_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Reply(models.Model):
    """A reply to a comment."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="replies")
    text = models.TextField(max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        verbose_name_plural = "replies"

    def __str__(self) -> str:
        return self.text[:60]


class CommentsSeen(models.Model):
    """Until when a person has read the comments on an annotation; later ones of others are unread."""

    annotation = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="comments_seen")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments_seen")
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = "comments seen"
        constraints = [models.UniqueConstraint(fields=["annotation", "person"], name="comments_seen_once")]

    def __str__(self) -> str:
        return f"{self.person_id} until {self.until:%Y-%m-%d %H:%M}"
