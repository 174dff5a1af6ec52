"""Who may make, freeze and export releases: data managers of the campaign, within the sites they belong to."""

from collections.abc import Iterable
from uuid import UUID

from annotation.scans.models import SiteMembership
from annotation.work.models import Campaign
from annotation.work.permissions import require_role
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Forbidden


def require_data_manager(user: User, campaign: Campaign) -> None:
    """Raise Forbidden unless the person is a data manager of the campaign."""
    require_role(user, campaign, Role.DATA_MANAGER)


def require_sites(user: User, site_ids: Iterable[UUID]) -> None:
    """Raise Forbidden unless the person belongs to every one of these sites (without naming them in the message)."""
    wanted = set(site_ids)
    if SiteMembership.objects.filter(user=user, site__in=wanted).count() != len(wanted):
        raise Forbidden(
            "The release would hold scans of sites that you do not belong to; name your sites in it.",
            code="site_not_yours",
        )
