"""The append-only log and its seals. A trigger (migration 0002) refuses UPDATE, DELETE and TRUNCATE."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One event: who, when, what, to what, old, new, why."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,  # an actor in the log cannot be deleted
        related_name="audit_entries",
    )
    actor_name = models.CharField(max_length=150)  # "system" or "worker" where no person acted
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    why = models.TextField(blank=True)
    hash = models.CharField(max_length=64)  # HMAC over the row itself

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            models.Index(fields=["action", "at"], name="audit_action_at"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action} {self.object_type} {self.object_id}"


class AuditSeal(models.Model):
    """The hash chain's link between one entry and all before it.

    Seals are written by one process, seconds after the entries, so that concurrent saves never wait for each other's
    position in the chain (docs/adr/0006)."""

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="seal")
    hash = models.CharField(max_length=64)  # HMAC over the seal before, this position and the entry's own hash

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"seal {self.position}"
