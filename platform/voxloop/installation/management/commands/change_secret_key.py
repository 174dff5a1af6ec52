import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voxloop.accounts.actors import SystemActor
from voxloop.installation.services import accept_secret_key
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    help = (
        "Take the VOXLOOP_SECRET_KEY of this command as the installation's own from now on, on purpose; every log-in "
        "ends. Start the processes with the new key afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ended = accept_secret_key(actor=SystemActor.OPERATOR)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        if options["json"]:
            self.stdout.write(json.dumps({"sessions_ended": ended}))
        else:
            self.stdout.write(f"The new secret key holds; {ended} log-ins ended. Start every process with it.")
