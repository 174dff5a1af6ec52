"""`manage.py migrate`, as the role that owns the tables where there is one (`VOXLOOP_OWNER_DATABASE`)."""

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as Migrate

from voxloop.audit.ownership import as_owner, grant_rights


class Command(Migrate):
    """Django's command; then grants the working role its rights."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, and grant."""
        with as_owner() as working:
            super().handle(*args, **options)
            if settings.OWNER_DATABASE is not None:
                grant_rights(str(working["USER"]))
