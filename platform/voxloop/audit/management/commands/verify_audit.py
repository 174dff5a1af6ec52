import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voxloop.audit.anchors import conditions
from voxloop.audit.verify import verify


class Command(BaseCommand):
    help = (
        "Prove that no row of the audit log was edited, removed, reordered or cut off. Fails when the chain does not "
        "hold, and when an anchor that should prove it is missing, too old or cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, help="file of anchors kept elsewhere (lines of mails, for example)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["anchor"]
        if path is not None and not path.exists():
            raise CommandError(f"There is no file {path}.", returncode=2)
        count, fault = verify(path)
        places = [] if path else conditions()
        if options["json"]:
            told = {"entries": count, "fault": fault and fault.sentence, "anchors": [asdict(place) for place in places]}
            self.stdout.write(json.dumps(told))
        if fault is not None:
            raise CommandError(fault.sentence, returncode=1)
        if not options["json"]:
            self.stdout.write(f"{count} entries, every one as it was written.")
        if wrong := [place.fault for place in places if place.fault]:
            raise CommandError(" ".join(wrong), returncode=1)
