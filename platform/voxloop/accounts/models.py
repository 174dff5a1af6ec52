"""People."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from voxloop.kernel.ids import new_id


class User(AbstractUser):
    """A person who logs in. What they may do comes from their roles in campaigns and their sites.

    An administrator installs, invites people and grants roles; being one gives no right to label or to judge.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    is_administrator = models.BooleanField(default=False)
    theme = models.CharField(
        max_length=8, default="system", choices=[("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
    )
    preferences = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(condition=models.Q(theme__in=["system", "light", "dark"]), name="user_theme_known"),
        ]

    def __str__(self) -> str:
        return self.username
