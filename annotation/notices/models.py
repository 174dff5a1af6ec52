"""What people were told."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.notices.kinds import NoticeKind
from annotation.work.models import Campaign
from voxloop.kernel.ids import new_id


class Notice(models.Model):
    """One thing that one person is told once; `key` names the thing. Nothing in it tells gold, repeats or samples."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=NoticeKind.choices)
    key = models.CharField(max_length=96)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=200)
    on_page = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)
    by_mail = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_next_at = models.DateTimeField(null=True)  # null: not to be mailed, or not any more
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="notice_once"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_known"),
        ]
        indexes = [
            models.Index(fields=["person", "-created_at"], name="notice_of_person"),
            models.Index(fields=["mail_next_at"], condition=Q(mail_next_at__isnull=False), name="notice_to_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.person}"
