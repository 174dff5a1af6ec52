"""`manage.py create_demonstration`: run by `manage.py demo` once its processes answer; may be run again at any time."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.demonstration.plan import FEWEST_SCANS, ROLES, SCANS
from annotation.demonstration.progress import SetupReporter
from annotation.demonstration.services import create_demonstration
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    """Create the demonstration, or resume an interrupted creation."""

    help = "Create the campaign of phantom scans through the ordinary services and workers; needs running workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """File of accounts and number of scans."""
        parser.add_argument(
            "--accounts",
            type=Path,
            default=os.environ.get("VOXLOOP_DEMO"),
            help="JSON file with accounts: [{username, password}] (demo.json)",
        )
        parser.add_argument("--scans", type=int, default=int(os.environ.get("VOXLOOP_DEMO_SCANS", SCANS)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every step; a refusal is printed as one sentence."""
        if not options["accounts"]:
            raise CommandError("Name the file of accounts with --accounts.")
        try:
            accounts = json.loads(Path(options["accounts"]).read_text())["accounts"]
            passwords = {account["username"]: account["password"] for account in accounts}
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{options['accounts']} is not a file of accounts: {error}.") from error
        if missing := sorted(ROLES.keys() - passwords.keys()):
            raise CommandError(f"{options['accounts']} has no account for {', '.join(missing)}.")
        if 0 < options["scans"] < FEWEST_SCANS or options["scans"] < 0:
            raise CommandError(f"A demonstration has 0 scans or at least {FEWEST_SCANS}.")
        progress = SetupReporter(self.stdout.write)
        try:
            create_demonstration(passwords=passwords, scans=options["scans"], progress=progress)
        except Refusal as refusal:
            progress.stop(f"The set-up stopped: {refusal.detail}")
            raise CommandError(refusal.detail) from refusal
