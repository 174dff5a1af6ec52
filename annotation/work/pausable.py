"""The columns of what can be paused: a campaign, a batch, a person in a campaign."""

from django.db import models
from django.db.models import Q


class Pausable(models.Model):
    """Something that gives out no work while it is paused, for a reason that those concerned read."""

    is_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True


REASON_WHEN_PAUSED = Q(is_paused=False) | ~Q(pause_reason="")
