import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voxloop.accounts.actors import SystemActor
from voxloop.keeping.scrub import ScrubReport, scrub, scrub_and_repair
from voxloop.kernel.errors import Refusal
from voxloop.storage.objects import Store
from voxloop.storage.store import open_store


class Command(BaseCommand):
    help = (
        "Check everything that is stored: volumes, masks, probability maps, model weights, releases. "
        "Exit code 0: whole; 1: something is damaged or missing; 2: bad arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout, no progress")
        parser.add_argument(
            "--repair",
            metavar="FROM",
            help="a back-up (folder or s3:// address) from which damaged things are restored",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        copy = _copy_in(options["repair"]) if options["repair"] else None
        shows = not options["json"] and sys.stderr.isatty()

        def tell(percent: int, what: str) -> None:
            if shows:
                self.stderr.write(f"\r{percent:3d} % {what:<40}", ending="")

        try:
            if copy is None:
                report = scrub(noticed_by=SystemActor.SCRUB, tell=tell)
            else:
                report = scrub_and_repair(noticed_by=SystemActor.SCRUB, address=options["repair"], copy=copy, tell=tell)
        except Refusal as refusal:  # the storage itself does not answer
            raise CommandError(refusal.detail, returncode=1) from refusal
        if shows:
            self.stderr.write("")
        self.stdout.write(json.dumps(report.facts()) if options["json"] else "\n".join(_in_words(report)))
        if not report.is_whole:
            raise CommandError(_what_to_do(report, copy is not None), returncode=1)


def _copy_in(location: str) -> Store:
    """The object store of a back-up. Raises CommandError (2) where there is none."""
    if urlsplit(location).scheme == "s3":
        address, _, query = location.partition("?")
        return open_store(f"{address.rstrip('/')}/objects?{query}")
    folder = Path(location.removeprefix("file://"))
    objects = folder / "objects" if (folder / "objects").is_dir() else folder
    if not objects.is_dir():
        raise CommandError(f"{location} is not a folder with objects of a back-up.", returncode=2)
    return open_store(objects.resolve().as_uri())


def _in_words(report: ScrubReport) -> list[str]:
    lines = [f"{count:8d} {kind} checked" for kind, count in report.checked.items()]
    for title, things in (("damaged", report.damaged), ("missing", report.missing)):
        lines += [f"{title}: {detail}" for detail in things.values()]
    for title, keys in (
        ("repaired", report.repaired),
        ("unreferenced (collected after a while)", report.unreferenced),
        ("half-written (deleted after a day)", report.half_written),
    ):
        lines += [f"{title}: {key}" for key in keys[:20]]
        lines += [f"{title}: and {len(keys) - 20} more"] if len(keys) > 20 else []
    return [*lines, "Everything is whole."] if report.is_whole else lines


def _what_to_do(report: ScrubReport, was_repair: bool) -> str:
    left = len(report.damaged) + len(report.missing)
    sentence = f"{left} stored things are damaged or missing."
    if was_repair:
        return (
            f"{sentence} No back-up there has a good copy of them. A part of a mask is mended when a reader saves "
            "the same voxels again; anything else comes back with a restore of the whole."
        )
    return f"{sentence} Put them back with: manage.py scrub --repair BACK-UP"
