"""Releases: frozen, checksummed lists of approved revisions. Triggers (migration 0003) refuse to change frozen ones."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.datasets.states import RELEASE, ReleaseState
from annotation.masks.models import MaskRevision
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from voxloop.jobs.models import Job
from voxloop.kernel.ids import new_id


class Release(models.Model):
    """A frozen, checksummed list of approved revisions with its split and documents."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="releases")
    name = models.CharField(max_length=64)
    notes = models.TextField(blank=True)
    licence = models.TextField(blank=True)  # an SPDX expression, or the text itself
    # Which approvals a draft includes (annotation.datasets.choosing).
    filters = models.JSONField(default=dict)
    state = models.CharField(max_length=12, default=RELEASE.initial)
    manifest = models.JSONField(null=True)
    manifest_hash = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="releases"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["campaign", "-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name"], name="release_name_once"),
            models.CheckConstraint(condition=Q(state__in=sorted(RELEASE.states)), name="release_state_known"),
            models.CheckConstraint(
                condition=Q(state=ReleaseState.DRAFT) | ~Q(manifest_hash=""), name="release_frozen_has_manifest"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseItem(models.Model):
    """One approved mask in a release."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="items")
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="release_items")
    round = models.ForeignKey(ReviewRound, on_delete=models.PROTECT, related_name="release_items")
    revision = models.ForeignKey(MaskRevision, null=True, on_delete=models.PROTECT, related_name="release_items")
    layer = models.CharField(max_length=32)
    split = models.CharField(max_length=12)

    class Meta:
        ordering = ["release", "scan"]
        constraints = [models.UniqueConstraint(fields=["release", "scan", "layer"], name="release_item_once")]

    def __str__(self) -> str:
        return f"{self.scan} in {self.release}"


class Export(models.Model):
    """One export of a frozen release to a folder or a bucket."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="exports")
    destination = models.CharField(max_length=500)
    formats = models.JSONField(default=list)
    part = models.JSONField(null=True)  # sides and sites of a partial export (annotation.datasets.parts)
    seal = models.CharField(max_length=64, blank=True)  # sha256 of SHA256SUMS, set when complete
    # [path, bytes, crc32] of every file, in the order of the archive; null: not complete, or by an older version.
    files = models.JSONField(null=True)
    bytes = models.BigIntegerField(default=0)  # of all files
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="export")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="exports"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.release} to {self.destination}"
