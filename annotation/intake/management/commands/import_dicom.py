from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotation.intake.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import the DICOM series of a folder or zip: find them, check them, convert them, add them to a campaign."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, metavar="DIR|ZIP")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_import(options["source"], options)
