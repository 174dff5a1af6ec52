"""Campaigns, label schemas, members, and the scans of a campaign."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.scans.models import PseudonymKey, Scan
from annotation.work.pausable import REASON_WHEN_PAUSED, Pausable
from voxloop.accounts.roles import Role
from voxloop.kernel.ids import new_id


class LabelSchema(models.Model):
    """Layers with segments, and image-level questions; see `annotation.work.schema` for its shape. Never edited:
    a change is a new version (`schema_changing`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    version = models.PositiveSmallIntegerField(default=1)
    definition = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="label_schema_version_once")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class SignaturePolicy(models.TextChoices):
    """When signing a verdict asks for the password."""

    ALWAYS = "always", "Every time"
    RECENT = "recent", "When it was last entered more than 30 minutes ago"
    LOG_IN = "log_in", "Never: the log-in is enough"


class SeenPolicy(models.TextChoices):
    """What is done about a scan that was not looked at, and about proposed lesions that nobody decided on."""

    OFF = "off", "Nothing"
    WARN = "warn", "Warn"
    BLOCK = "block", "Refuse"


class ReviewPolicy(models.TextChoices):
    """Which scans of a batch are reviewed."""

    ALL = "all", "Every scan"
    SAMPLE = "sample", "A random sample; every scan after the first defect"


class TrainStart(models.TextChoices):
    """With which weights a training begins."""

    SCRATCH = "scratch", "Random ones: every training begins anew"
    CHAMPION = "champion", "Those of the model that serves"


class Campaign(Pausable):
    """A labelling project: label schema, guidelines, policies, people, scans."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=64, unique=True)
    schema = models.ForeignKey(LabelSchema, on_delete=models.PROTECT, related_name="campaigns")
    guidelines = models.TextField(blank=True)
    guidelines_version = models.PositiveSmallIntegerField(default=1)  # counts changes of the text
    recertify_at = models.DateTimeField(null=True, blank=True)  # since when those certified before certify again
    recertify_why = models.CharField(max_length=500, blank=True)
    batch_size = models.PositiveSmallIntegerField(default=50)
    due_days = models.PositiveSmallIntegerField(default=14)  # from making a batch to its due date; 0: none is proposed
    lease_minutes = models.PositiveSmallIntegerField(default=120)
    planned_scans = models.PositiveIntegerField(default=0)
    planned_until = models.DateField(null=True, blank=True)
    # The learning policy of the campaign (design: retrain when k newly approved masks arrived).
    train_profile = models.CharField(max_length=32, default="demo")
    retrain_after = models.PositiveSmallIntegerField(default=25)
    retrain_every_days = models.PositiveSmallIntegerField(default=0)  # with anything new; 0: not by the calendar
    train_start = models.CharField(max_length=8, choices=TrainStart.choices, default=TrainStart.SCRATCH)
    promotes_by_itself = models.BooleanField(default=True)
    blank_share = models.FloatField(default=0.10)
    older_share = models.FloatField(default=0.0)  # of scans that begin from the mask of the model before
    repeat_share = models.FloatField(default=0.05)  # of a chosen batch: approved scans, read again without a model
    overlap_share = models.FloatField(default=0.0)  # of a batch's new scans: read by `overlap_readers`, blind
    overlap_readers = models.PositiveSmallIntegerField(default=2)
    overlap_low_dice = models.FloatField(default=0.0)  # two readings that agree less get one more, 0: never
    overlap_most = models.PositiveSmallIntegerField(default=3)  # readers of a scan, whatever they agree
    gold_share = models.FloatField(default=0.0)  # of a batch: gold scans, read without a model to measure the reader
    certifies = models.BooleanField(default=False)  # annotators get work once they have passed the certification set
    certification_dice = models.FloatField(default=0.6)  # to pass, while the panel's own agreement is not known
    planted_share = models.FloatField(default=0.0)  # of what reviewers judge: planted faults, to measure them
    review_policy = models.CharField(max_length=8, choices=ReviewPolicy.choices, default=ReviewPolicy.ALL)
    signature_policy = models.CharField(
        max_length=8, choices=SignaturePolicy.choices, default=SignaturePolicy.RECENT
    )  # when a verdict asks for the password
    seen_policy = models.CharField(
        max_length=8, choices=SeenPolicy.choices, default=SeenPolicy.WARN
    )  # what happens where a scan was not looked at
    proposed_policy = models.CharField(max_length=8, choices=SeenPolicy.choices, default=SeenPolicy.WARN)
    # Created at the first import (`campaigns.key_of`); identifiers of patients are stored as codes by this key.
    pseudonym_key = models.OneToOneField(
        PseudonymKey, on_delete=models.PROTECT, related_name="campaign", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(batch_size__gte=1, batch_size__lte=500), name="campaign_batch_size"),
            models.CheckConstraint(condition=Q(blank_share__gte=0, blank_share__lte=1), name="campaign_blank_share"),
            models.CheckConstraint(condition=Q(older_share__gte=0, older_share__lte=1), name="campaign_older_share"),
            models.CheckConstraint(
                condition=Q(repeat_share__gte=0, repeat_share__lte=0.5), name="campaign_repeat_share"
            ),
            models.CheckConstraint(
                condition=Q(overlap_share__gte=0, overlap_share__lte=1, overlap_readers__gte=2, overlap_readers__lte=5)
                & Q(overlap_low_dice__gte=0, overlap_low_dice__lte=1, overlap_most__gte=2, overlap_most__lte=5),
                name="campaign_overlap",
            ),
            # What starts blank must not tell that it is gold: where there is a model, others start blank, too.
            models.CheckConstraint(
                condition=Q(gold_share=0) | Q(gold_share__gt=0, gold_share__lte=0.5, blank_share__gt=0),
                name="campaign_gold_share",
                violation_error_message="Gold scans start blank: let a share of all scans start blank, too, and no "
                "more than half of a batch be gold.",
            ),
            models.CheckConstraint(
                condition=Q(certification_dice__gt=0, certification_dice__lte=1), name="campaign_certification_dice"
            ),
            models.CheckConstraint(
                condition=Q(planted_share__gte=0, planted_share__lte=0.2),
                name="campaign_planted_share",
                violation_error_message="At most one in five reviews is planted: the others are the work.",
            ),
            models.CheckConstraint(
                condition=Q(recertify_at__isnull=True, recertify_why="")
                | Q(recertify_at__isnull=False) & ~Q(recertify_why=""),
                name="campaign_recertify_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(review_policy__in=ReviewPolicy.values), name="campaign_review_policy_known"
            ),
            models.CheckConstraint(condition=Q(retrain_after__gte=1), name="campaign_retrain_after"),
            models.CheckConstraint(
                condition=Q(signature_policy__in=SignaturePolicy.values), name="campaign_signature_policy_known"
            ),
            models.CheckConstraint(condition=Q(seen_policy__in=SeenPolicy.values), name="campaign_seen_policy_known"),
            models.CheckConstraint(condition=Q(proposed_policy__in=SeenPolicy.values), name="campaign_proposed_known"),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignMember(Pausable):
    """A role of a person in a campaign. A pause is of the person: all their roles in the campaign carry it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    certified_at = models.DateTimeField(null=True)  # of an annotator: passed the certification set, or was let work

    class Meta:
        ordering = ["campaign", "user", "role"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "user", "role"], name="campaign_member_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="campaign_member_role_known"),
            models.CheckConstraint(condition=REASON_WHEN_PAUSED, name="campaign_member_pause_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.campaign}"


class CampaignScan(models.Model):
    """A scan that belongs to a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="campaign_scans")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="campaign_scans")
    added_at = models.DateTimeField(auto_now_add=True)
    readers = models.PositiveSmallIntegerField(default=1)  # how many read it, blind to each other
    is_gold = models.BooleanField(default=False)  # has a reference mask, and is hidden in batches
    # What the model that serves says of the scan, empty before it saw it: the facts behind the scores below.
    score_model = models.CharField(max_length=64, blank=True)
    uncertainty = models.FloatField(null=True)
    extent_ml = models.FloatField(null=True)
    finding = models.CharField(max_length=64, blank=True)  # the segment of which it marks most, if more than a trace

    class Meta:
        ordering = ["campaign", "scan"]
        constraints = [models.UniqueConstraint(fields=["campaign", "scan"], name="campaign_scan_once")]

    def __str__(self) -> str:
        return f"{self.scan} in {self.campaign}"


class Strategy(models.TextChoices):
    """Ways to choose scans by their scores (mlservice/choosing.py)."""

    HYBRID = "hybrid", "Most useful: unsure, varied, every site in turn"
    ENTROPY = "entropy", "Least sure first, nothing else"
    FOREGROUND_RANDOM = "foreground_random", "At random, two of three with a predicted finding"
    RANDOM = "random", "At random"


class ScanScore(models.Model):
    """How useful it is to label a scan next, by one strategy; each scoring replaces those of its campaign. Choosing a
    batch is one query."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="scan_scores")
    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="scan_scores")
    strategy = models.CharField(max_length=20, choices=Strategy.choices)
    score = models.FloatField()  # higher is earlier
    why = models.CharField(max_length=12)
    surer = models.FloatField(null=True)  # share of the candidates of which the model was surer

    class Meta:
        ordering = ["campaign", "strategy", "-score"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "scan", "strategy"], name="scan_score_once"),
            models.CheckConstraint(condition=Q(strategy__in=Strategy.values), name="scan_score_strategy_known"),
        ]
        indexes = [models.Index(fields=["campaign", "strategy", "-score"], name="scan_score_order")]

    def __str__(self) -> str:
        return f"{self.strategy} score of {self.scan}"
