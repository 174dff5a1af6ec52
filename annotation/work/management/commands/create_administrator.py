"""Create the first account of an installation, which invites everybody else on the pages."""

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.work.people import invite_person
from voxloop.accounts.actors import SystemActor
from voxloop.kernel.errors import Refusal

REFUSED, BAD_ARGUMENTS = 1, 2


class Command(BaseCommand):
    help = "Create an administrator, who creates sites and campaigns and invites people. Asks for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="NAME")

    def handle(self, *args: Any, **options: Any) -> None:
        password = self.ask() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandError("No password was given.", returncode=BAD_ARGUMENTS)
        try:
            person = invite_person(
                username=options["username"],
                password=password,
                actor=SystemActor.CREATE_ADMINISTRATOR,
                is_administrator=True,
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail, returncode=REFUSED) from refusal
        self.stdout.write(f"{person} can log in and invite people.")

    def ask(self) -> str:
        """The password, typed twice the same."""
        password = getpass("Password (at least 12 characters): ")
        if getpass("Again: ") != password:
            raise CommandError("The two passwords differ; nothing was made.", returncode=BAD_ARGUMENTS)
        return password
