"""Who acts: a person, or a part of the installation when no person is involved."""

from enum import StrEnum

from voxloop.accounts.models import User


class SystemActor(StrEnum):
    """A part of the installation that acts without a person; the value is stored in the audit log."""

    SYSTEM = "system"  # scheduled tasks
    WORKER = "worker"  # a background job
    OPERATOR = "operator"  # commands typed on the machine itself, without an account
    MANAGE = "manage.py"
    CREATE_ADMINISTRATOR = "create_administrator"
    DEMONSTRATION = "demonstration"
    SCRUB = "scrub"  # the weekly integrity check of the store
    TRAINING = "training"
    NOBODY = "nobody"  # a failed log-in: nobody is authenticated


Actor = User | SystemActor
