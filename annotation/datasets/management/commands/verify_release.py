"""`manage.py verify_release DIR`: verify a release offline, without a database."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from annotation.datasets.verify import NotARelease, in_words, verify


class Command(BaseCommand):
    help = (
        "Prove a release folder offline: every file is there and unchanged, nothing was added, every mask is the "
        "approved one on the grid of its image, no site is on two sides of the split. "
        "Exit code 0: proven, 1: not, 2: no release there."
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, metavar="DIR", help="the folder of the release, or its name in this server's exports"
        )
        parser.add_argument(
            "--seal", default="", help="the seal that the export printed, to detect a different release"
        )
        parser.add_argument("--key", type=Path, metavar="FILE", help="the public key (PEM) that must have signed it")
        parser.add_argument("--json", action="store_true", help="one JSON document instead of text")

    def handle(self, *args: Any, folder: Path, seal: str, key: Path | None, **options: Any) -> None:
        folder = folder if folder.exists() else _exported(folder)
        try:
            with Progress(console=Console(stderr=True), transient=True, disable=options["json"]) as bar:
                task = bar.add_task("Verifying", total=None)
                verdict = verify(
                    folder,
                    seal=seal,
                    key=key,
                    progress=lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
                )
        except NotARelease as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(json.dumps(verdict.to_json()) if options["json"] else in_words(verdict), ending="\n")
        if not verdict.is_proven:
            raise SystemExit(1)


def _exported(named: Path) -> Path:
    """A bare name means the release of that name in the server's own folder, if there is one."""
    found: Path = settings.EXPORT_ROOT / named
    return found if len(named.parts) == 1 and found.is_dir() else named
