"""Who may train and promote: coordinators of the campaign."""

from annotation.work.models import Campaign
from annotation.work.permissions import require_role
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role


def require_trainer(user: User, campaign: Campaign) -> None:
    """Raise Forbidden unless the person is a coordinator of the campaign."""
    require_role(user, campaign, Role.COORDINATOR)
