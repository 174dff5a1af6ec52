"""Damage found in stored things, and unreferenced stored things."""

from django.db import models
from django.db.models import Q

from voxloop.kernel.ids import new_id


class Damage(models.Model):
    """One stored thing that is missing or damaged: who noticed it, when, and whether it was repaired."""

    class Kind(models.TextChoices):
        DAMAGED = "damaged", "Damaged"
        MISSING = "missing", "Missing"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thing = models.CharField(max_length=160)  # packs/<sha256>, chunks/<sha256>, revisions/<id>, indexes/<scan>, …
    kind = models.CharField(max_length=8, choices=Kind.choices)
    code = models.CharField(max_length=32)
    detail = models.CharField(max_length=400)
    noticed_by = models.CharField(max_length=150)  # a person, "scrub", or the kind of a job
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    mended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-first_at"]
        verbose_name_plural = "damage"
        constraints = [
            models.UniqueConstraint(fields=["thing"], condition=Q(mended_at__isnull=True), name="damage_open_once"),
            models.CheckConstraint(condition=Q(kind__in=["damaged", "missing"]), name="damage_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.thing} ({self.kind})"


class Unreferenced(models.Model):
    """A stored thing that no row references, and since when. Collected after a while; unmarked when referenced
    again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thing = models.CharField(max_length=160, unique=True)
    since = models.DateTimeField()
    bytes = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["since", "thing"]
        verbose_name_plural = "unreferenced"

    def __str__(self) -> str:
        return self.thing
