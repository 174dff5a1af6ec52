import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotation.work.management.acting import find_person, told
from annotation.work.people import close_account, open_account
from voxloop.accounts.actors import SystemActor


class Command(BaseCommand):
    help = (
        "Close a person's account: no password, session or token works from then on, and open work goes back to the "
        "others. --undo opens it again. Exit code 0, 1 refused, 2 bad arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="NAME")
        parser.add_argument("--reason", default="by command", metavar="TEXT", help="written into the log")
        parser.add_argument("--undo", action="store_true", help="open a closed account again")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        person = find_person(options["username"])
        result: dict[str, Any] = {"person": person.username, "is_active": options["undo"]}
        with told(self, as_json=options["json"]):
            if options["undo"]:
                open_account(person=person, actor=SystemActor.MANAGE)
            else:
                result |= close_account(person=person, actor=SystemActor.MANAGE, why=options["reason"])
        if options["json"]:
            self.stdout.write(json.dumps(result))
        elif options["undo"]:
            self.stdout.write(f"{person} can log in again.")
        else:
            count = result["given_back"]
            words = f"{count} scan{'s' * (count != 1)} went back to the others"
            self.stdout.write(f"{person} can no longer log in; {words}.")
