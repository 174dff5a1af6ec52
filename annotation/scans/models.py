"""Sites, subjects, studies, series, scans, and who may see a site."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.scans.clinical_terms import DIAGNOSES, HOSPITALISATIONS, OLDEST, PATHOGENS, RESULTS, SEXES
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
    # No date: a count of days from an origin of the subject's own, which only the key tells (`Pseudonyms.day`).
    day = models.IntegerField(null=True)

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["subject", "uid"]
        constraints = [models.UniqueConstraint(fields=["subject", "uid"], name="study_once_per_subject")]

    def __str__(self) -> str:
        return self.uid


class ClinicalRecord(models.Model):
    """What a site tells of a subject beside the images, in words of lists only. It goes with the subject."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject = models.OneToOneField(Subject, on_delete=models.CASCADE, related_name="clinical")
    age_years = models.PositiveSmallIntegerField(null=True)  # at the scan; 90 stands for everybody older, too
    sex = models.CharField(max_length=16, choices=SEXES, blank=True)
    hospitalisation = models.CharField(max_length=16, choices=HOSPITALISATIONS, blank=True)
    diagnosis = models.CharField(max_length=16, choices=DIAGNOSES, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["subject"]
        constraints = [
            models.CheckConstraint(condition=Q(age_years__lte=OLDEST), name="clinical_age_capped"),
            models.CheckConstraint(
                condition=Q(sex__in=["", *SEXES])
                & Q(hospitalisation__in=["", *HOSPITALISATIONS])
                & Q(diagnosis__in=["", *DIAGNOSES]),
                name="clinical_words_known",
            ),
        ]

    def __str__(self) -> str:
        return f"record of {self.subject}"


class PathogenTest(models.Model):
    """A test of a subject; `day` counts as `Study.day` does, so that days to a scan can be told, and no date."""

    record = models.ForeignKey(ClinicalRecord, on_delete=models.CASCADE, related_name="tests")
    pathogen = models.CharField(max_length=16, choices=PATHOGENS)
    day = models.IntegerField()
    result = models.CharField(max_length=16, choices=RESULTS)

    class Meta:
        ordering = ["record", "day", "pathogen"]
        constraints = [
            models.UniqueConstraint(fields=["record", "pathogen", "day", "result"], name="pathogen_test_once"),
            models.CheckConstraint(
                condition=Q(pathogen__in=[*PATHOGENS], result__in=[*RESULTS]), name="pathogen_test_words_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pathogen} {self.result}"


class ClinicalMapping(models.Model):
    """What the columns and words of a site's sheets mean, as it was said last (annotation.intake.clinical.mapping)."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="clinical_mapping")
    definition = models.JSONField()
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["site"]

    def __str__(self) -> str:
        return f"mapping of site {self.site}"


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
