"""`manage.py prepare_installation`: migrations, broker and checks before any process of the product starts."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from annotation.upkeep.objects import check_objects
from annotation.upkeep.restore import MARK
from voxloop.audit.ownership import as_owner
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    """Tables, broker and keys, then consistency checks, in one start of Django."""

    help = (
        "Bring the tables up to date, prepare the broker, and refuse keys, folders or objects that do not belong here."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all steps; a refusal is printed as one sentence."""
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [f"{MARK}.begun"])
            if cursor.fetchone() != (None,):
                raise CommandError("A restore into this database has not finished: run the same restore again.")
        call_command("prepare_broker", migrate=True)
        try:
            check_objects()
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
