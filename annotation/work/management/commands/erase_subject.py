import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.scans.erasing import plan_erasure
from annotation.scans.models import Scan, Subject
from annotation.work.erasing import erase
from annotation.work.management.acting import BAD_ARGUMENTS, find_person, told


class Command(BaseCommand):
    help = (
        "Erase a patient for good: images, masks, answers, comments, identifiers. Without --confirm it prints what "
        "would be erased, kept and marked. Exit code 0, 1 refused, 2 bad arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", metavar="CODE", help="of the subject (S-…), or of one of its scans (VX-A-0001)")
        parser.add_argument("--user", metavar="NAME", help="who does it: an administrator or data manager")
        parser.add_argument("--reason", default="", metavar="TEXT", help="written into the log; no patient's name")
        parser.add_argument("--confirm", metavar="CODE", help="the subject's code again: erase now")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        subject = self.find(options["code"])
        if options["confirm"] is None:
            self.tell_plan(subject, as_json=options["json"])
            return
        if not options["user"]:
            raise CommandError("Say with --user who erases the subject.", returncode=BAD_ARGUMENTS)
        actor = find_person(options["user"])
        with told(self, as_json=options["json"]):
            gone = erase(subject_id=subject.pk, actor=actor, why=options["reason"], confirmation=options["confirm"])
        result = {"subject": gone.pseudonym, "scans": gone.scans}
        self.stdout.write(json.dumps(result) if options["json"] else f"{gone.pseudonym} is erased.")

    def find(self, code: str) -> Subject:
        """The one subject of this code. Raises CommandError (2)."""
        scan = Scan.objects.filter(code=code).select_related("subject").first()
        found = [scan.subject] if scan and scan.subject else list(Subject.objects.filter(pseudonym=code)[:2])
        if len(found) != 1:
            raise CommandError(f"There is no subject {code}, or more than one.", returncode=BAD_ARGUMENTS)
        return found[0]

    def tell_plan(self, subject: Subject, *, as_json: bool) -> None:
        """What an erasure would do."""
        plan = plan_erasure(subject)
        if as_json:
            self.stdout.write(json.dumps({"subject": subject.pseudonym, "plan": [asdict(line) for line in plan]}))
            return
        for line in plan:
            self.stdout.write(f"{line.fate:7} {line.count or '':>5} {line.what}: {line.why}.")
        self.stdout.write(f"Nothing was erased. To do it: --confirm {subject.pseudonym} --user NAME --reason TEXT")
