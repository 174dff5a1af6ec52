"""`manage.py doctor`: does everything work that this installation needs, and what is to be done where it does not."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotation.upkeep.doctor import Health, examine

MARKS = {Health.OK: "ok   ", Health.WARNS: "warns", Health.FAILS: "FAILS"}


class Command(BaseCommand):
    """Exit code 0 when all is well, 1 when something warns, 2 when something fails."""

    help = "Look at everything this installation needs: each line says ok, warns or FAILS, and what to do."
    requires_system_checks: list[str] = []  # it must run where nothing else does

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self.stdout.write(f"{MARKS[finding.health]}  {finding.name}: {finding.sentence}")
                if finding.todo:
                    self.stdout.write(f"       {finding.todo}")
        code = max(list(Health).index(finding.health) for finding in found)
        if options["json"]:
            told = {"health": list(Health)[code], "findings": [finding.to_json() for finding in found]}
            self.stdout.write(json.dumps(told))
        if code:
            sys.exit(code)
