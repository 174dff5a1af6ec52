import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.intake.clinical.mapping import SheetMapping, own_names, read_mapping
from annotation.intake.clinical.sheet import Sheet
from annotation.intake.management.importing import BAD_ARGUMENTS, FAILED, find_actor
from annotation.intake.records import Plan, plan_records, read_path, remembered_mapping, store_records
from annotation.scans.models import Site
from annotation.work.models import Campaign
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    help = "Store the clinical records of a site's sheet (CSV). Good rows are kept, bad ones named by line and column."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sheet", type=Path, metavar="FILE.csv")
        parser.add_argument("--site", required=True, metavar="CODE", help="the site that the sheet comes from")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign that the scans are in")
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="FILE.json",
            help="what columns and words mean; by default that of the site's last sheet, else our own names",
        )
        parser.add_argument("--user", metavar="NAME", help="who imports; by default a data manager or coordinator")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be stored; change nothing")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["sheet"].exists():
            raise CommandError(f"There is no file {options['sheet']}.", returncode=BAD_ARGUMENTS)
        site = Site.objects.filter(code=options["site"]).first()
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if site is None or campaign is None:
            missing = f"site {options['site']}" if site is None else f"campaign {options['campaign']}"
            raise CommandError(f"There is no {missing}.", returncode=BAD_ARGUMENTS)
        actor = find_actor(options["user"], site, campaign)
        act = plan_records if options["dry_run"] else store_records
        try:
            sheet = read_path(options["sheet"])
            mapping = _mapping(options["mapping"], site, sheet)
            plan = act(site=site, campaign=campaign, sheet=sheet, mapping=mapping, actor=actor)
        except Refusal as refusal:
            if options["json"]:
                self.stdout.write(json.dumps({"error": refusal.detail, "code": refusal.code}))
            raise CommandError(refusal.detail, returncode=FAILED) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(plan.to_json()))
        else:
            self._tell(plan, is_dry=options["dry_run"])
        if plan.faults and not plan.changes and not plan.same:
            raise CommandError("No row of the sheet could be used.", returncode=FAILED)

    def _tell(self, plan: Plan, *, is_dry: bool) -> None:
        verb = "would be" if is_dry else "are"
        self.stdout.write(f"{plan.new} records {verb} new, {plan.changed} changed, {plan.same} as before.")
        for one in plan.faults:
            where = f"Line {one.line}" + (f", {one.column}" if one.column else "")
            self.stdout.write(f"{where}: left out ({one.code}). {one.sentence}")
        if plan.far:
            self.stdout.write(
                f"The tests of {len(plan.far)} people are more than a year from every scan (first in line "
                f"{plan.far[0]}): were the dates moved with those of the images?"
            )


def _mapping(path: Path | None, site: Site, sheet: Sheet) -> SheetMapping:
    if path is not None:
        return read_mapping(path)
    return remembered_mapping(site) or SheetMapping(own_names(sheet.columns))
