"""The one row that an installation has of itself."""

from django.db import models
from django.db.models import Q

from voxloop.kernel.ids import new_id


class Installation(models.Model):
    """Identity of this installation: the state folder that the database belongs to and the keys it was written with."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    only = models.BooleanField(default=True, unique=True)
    state_folder = models.CharField(max_length=64, blank=True)  # identity of the state folder; "": a server's database
    key_prints = models.JSONField(default=dict)  # name of a key -> HMAC by that key of its name, never the key
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(only=True), name="installation_only_one")]

    def __str__(self) -> str:
        return f"installation {self.id}"
