"""The columns of what can be paused: a campaign, a batch, a person in a campaign."""

from typing import Any

from django.db import models
from django.db.models import Q

from voxloop.kernel.clock import now


class Pausable(models.Model):
    """Something that gives out no work while it is paused, for a reason that those concerned read."""

    is_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=500, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)  # null also where a pause began before this was kept

    class Meta:
        abstract = True

    @property
    def pause(self) -> dict[str, Any]:
        """Its columns of the pause, for another row that shares it."""
        return {"is_paused": self.is_paused, "pause_reason": self.pause_reason, "paused_at": self.paused_at}

    def set_pause(self, columns: dict[str, Any]) -> None:
        """Write the columns of a pause (`begun`, `ENDED`)."""
        for name, value in columns.items():
            setattr(self, name, value)
        self.save(update_fields=list(columns))


ENDED: dict[str, Any] = {"is_paused": False, "pause_reason": "", "paused_at": None}


def begun(why: str) -> dict[str, Any]:
    """The columns of a pause that begins now."""
    return {"is_paused": True, "pause_reason": why, "paused_at": now()}


REASON_WHEN_PAUSED = Q(is_paused=False) | ~Q(pause_reason="")
