"""`manage.py restore FROM`: into the empty database and storage of the settings, or into a new state folder."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from annotation.intake.management.importing import show_progress
from annotation.upkeep.management.upkeep import UpkeepCommand, read_passphrase
from annotation.upkeep.restore import restore_backup, secrets_document
from annotation.upkeep.verify import Opened, open_backup
from voxloop.audit.ownership import as_owner
from voxloop.embedded.private import write_private
from voxloop.installation.keys import AUDIT, SECRET
from voxloop.kernel.errors import Conflict, Refusal


class Command(UpkeepCommand):
    """Restore a back-up; an interrupted restore is continued by running it again."""

    help = (
        "Restore a back-up into an empty installation. Every log-in and API token ends, passwords stay, running jobs "
        "are queued again. If it is interrupted, run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("place", metavar="FROM", help="a folder, or s3://bucket/prefix?endpoint=…")
        parser.add_argument("--keep-objects", action="store_true", help="the storage may hold other objects, too")

    def handle(self, *args: Any, **options: Any) -> None:
        into_folder = bool(os.environ.get("VOXLOOP_RESTORE_INTO"))
        try:
            passphrase = read_passphrase(options, twice=False)
            opened = open_backup(address=options["place"], at=options["at"], passphrase=passphrase)
            take_keys(opened, must_have_secret=into_folder)
            if into_folder:
                write_folder_files(opened)
            with show_progress(is_quiet=options["json"]) as tell, as_owner():
                done = restore_backup(opened, keep_objects=options["keep_objects"], tell=tell)
        except Refusal as refusal:
            raise self.refused(refusal, options) from refusal
        kept = None if into_folder else self._keep_keys(opened)
        if options["json"]:
            self.stdout.write(json.dumps({**done, "keys": kept and str(kept)}))
            return
        self.stdout.write(
            f"Restored {done['name']}: {done['objects']} objects, {done['audit_entries']} audit entries, every one as "
            f"it was written. Every log-in has ended; {done['jobs_requeued']} jobs that ran are queued again."
        )
        if kept:
            self.stdout.write(f"Start every process with the keys of the back-up: they are in {kept}.")

    def _keep_keys(self, opened: Opened) -> Path | None:
        """Write keys of the back-up that this process lacks to a file for the operator."""
        keys = (opened.secrets or {}).get("keys", {})
        if all(os.environ.get(name) == value for name, value in keys.items()):
            return None
        path = Path(settings.STATE_DIR) / "restored-keys.json"
        write_private(path, secrets_document(opened))
        return path


def take_keys(opened: Opened, *, must_have_secret: bool) -> None:
    """Use the keys of the back-up, which are needed to verify its seals."""
    keys = {name: os.environ[name] for name in (SECRET, AUDIT) if os.environ.get(name)}
    keys |= (opened.secrets or {}).get("keys", {})
    if must_have_secret and not {SECRET, AUDIT} <= keys.keys():
        raise Conflict(
            "The restored installation needs its keys: give the passphrase of the back-up (--passphrase-file), or set "
            "VOXLOOP_SECRET_KEY and VOXLOOP_AUDIT_KEY to what they were.",
            code="keys_missing",
        )
    settings.KEPT_KEYS = {**settings.KEPT_KEYS, **{name: keys[name] for name in settings.KEPT_KEYS if name in keys}}
    settings.KEYS_GIVEN = {name for name in settings.KEPT_KEYS if name in keys}
    settings.SECRET_KEY = settings.KEPT_KEYS[SECRET]
    settings.AUDIT_KEY = settings.KEPT_KEYS[AUDIT] if AUDIT in keys else settings.SECRET_KEY


def write_folder_files(opened: Opened) -> None:
    """Write `secrets.json` and `demo.json` of the state folder: the originals, or new ones for a server's keys."""
    folder, files = Path(settings.STATE_DIR), (opened.secrets or {}).get("files", {})
    keys = json.loads(files.get("secrets.json", "{}"))
    keys |= {"secret": settings.KEPT_KEYS[SECRET], "audit": settings.KEPT_KEYS[AUDIT]}
    write_private(folder / "secrets.json", json.dumps(keys))
    card = json.loads(files.get("demo.json", '{"demonstration": "complete", "accounts": []}'))
    card |= {"state": str(folder), "pids": {}, "running": False}
    write_private(folder / "demo.json", json.dumps(card, indent=2) + "\n")
