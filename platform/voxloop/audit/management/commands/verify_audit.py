import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voxloop.audit.anchors import anchor_statuses
from voxloop.audit.verify import verify


class Command(BaseCommand):
    help = (
        "Prove that no row of the audit log was edited, removed, reordered or truncated. Fails when the chain is "
        "broken, and when an anchor that should prove it is missing, too old or cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, help="file of anchors kept elsewhere (lines of mails, for example)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["anchor"]
        if path is not None and not path.exists():
            raise CommandError(f"There is no file {path}.", returncode=2)
        count, fault = verify(path)
        statuses = [] if path else anchor_statuses()
        if options["json"]:
            told = {
                "entries": count,
                "fault": fault and fault.sentence,
                "anchors": [asdict(status) for status in statuses],
            }
            self.stdout.write(json.dumps(told))
        if fault is not None:
            raise CommandError(fault.sentence, returncode=1)
        if not options["json"]:
            self.stdout.write(f"{count} entries, every one as it was written.")
        if wrong := [status.fault for status in statuses if status.fault]:
            raise CommandError(" ".join(wrong), returncode=1)
