import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.intake.management.importing import BAD_ARGUMENTS, FAILED, find_actor
from annotation.masks.importing import import_mask
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    help = (
        "Keep a segmentation of lungs or lobes as a read-only layer of a scan. The file is a .nii.gz on the scan's own "
        "grid, its values the segment ids of the layer. The viewer then shows volumes, shares and the CT score. "
        "Exit code 0; 1 when it was refused; 2 for invalid arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("scan", metavar="CODE", help="the code of the scan")
        parser.add_argument("mask", type=Path, metavar="FILE", help=".nii.gz on the grid of the scan")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign whose label schema counts")
        parser.add_argument("--layer", default="anatomy", help="the layer (default: anatomy)")
        parser.add_argument("--user", metavar="NAME", help="who imports; by default a data manager or coordinator")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        scan = Scan.objects.filter(code=options["scan"], campaign_scans__campaign=campaign).first()
        if campaign is None or scan is None:
            missing = f"campaign {options['campaign']}" if campaign is None else f"scan {options['scan']} in it"
            raise CommandError(f"There is no {missing}.", returncode=BAD_ARGUMENTS)
        if not options["mask"].is_file():
            raise CommandError(f"There is no file {options['mask']}.", returncode=BAD_ARGUMENTS)
        actor = find_actor(options["user"], scan.site, campaign)
        try:
            revision, is_new = import_mask(
                scan=scan, campaign=campaign, layer=options["layer"], body=options["mask"].read_bytes(), actor=actor
            )
        except Refusal as refusal:
            raise CommandError(refusal.detail, returncode=FAILED) from refusal
        if options["json"]:
            facts = {"scan": scan.code, "revision": str(revision.pk), "new": is_new, "voxels": revision.voxel_counts}
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(f"{scan.code}: {options['layer']} {'imported' if is_new else 'already imported'}.")
