"""Who reads through DICOMweb: data managers and administrators. Readers do not: it would show what the pages hide from
them, the masks of others (docs/dicomweb.md)."""

from django.db.models import QuerySet

from annotation.work.models import Campaign
from annotation.work.permissions import campaigns_with_role
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Forbidden


def managed_campaigns(user: User) -> QuerySet[Campaign]:
    """The campaigns whose scans and masks the person may read here."""
    return Campaign.objects.all() if user.is_administrator else campaigns_with_role(user, Role.DATA_MANAGER)


def require_manager(user: User) -> None:
    """Raise Forbidden unless the person is a data manager of a campaign, or an administrator."""
    if not managed_campaigns(user).exists():
        raise Forbidden("DICOMweb is for data managers and administrators; read your scans in the viewer.")
