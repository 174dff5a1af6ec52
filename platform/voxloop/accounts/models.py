"""People, and the tokens by which programs act for them."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from knox.models import AbstractAuthToken

from voxloop.kernel.ids import new_id


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox, which has its tokens, carries no types
    """A person who logs in. What they may do comes from their roles in campaigns and their sites.

    An administrator installs, invites people and grants roles; that gives no right to label or to review."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    is_administrator = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)  # set by somebody else, who therefore knows it
    theme = models.CharField(
        max_length=8, default="system", choices=[("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
    )
    time_zone = models.CharField(max_length=40, blank=True, default="")  # as chosen; "": that of the browser
    browser_zone = models.CharField(max_length=40, blank=True, default="")  # as the browser used last says
    preferences = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(condition=models.Q(theme__in=["system", "light", "dark"]), name="user_theme_known"),
        ]

    def __str__(self) -> str:
        return self.username


class Scope(models.TextChoices):
    """What a token may be used for; `voxloop.project.scopes` maps routes to scopes."""

    READ = "read", "Read: lists, volumes, masks, releases"
    WORK = "work", "Work: draw, answer, hand in, judge, comment"
    MANAGE = "manage", "Manage: uploads, batches, trainings, releases, jobs"


class ApiToken(AbstractAuthToken):
    """A person's token: hashed, with scopes and an expiry date. It acts with the person's current roles and sites."""

    name = models.CharField(max_length=60, blank=True)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values) & ~models.Q(scopes=[]), name="token_scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.token_key[:6]}…"


class BrowserKey(models.Model):
    """The key that encrypts a person's unsent work in their browsers; only their own log-in gets it (docs/adr/0018).

    It never changes, not even with the password: without it, strokes that wait in a browser are lost."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,  # without the person nobody may read what it encrypts
        related_name="browser_key",
    )
    key = models.CharField(max_length=64)  # 32 bytes, hexadecimal
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"browser key of {self.person_id}"
