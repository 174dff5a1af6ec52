"""`manage.py backup TO`, `manage.py backup --verify FROM`, `manage.py backup --list FROM`."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.intake.management.importing import show_progress
from annotation.upkeep.backup import make_backup
from annotation.upkeep.management.upkeep import BAD_ARGUMENTS, FAILED, UpkeepCommand, read_passphrase
from annotation.upkeep.manifest import list_backups
from annotation.upkeep.verify import verify_backup
from voxloop.kernel.errors import Refusal
from voxloop.storage.directory import open_directory


class Command(UpkeepCommand):
    """Make, check or list back-ups."""

    help = (
        "Back up the database, every object it references, the secrets and the audit anchor to a folder or a bucket. "
        "Several back-ups share one folder of objects; each run copies only what is new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("place", metavar="TO", help="a folder, or s3://bucket/prefix?endpoint=…")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--verify", action="store_true", help="check the back-up that is there instead of making one")
        what.add_argument("--list", action="store_true", help="list the back-ups that are there")
        what.add_argument("--keep", type=int, metavar="N", help="remove all but the newest N back-ups afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["keep"] is not None and options["keep"] < 1) or (options["at"] and not options["verify"]):
            raise CommandError("--keep needs a number from 1, and --at needs --verify.", returncode=BAD_ARGUMENTS)
        try:
            if options["list"]:
                self._list(options)
            elif options["verify"]:
                self._verify(options)
            else:
                self._make(options)
        except Refusal as refusal:
            raise self.refused(refusal, options) from refusal

    def _make(self, options: dict[str, Any]) -> None:
        passphrase = read_passphrase(options, twice=True)
        if passphrase is None:
            self.stderr.write("Without a passphrase the secrets are left out: keep the keys elsewhere.")
        with show_progress(is_quiet=options["json"]) as tell:
            made = make_backup(to=options["place"], passphrase=passphrase, keep=options["keep"], tell=tell)
        objects = made.facts["objects"]
        if options["json"]:
            body = {"name": made.name, "objects": objects, "has_secrets": made.facts["has_secrets"]}
            self.stdout.write(json.dumps({**body, "faults": made.faults}))
        else:
            self.stdout.write(
                f"Back-up {made.name}: {objects['count']} objects, {objects['copied']} of them new "
                f"({objects['copied_bytes'] / 1e6:.1f} MB)."
            )
        self._fail(made.faults, options)

    def _verify(self, options: dict[str, Any]) -> None:
        passphrase = read_passphrase(options, twice=False)
        with show_progress(is_quiet=options["json"]) as tell:
            name, faults = verify_backup(address=options["place"], at=options["at"], passphrase=passphrase, tell=tell)
        if options["json"]:
            self.stdout.write(json.dumps({"name": name, "faults": faults}))
        elif not faults:
            self.stdout.write(f"The back-up {name} is complete.")
        self._fail(faults, options)

    def _list(self, options: dict[str, Any]) -> None:
        found = list_backups(open_directory(options["place"]))
        if options["json"]:
            self.stdout.write(json.dumps([{"name": each.name, "is_whole": each.is_whole} for each in found]))
            return
        for each in found:
            self.stdout.write(f"{each.name}  {'whole' if each.is_whole else 'half-written: not to be used'}")

    def _fail(self, faults: list[str], options: dict[str, Any]) -> None:
        if not faults:
            return
        if not options["json"]:
            for fault in faults[:20]:
                self.stderr.write(fault)
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise CommandError(f"Not everything is complete: {faults[0]}{more}", returncode=FAILED)
