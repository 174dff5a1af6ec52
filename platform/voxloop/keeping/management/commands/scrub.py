import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voxloop.keeping.scrub import Report, scrub
from voxloop.kernel.errors import Refusal
from voxloop.storage.store import Store, open_store


class Command(BaseCommand):
    help = (
        "Check everything that is stored: volumes, masks, probability maps, model weights, releases. "
        "Exit code 0: whole; 1: something is damaged or missing; 2: bad arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout, no progress")
        parser.add_argument(
            "--repair", metavar="FROM", help="a back-up (folder or s3:// address): put damaged objects back out of it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        copy = _copy_in(options["repair"]) if options["repair"] else None
        shows = not options["json"] and sys.stderr.isatty()

        def tell(percent: int, what: str) -> None:
            if shows:
                self.stderr.write(f"\r{percent:3d} % {what:<40}", ending="")

        try:
            report = scrub(noticed_by="scrub", tell=tell, copy=copy)
        except Refusal as refusal:  # the storage itself does not answer
            raise CommandError(refusal.detail, returncode=1) from refusal
        if shows:
            self.stderr.write("")
        self.stdout.write(json.dumps(report.facts()) if options["json"] else "\n".join(_in_words(report)))
        if not report.is_whole:
            raise CommandError(_what_to_do(report, copy is not None), returncode=1)


def _copy_in(place: str) -> Store:
    """The objects of a back-up. Raises CommandError (2) where there are none."""
    if urlsplit(place).scheme == "s3":
        address, _, query = place.partition("?")
        return open_store(f"{address.rstrip('/')}/objects?{query}")
    folder = Path(place.removeprefix("file://"))
    objects = folder / "objects" if (folder / "objects").is_dir() else folder
    if not objects.is_dir():
        raise CommandError(f"{place} is no folder with objects of a back-up.", returncode=2)
    return open_store(objects.resolve().as_uri())


def _in_words(report: Report) -> list[str]:
    lines = [f"{count:8d} {kind} checked" for kind, count in report.checked.items()]
    for title, things in (("damaged", report.damaged), ("missing", report.missing)):
        lines += [f"{title}: {detail}" for detail in things.values()]
    for title, keys in (
        ("repaired", report.repaired),
        ("named by nothing (collected after a while)", report.unreferenced),
        ("half-written (gone after a day)", report.half_written),
    ):
        lines += [f"{title}: {key}" for key in keys[:20]]
        lines += [f"{title}: and {len(keys) - 20} more"] if len(keys) > 20 else []
    return [*lines, "Everything is whole."] if report.is_whole else lines


def _what_to_do(report: Report, was_repair: bool) -> str:
    left = len(report.damaged) + len(report.missing)
    in_rows = [thing for thing in (*report.damaged, *report.missing) if thing.startswith(("chunks/", "revisions/"))]
    sentence = f"{left} stored things are damaged or missing."
    if in_rows:
        return (
            f"{sentence} {len(in_rows)} of them are masks in the database, which this command cannot put back: "
            "a reader who saves the same voxels again does; else restore the database from its back-up."
        )
    if was_repair:
        return f"{sentence} The back-up has no good copy of them either; try an older one."
    return f"{sentence} Put them back with: manage.py scrub --repair BACK-UP"
