"""Notices of one person."""

from django.db.models import QuerySet

from annotation.notices.models import Notice
from voxloop.accounts.models import User


def find_notices(person: User) -> QuerySet[Notice]:
    """What the page shows, the newest first."""
    return Notice.objects.filter(person=person, on_page=True).select_related("campaign")


def count_unread(person: User) -> int:
    """The number at the bell."""
    return Notice.objects.filter(person=person, on_page=True, read_at__isnull=True).count()
