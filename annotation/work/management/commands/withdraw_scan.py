import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.scans.models import Scan
from annotation.work.management.acting import BAD_ARGUMENTS, find_person, told
from annotation.work.withdrawing import withdraw


class Command(BaseCommand):
    help = (
        "Withdraw a scan permanently: it is no longer served, open work on it ends, and it gets into no new batch, "
        "training or release. Existing results stay. Exit code 0, 1 refused, 2 bad arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", metavar="CODE", help="of the scan, such as VX-A-0001")
        parser.add_argument("--user", required=True, metavar="NAME", help="who does it: a coordinator or data manager")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="written into the log; no patient's name")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        scan = Scan.objects.filter(code=options["code"]).first()
        if scan is None:
            raise CommandError(f"There is no scan {options['code']}.", returncode=BAD_ARGUMENTS)
        actor = find_person(options["user"])
        with told(self, as_json=options["json"]):
            done = withdraw(scan_id=scan.pk, actor=actor, why=options["reason"])
        self.stdout.write(
            json.dumps({"scan": done.code, "state": done.state}) if options["json"] else f"{done.code} is withdrawn."
        )
