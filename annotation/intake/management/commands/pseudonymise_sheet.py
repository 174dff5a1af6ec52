from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.intake.sending.sheet import ABOUT, add_arguments, run


class Command(BaseCommand):
    help = ABOUT
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        told: list[str] = []
        code = run(Namespace(**options), self.stdout.write, told.append)
        if code:
            raise CommandError("".join(told).strip() or "Nobody was written.", returncode=code)
