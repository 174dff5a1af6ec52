"""`manage.py doctor`: check everything that this installation needs, and say what to do about problems."""

import json
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotation.upkeep.doctor import Health, examine

STOPPED = "VOXLOOP_IS_STOPPED"  # set by `--state FOLDER` (voxloop.embedded.upkeep) of a demonstration that is stopped
MARKS = {Health.WARNS: "warns", Health.FAILS: "FAILS"}


class Command(BaseCommand):
    """Exit code 0 when nothing fails (warnings are no faults), 1 when something fails, 2 for bad arguments."""

    help = (
        "Check everything this installation needs. What warns or FAILS is told with what to do; the rest is one line. "
        "Exit code 0: nothing fails, 1: something fails, 2: bad arguments."
    )
    requires_system_checks: list[str] = []  # it must run even when everything else is broken

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for result in examine(is_stopped=os.environ.get(STOPPED) == "1"):
            found.append(result)
            if not options["json"] and result.health != Health.OK:
                self.stdout.write(f"{MARKS[result.health]}  {result.name}: {result.sentence}\n       {result.todo}")
        worst = max((result.health for result in found), key=list(Health).index)
        if options["json"]:
            self.stdout.write(json.dumps({"health": worst, "findings": [result.to_json() for result in found]}))
        else:
            fine = [result.name for result in found if result.health == Health.OK]
            self.stdout.write(f"ok     {', '.join(fine)}." if fine else "Nothing is ok.")
        if worst == Health.FAILS:
            sys.exit(1)
