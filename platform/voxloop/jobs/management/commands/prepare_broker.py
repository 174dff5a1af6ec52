"""`manage.py prepare_broker`: the tables of the broker, where PostgreSQL itself is the broker."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from pgmq.install import get_embedded_install_sql

from voxloop.audit.ownership import as_owner, install_as_worker
from voxloop.installation.services import settle_installation
from voxloop.kernel.errors import Refusal

# From the system catalogue: the owner role has no access to the broker's schema.
INSTALLED = (
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE (nspname, relname) = ('pgmq', 'meta')"
)


class Command(BaseCommand):
    """Install the schema `pgmq` when the broker is PostgreSQL and the schema is not there yet."""

    help = "Install the broker's tables when PostgreSQL is the broker (pgmq). Does nothing for RabbitMQ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--migrate` saves a second start of Django."""
        parser.add_argument(
            "--migrate", action="store_true", help="bring the other tables up to date first, and settle the keys"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the schema if it is missing."""
        if options["migrate"]:
            call_command("migrate", interactive=False, verbosity=0)
            try:
                settle_installation()
            except Refusal as refusal:
                raise CommandError(refusal.detail) from refusal
        if not settings.CELERY_BROKER_URL.startswith("pgmq"):
            return
        with as_owner(), transaction.atomic(), connection.cursor() as cursor:
            # Of two concurrent starts the second waits here and then finds the schema.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('voxloop.prepare_broker'))")
            cursor.execute(INSTALLED)
            if cursor.fetchone():
                return
            if settings.OWNER_DATABASE is None:
                cursor.connection.execute(get_embedded_install_sql())
        if settings.OWNER_DATABASE is not None:
            with as_owner() as working:
                install_as_worker(get_embedded_install_sql(), working)
