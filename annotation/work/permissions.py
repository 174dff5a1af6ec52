"""Who may do what in a campaign."""

from typing import Any

from django.db.models import QuerySet

from annotation.scans.models import SiteMembership
from annotation.work.models import Campaign, CampaignMember
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import Forbidden

OVERSEERS = (Role.COORDINATOR, Role.DATA_MANAGER)


def roles_of(user: User, campaign: Campaign) -> frozenset[str]:
    """The person's roles in the campaign."""
    return frozenset(CampaignMember.objects.filter(user=user, campaign=campaign).values_list("role", flat=True))


def has_role(user: User, campaign: Campaign, *roles: str) -> bool:
    """Whether the person has one of these roles in the campaign."""
    return CampaignMember.objects.filter(user=user, campaign=campaign, role__in=roles).exists()


def is_annotator(person: User, campaign: Campaign) -> bool:
    """Whether work can be given to a person: an annotator of the campaign, with an open account."""
    return person.is_active and has_role(person, campaign, Role.ANNOTATOR)


def require_role(user: User, campaign: Campaign, *roles: str) -> None:
    """Raise Forbidden unless the person has one of these roles in the campaign."""
    if not has_role(user, campaign, *roles):
        words = " or ".join(Role(role).label.lower() for role in roles)
        raise Forbidden(f"Only a {words} of this campaign may do this.")


def campaigns_with_role(user: User, *roles: str) -> QuerySet[Campaign]:
    """Campaigns in which the person has one of these roles."""
    return Campaign.objects.filter(members__user=user, members__role__in=roles).distinct()


def site_ids(user: User) -> "QuerySet[SiteMembership, Any]":
    """A subquery of the sites the person is a member of."""
    return SiteMembership.objects.filter(user=user).values("site_id")
