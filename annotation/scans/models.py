"""Sites, subjects, studies, series, scans, and who may see a site."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.scans.states import SCAN, ScanState
from voxloop.kernel.ids import new_id


class Site(models.Model):
    """An institution that sends scans: the unit of the train / validation / test split."""

    class Split(models.TextChoices):
        TRAIN = "train", "Training"
        VALIDATION = "validation", "Validation (hold-out)"
        TEST = "test", "Test (never seen by a model)"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    split = models.CharField(max_length=12, choices=Split.choices, default=Split.TRAIN)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(split__in=["train", "validation", "test"]), name="site_split_known"),
        ]

    def __str__(self) -> str:
        return self.code


class SiteMembership(models.Model):
    """The right of a person to see a site's scans; without one nothing of the site is visible."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="site_memberships")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        ordering = ["user", "site"]
        constraints = [models.UniqueConstraint(fields=["user", "site"], name="site_membership_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.site}"


class PseudonymKey(models.Model):
    """The secret of a campaign's pseudonyms; stored sealed, see `annotation.scans.pseudonyms`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sealed = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"key {self.pk}"


class Subject(models.Model):
    """A patient under a pseudonym; belongs to one site.

    The pseudonym and every UID below it come from one key: that of the campaign which the first scan was sent to.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="subjects")
    pseudonym = models.CharField(max_length=64)
    key = models.ForeignKey(PseudonymKey, on_delete=models.PROTECT, related_name="subjects", null=True)
    # The files named nobody (an empty or dummy Patient ID): each study counts as a separate person.
    is_unnamed = models.BooleanField(default=False)

    class Meta:
        ordering = ["site", "pseudonym"]
        constraints = [models.UniqueConstraint(fields=["site", "pseudonym"], name="subject_once_per_site")]

    def __str__(self) -> str:
        return self.pseudonym


class ErasedSubject(models.Model):
    """Record of an erased patient, to refuse the same scans when sent again: an irreversible code, and hashes of
    deleted voxels."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="erased_subjects")
    pseudonym = models.CharField(max_length=64)
    key = models.ForeignKey(PseudonymKey, on_delete=models.PROTECT, related_name="erased_subjects", null=True)
    source_hashes = models.JSONField(default=list)
    scans = models.JSONField(default=list)  # codes of scans; their rows stay, empty
    left_objects = models.JSONField(default=list)  # keys in storage that are still to be deleted
    erased_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-erased_at"]
        constraints = [models.UniqueConstraint(fields=["site", "pseudonym"], name="erased_subject_once_per_site")]

    def __str__(self) -> str:
        return f"erased {self.pseudonym}"


class Study(models.Model):
    """As in DICOM."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="studies")
    uid = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["subject", "uid"]
        constraints = [models.UniqueConstraint(fields=["subject", "uid"], name="study_once_per_subject")]

    def __str__(self) -> str:
        return self.uid


class Series(models.Model):
    """As in DICOM."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    uid = models.CharField(max_length=64)

    class Meta:
        verbose_name_plural = "series"
        ordering = ["study", "uid"]
        constraints = [models.UniqueConstraint(fields=["study", "uid"], name="series_once_per_study")]

    def __str__(self) -> str:
        return self.uid


class Scan(models.Model):
    """One series that was found eligible and turned into one volume; what a person annotates."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=32, unique=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="scans")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="scans", null=True)
    # Several, when a series was refused at first and sent again complete.
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="scans", null=True)
    state = models.CharField(max_length=16, default=SCAN.initial)
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    modality = models.CharField(max_length=4, default="CT")
    description = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict)
    # What the viewer needs (docs/formats.md), set once when the scan becomes ready.
    shape_zyx = models.JSONField(null=True)
    spacing_mm_zyx = models.JSONField(null=True)
    lps_from_ijk = models.JSONField(null=True)
    index = models.JSONField(null=True)
    pack_key = models.CharField(max_length=100, blank=True)
    preview_key = models.CharField(max_length=100, blank=True)
    limit_key = models.CharField(max_length=100, blank=True)
    background_hu = models.IntegerField(null=True)
    source_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=sorted(SCAN.states)), name="scan_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[ScanState.READY, ScanState.WITHDRAWN])
                | Q(shape_zyx__isnull=False, index__isnull=False) & ~Q(pack_key="") & ~Q(preview_key=""),
                name="scan_ready_has_volume",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ScanState.REJECTED, ScanState.FAILED]) | ~Q(reason=""),
                name="scan_refusal_has_reason",
            ),
            models.UniqueConstraint(
                fields=["site", "source_hash"], condition=~Q(source_hash=""), name="scan_source_once_per_site"
            ),
        ]
        indexes = [models.Index(fields=["state", "site"], name="scan_state_site")]

    def __str__(self) -> str:
        return self.code
