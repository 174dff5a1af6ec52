"""Write the tables that the browser's de-identifier reads, of the rule file and the lists in Python."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.intake.deidentify.tables import TABLES, text_of_tables


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail where the file is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = settings.BASE_DIR / TABLES
        text = text_of_tables()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        if options["check"]:
            raise CommandError(f"{TABLES} is stale; run `python3 manage.py deidentification_tables`.")
        path.write_text(text, encoding="utf-8")
        self.stdout.write(str(TABLES))
