"""Which sites a person may see. Which scans follows from work; see `annotation.work.selectors`."""

from django.db.models import QuerySet

from annotation.scans.models import Site
from voxloop.accounts.models import User


def visible_sites(user: User) -> QuerySet[Site]:
    """Sites the person is a member of; an administrator sees all."""
    if user.is_administrator:
        return Site.objects.all()
    return Site.objects.filter(memberships__user=user)
