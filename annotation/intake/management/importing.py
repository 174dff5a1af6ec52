"""Base of `import_dicom` and `import_nifti`: site, campaign, person, progress bar, exit code."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from annotation.intake.services import import_now
from annotation.scans.models import Site
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS
from voxloop.accounts.models import User
from voxloop.kernel.errors import Refusal

FAILED, BAD_ARGUMENTS = 1, 2


class ImportCommand(BaseCommand):
    """Import in the foreground. Exit code 0; 1 when no scan was imported; 2 for invalid arguments."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", required=True, metavar="CODE", help="the site that the scans come from")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign that gets them")
        parser.add_argument(
            "--user", metavar="NAME", help="who imports; by default a data manager or coordinator of campaign and site"
        )
        parser.add_argument(
            "--nevertheless",
            default="",
            metavar="WHY",
            help="take in what is doubtful: derived CT, X-rays as secondary captures, values unlike HU",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON, and no progress bar")

    def run_import(self, source: Path, options: dict[str, Any], mask: Path | None = None) -> None:
        """Import `source` and print the outcome."""
        for path in (source, mask):
            if path is not None and not path.exists():
                raise CommandError(f"There is no file or folder {path}.", returncode=BAD_ARGUMENTS)
        site = Site.objects.filter(code=options["site"]).first()
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if site is None or campaign is None:
            missing = f"site {options['site']}" if site is None else f"campaign {options['campaign']}"
            raise CommandError(f"There is no {missing}.", returncode=BAD_ARGUMENTS)
        actor = find_actor(options["user"], site, campaign)
        layer = options.get("layer")
        try:
            with show_progress(is_quiet=options["json"]) as tell:
                result = import_now(
                    path=source,
                    site=site,
                    campaign=campaign,
                    actor=actor,
                    mask=mask,
                    layer=layer,
                    overrule=options["nevertheless"],
                    on_progress=tell,
                )
        except Refusal as refusal:
            found = cast("dict[str, Any]", refusal.extra.get("result") or {"scans": [], "refused": []})
            if options["json"]:
                self.stdout.write(json.dumps({**found, "error": refusal.detail, "code": refusal.code}))
            elif "result" in refusal.extra:
                self._tell(found, as_json=False)
            raise CommandError(refusal.detail, returncode=FAILED) from refusal
        self._tell(result, options["json"])

    def _tell(self, result: dict[str, Any], as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result))
            return
        for scan in result["scans"]:
            self.stdout.write(f"{scan['code']}: {'imported' if scan['new'] else 'already imported'}.")
        for refusal in result["refused"]:
            self.stdout.write(f"{refusal['scan'] or 'Not kept'}: refused ({refusal['code']}). {refusal['reason']}")
        for note in result["notes"]:
            self.stdout.write(note)
        if result["not_dicom"] or result["unreadable"]:
            self.stdout.write(f"Files that are not DICOM: {result['not_dicom']}; damaged: {result['unreadable']}.")


def find_actor(name: str | None, site: Site, campaign: Campaign) -> User:
    """The person who imports: the named one, or the first with permission. Raises CommandError (2)."""
    if name is not None:
        person = User.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"There is no person called {name}.", returncode=BAD_ARGUMENTS)
        return person
    able = User.objects.filter(
        is_active=True,
        memberships__in=campaign.members.filter(role__in=OVERSEERS),
        site_memberships__site=site,
    )
    person = able.order_by("username").first()
    if person is None:
        raise CommandError(
            f"Nobody is data manager or coordinator of {campaign.slug} and a member of site {site.code}; add one.",
            returncode=BAD_ARGUMENTS,
        )
    return person


@contextmanager
def show_progress(*, is_quiet: bool) -> Iterator[Callable[[int, str], None]]:
    """A progress bar on stderr, so that stdout stays clean for scripts."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda percent, message: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task("Starting", total=100)
        yield lambda percent, message: progress.update(bar, completed=percent, description=message)
        progress.update(bar, completed=100, description="Done")
