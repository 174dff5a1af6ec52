import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.intake.management.importing import BAD_ARGUMENTS, FAILED, find_actor
from annotation.masks.elsewhere import ReadMask, import_read_mask, layer_for, read_path
from annotation.masks.mapping import parse_map, suggest
from annotation.masks.sources import source_in_words
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from annotation.work.schema import Layer
from voxloop.kernel.errors import Refusal


class Command(BaseCommand):
    help = (
        "Store a mask that another program made as a revision of a scan: NIfTI, NRRD, .seg.nrrd, MetaImage (.mha), "
        "DICOM SEG or RTSTRUCT on the scan's grid, in any order of axes. Without --map its labels are "
        "listed and nothing is stored. Exit code 0; 1 when it was refused; 2 for invalid arguments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=".nii.gz, .nii, .nrrd, .seg.nrrd, .mha or .dcm")
        parser.add_argument("--scan", required=True, metavar="CODE", help="the code of the scan")
        parser.add_argument("--campaign", required=True, metavar="SLUG", help="the campaign whose label schema counts")
        parser.add_argument("--layer", help="the layer (default: the first that is drawn)")
        parser.add_argument(
            "--map",
            nargs="+",
            metavar="THEIR=OURS",
            help="a name or value of the file and a segment's key; nothing after = leaves the label out",
        )
        parser.add_argument("--resample", action="store_true", help="take another grid, nearest neighbour")
        parser.add_argument("--threshold", type=float, help="of a FRACTIONAL segmentation: the least share")
        parser.add_argument("--beside-work", action="store_true", help="although work on the scan has begun")
        parser.add_argument("--user", metavar="NAME", help="who imports; by default a data manager or coordinator")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        scan = Scan.objects.filter(code=options["scan"], campaign_scans__campaign=campaign).first()
        if campaign is None or scan is None:
            missing = f"campaign {options['campaign']}" if campaign is None else f"scan {options['scan']} in it"
            raise CommandError(f"There is no {missing}.", returncode=BAD_ARGUMENTS)
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.", returncode=BAD_ARGUMENTS)
        actor = find_actor(options["user"], scan.site, campaign)
        try:
            layer = layer_for(scan, campaign, options["layer"], actor)
            found = read_path(
                path=options["file"], scan=scan, may_resample=options["resample"], threshold=options["threshold"]
            )
            if options["map"] is None:
                self._list(found, layer, as_json=options["json"])
                return
            revision, is_new = import_read_mask(
                found=found,
                mapped=parse_map(options["map"], found.labels, layer),
                scan=scan,
                campaign=campaign,
                layer=layer.name,
                actor=actor,
                beside_work=options["beside_work"],
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.detail} ({refusal.code})", returncode=FAILED) from refusal
        if options["json"]:
            facts = {"scan": scan.code, "revision": str(revision.pk), "new": is_new, "voxels": revision.voxel_counts}
            self.stdout.write(json.dumps({**facts, "source": revision.source}))
        else:
            done = f"{layer.name} imported" if is_new else f"{layer.name} already imported"
            self.stdout.write(f"{scan.code}: {done}. {source_in_words(revision.source)}.")

    def _list(self, found: ReadMask, layer: Layer, *, as_json: bool) -> None:
        guess = suggest(found.labels, layer)
        rows = [
            {"name": one.name, "value": one.value, "voxels": one.voxels, "suggested": guess[n]}
            for n, one in enumerate(found.labels, start=1)
        ]
        if as_json:
            self.stdout.write(json.dumps({"format": found.format, "labels": rows}))
            return
        for row in rows:
            self.stdout.write(f"{row['name']}={row['suggested']}\t(value {row['value']}, {row['voxels']:,} voxels)")
        self.stdout.write(
            f"Nothing was stored. Say with --map what each becomes: {', '.join(one.key for one in layer.segments)}."
        )
