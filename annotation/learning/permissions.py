"""Who may train and promote: coordinators of the campaign. Who may take a model away: data managers, too."""

from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, require_role
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role


def require_trainer(user: User, campaign: Campaign) -> None:
    """Raise Forbidden unless the person is a coordinator of the campaign."""
    require_role(user, campaign, Role.COORDINATOR)


def require_taker(user: User, campaign: Campaign) -> None:
    """Raise Forbidden unless the person may take the campaign's models away."""
    require_role(user, campaign, *OVERSEERS)
