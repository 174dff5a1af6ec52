from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.intake.management.importing import BAD_ARGUMENTS, ImportCommand
from annotation.intake.nifti import is_nifti


class Command(ImportCommand):
    help = "Import one CT volume in HU from a NIfTI file, and a mask on the same grid if there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, metavar="FILE", help=".nii or .nii.gz")
        parser.add_argument("--mask", type=Path, metavar="FILE", help="labels on the same grid")
        parser.add_argument("--layer", help="the layer of the mask (default: the first that is drawn on)")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_nifti(options["source"]):
            raise CommandError("The file must end in .nii or .nii.gz.", returncode=BAD_ARGUMENTS)
        self.run_import(options["source"], options, options["mask"])
