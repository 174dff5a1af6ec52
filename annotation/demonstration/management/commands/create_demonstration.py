"""`manage.py create_demonstration`: run by `manage.py demo` once its processes answer; may be run again at any time."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.demonstration.plan import FEWEST_SCANS, ROLES, SCANS
from annotation.demonstration.progress import Progress
from annotation.demonstration.services import create_demonstration
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    """Create the demonstration, or take it up where it was left."""

    help = "Create the campaign of phantom scans through the ordinary services and workers; needs running workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the passwords come from, and how much is made."""
        parser.add_argument(
            "--accounts",
            type=Path,
            default=os.environ.get("VOXLOOP_DEMO"),
            help="JSON file with accounts: [{username, password}] (demo.json)",
        )
        parser.add_argument("--scans", type=int, default=int(os.environ.get("VOXLOOP_DEMO_SCANS", SCANS)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every step; a refusal ends it with one sentence."""
        if not options["accounts"]:
            raise CommandError("Say with --accounts which file holds the accounts.")
        try:
            accounts = json.loads(Path(options["accounts"]).read_text())["accounts"]
            passwords = {account["username"]: account["password"] for account in accounts}
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{options['accounts']} is no file of accounts: {error}.") from error
        if missing := sorted(ROLES.keys() - passwords.keys()):
            raise CommandError(f"{options['accounts']} has no account for {', '.join(missing)}.")
        if 0 < options["scans"] < FEWEST_SCANS or options["scans"] < 0:
            raise CommandError(f"A demonstration has no scans, or at least {FEWEST_SCANS}.")
        progress = Progress(self.stdout.write)
        try:
            create_demonstration(passwords=passwords, scans=options["scans"], progress=progress)
        except Refusal as refusal:
            progress.stop(f"The set-up stopped: {refusal.detail}")
            raise CommandError(refusal.detail) from refusal
