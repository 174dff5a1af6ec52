"""What is known of this installation's back-ups."""

from datetime import datetime
from typing import Any

from voxloop.audit.models import AuditEntry
from voxloop.installation.models import Installation
from voxloop.kernel.clock import now

BACKUP_MADE = "backup.made"


def last_backup() -> tuple[datetime, dict[str, Any]] | None:
    """Time, name, location (without credentials), objects and bytes of the last back-up; None: never."""
    label = Installation._meta.label_lower
    entry = AuditEntry.objects.filter(action=BACKUP_MADE, object_type=label).order_by("-id").first()
    return (entry.at, dict(entry.new or {})) if entry else None


def days_since_backup() -> float | None:
    """Age of the last back-up in days; None when there is none."""
    found = last_backup()
    return (now() - found[0]).total_seconds() / 86400 if found else None
