import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.scans.pseudonyms import reseal_keys
from voxloop.kernel.errors import Refusal

FAILED = 1


class Command(BaseCommand):
    help = (
        "Re-seal the pseudonym keys after VOXLOOP_SECRET_KEY was changed: put the previous one "
        "into VOXLOOP_OLD_SECRET_KEYS, run this, then remove it. Exit code 0, or 1 when a key cannot be opened."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changed = reseal_keys()
        except Refusal as refusal:
            if options["json"]:
                self.stdout.write(json.dumps({"error": refusal.detail, "code": refusal.code}))
            raise CommandError(refusal.detail, returncode=FAILED) from refusal
        if options["json"]:
            self.stdout.write(json.dumps({"resealed": changed}))
        else:
            self.stdout.write(f"Re-sealed: {changed} keys. The old secret is no longer needed for any.")
