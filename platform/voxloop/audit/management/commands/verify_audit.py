import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voxloop.audit.verify import verify


class Command(BaseCommand):
    help = "Prove that no row of the audit log was edited, removed, reordered or cut off."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, help="file of anchors kept outside the database")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        count, fault = verify(options["anchor"])
        if options["json"]:
            self.stdout.write(json.dumps({"entries": count, "fault": fault and fault.sentence}))
        if fault is not None:
            raise CommandError(fault.sentence, returncode=1)
        if not options["json"]:
            self.stdout.write(f"{count} entries, every one as it was written.")
