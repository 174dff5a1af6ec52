"""Base of `backup` and `restore`: the passphrase, the arguments, the exit code."""

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voxloop.kernel.errors import Refusal

FAILED, BAD_ARGUMENTS = 1, 2
VARIABLE = "VOXLOOP_BACKUP_PASSPHRASE"


class UpkeepCommand(BaseCommand):
    """Exit code 0; 1 for faults; 2 for invalid arguments."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", metavar="NAME", help="which back-up, by its name; else the newest whole one")
        parser.add_argument(
            "--passphrase-file", type=Path, metavar="FILE", help=f"holds the passphrase; else {VARIABLE}, or a prompt"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON, and no progress bar")

    def refused(self, refusal: Refusal, options: dict[str, Any]) -> CommandError:
        """What a command ends with that was refused, told as JSON, too, where that was asked for."""
        if options["json"]:
            self.stdout.write(json.dumps({"error": refusal.detail, "code": refusal.code}))
        return CommandError(refusal.detail, returncode=FAILED)


def read_passphrase(options: dict[str, Any], *, twice: bool) -> str | None:
    """From a file, the environment, or a prompt where there is a terminal; None for none."""
    path = options["passphrase_file"]
    if path is not None:
        try:
            return str(path.read_text().strip("\r\n")) or None
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=BAD_ARGUMENTS) from error
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    if options["json"] or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    typed = getpass.getpass("Passphrase of the secrets (empty: leave them out): ")
    if typed and twice and getpass.getpass("Again: ") != typed:
        raise CommandError("The two passphrases differ.", returncode=BAD_ARGUMENTS)
    return typed or None
