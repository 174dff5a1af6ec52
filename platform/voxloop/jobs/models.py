"""Background jobs. The row is authoritative; the broker only delivers it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from voxloop.jobs.states import JOB, JobState
from voxloop.kernel.ids import new_id


class Job(models.Model):
    """One piece of long work, with a lease, a fencing token and its progress."""

    class Kind(models.TextChoices):
        """Kinds of jobs; each has one Celery task named `jobs.<kind>` (a test checks that)."""

        IMPORT_SCANS = "import_scans", "Import scans"
        TRAIN = "train", "Train a model"
        PREANNOTATE = "preannotate", "Pre-annotate scans"
        BRING_MODEL = "bring_model", "Bring a model"
        EXPORT_MODEL = "export_model", "Pack a model"
        CHOOSE_SCANS = "choose_scans", "Choose what to label next"
        JUDGE_SCANS = "judge_scans", "Judge eligibility"
        EXPORT_RELEASE = "export_release", "Export a release"
        MEASURE_SCANS = "measure_scans", "Measure approved scans"
        REPORT_BATCH = "report_batch", "Reports of a batch"
        SEND_REPORTS = "send_reports", "Send a report"
        SEND_NOTICES = "send_notices", "Send notices by e-mail"
        SCRUB = "scrub", "Check what is stored"
        COLLECT = "collect_unreferenced", "Collect what nothing names"
        VERIFY_LOG = "verify_log", "Verify the audit log"

    QUEUES = {
        Kind.IMPORT_SCANS: "default",
        Kind.JUDGE_SCANS: "default",
        Kind.EXPORT_RELEASE: "default",
        Kind.MEASURE_SCANS: "default",
        Kind.REPORT_BATCH: "default",
        Kind.SEND_REPORTS: "default",
        Kind.SEND_NOTICES: "default",
        Kind.SCRUB: "default",
        Kind.COLLECT: "default",
        Kind.VERIFY_LOG: "default",
        Kind.TRAIN: "ml",
        Kind.PREANNOTATE: "ml",
        Kind.BRING_MODEL: "ml",
        Kind.EXPORT_MODEL: "ml",
        Kind.CHOOSE_SCANS: "ml",
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    state = models.CharField(max_length=16, default=JobState.QUEUED)
    payload = models.JSONField(default=dict)
    key = models.CharField(max_length=128, unique=True)  # idempotency key: the same work requested twice is one job
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    progress = models.PositiveSmallIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    result = models.JSONField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=2)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=sorted(JOB.states)), name="job_state_known"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="job_progress_percent"),
            models.CheckConstraint(condition=Q(attempt__lte=F("max_attempts")), name="job_attempts_limited"),
            models.CheckConstraint(
                condition=~Q(state=JobState.RUNNING) | Q(lease_until__isnull=False), name="job_running_has_lease"
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="job_state_lease")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.state})"


class Worker(models.Model):
    """A background process that should be alive: a Celery worker (with queues) or the scheduler (without). It writes
    its own row and removes it on a clean stop. `taken_at` proves that it works: when it last took a message from its
    queue, extended a job's lease, or (the scheduler) checked for due tasks."""

    name = models.CharField(max_length=255, unique=True)  # as Celery names it: default-1@host
    queues = models.JSONField(default=list)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    taken_at = models.DateTimeField()
    busy_with = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="workers")
    busy_fence = models.PositiveIntegerField(default=0)  # the attempt it runs
    busy_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(busy_with__isnull=True) | Q(busy_since__isnull=False), name="worker_busy_since"
            ),
        ]

    def __str__(self) -> str:
        return self.name
