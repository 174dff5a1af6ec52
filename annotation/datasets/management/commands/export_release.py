"""`manage.py export_release RELEASE`: write a frozen release to a folder or a bucket, and wait for it."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from annotation.datasets.exporters.choices import CHOICES
from annotation.datasets.exporting import location_of, write_export
from annotation.datasets.models import Release
from annotation.datasets.services import folder_name, freeze_release, request_export
from annotation.datasets.states import ReleaseState
from voxloop.accounts.models import User
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim, run
from voxloop.jobs.states import JobState
from voxloop.kernel.errors import Refusal

POLL_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Write a frozen release (id, or name of its folder: campaign-release) as NIfTI and DICOM SEG to a folder or "
        "to s3://bucket/prefix?endpoint=https://…, verified (see verify_release) before it gets its name. "
        "Exit code 0: exported, 1: failed, 2: bad arguments."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("release", metavar="RELEASE", help="id, or campaign-release as the folder is called")
        parser.add_argument("--as", dest="username", required=True, help="the data manager in whose name it is done")
        parser.add_argument(
            "--to", default="", metavar="DIR|s3://…", help="where to, instead of the server's own folder"
        )
        parser.add_argument(
            "--format",
            action="append",
            default=[],
            dest="formats",
            choices=[choice.key for choice in CHOICES],
            help="write this, too; may be given several times",
        )
        parser.add_argument(
            "--side", action="append", default=[], dest="sides", help="only this side of the split: a partial export"
        )
        parser.add_argument("--site", action="append", default=[], dest="sites", help="only this site, in the same way")
        parser.add_argument("--freeze", action="store_true", help="freeze the release first when it is a draft")
        parser.add_argument("--json", action="store_true", help="one JSON document instead of text")

    def handle(self, *args: Any, release: str, username: str, to: str, freeze: bool, **options: Any) -> None:
        actor = User.objects.filter(username=username).first()
        found = _find(release)
        if actor is None or found is None:
            missing = f"a person called {username}" if actor is None else f"a release {release}"
            raise CommandError(f"There is not {missing}.", returncode=2)
        try:
            if freeze and found.state == ReleaseState.DRAFT:
                found = freeze_release(release_id=found.pk, actor=actor)
            export = request_export(
                release_id=found.pk,
                actor=actor,
                destination=_destination(to),
                formats=options["formats"],
                sides=options["sides"],
                sites=options["sites"],
                by_operator=True,
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.detail} [{refusal.code}]", returncode=1) from refusal
        job = _follow(export.job_id, quiet=options["json"])
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"{job.error or job.state} [{job.error_code or job.state}]", returncode=1)
        told = {"place": location_of(export), **(job.result or {})}
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True, "export": str(export.pk), "job": str(job.pk), **told}))
        else:
            self.stdout.write(
                f"Exported {told['scans']} scan{'s' * (told['scans'] != 1)}, {told['files']} files,"
                f" to {told['place']}\n"
                f"seal {told['seal']}" + (f"\nkey  {told['signed_by']}" if told["signed_by"] else "")
            )


def _find(text: str) -> Release | None:
    rows = Release.objects.select_related("campaign")
    try:
        return rows.filter(pk=UUID(text)).first()
    except ValueError:
        return next((row for row in rows if folder_name(row) == text), None)


def _destination(text: str) -> str:
    return text if not text or text.startswith("s3://") else Path(text).resolve().as_uri()


def _follow(job_id: Any, *, quiet: bool) -> Job:
    """Run the job here; when a worker already runs it, follow its progress."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("Exporting", total=100)
        work = _shown(lambda percent, said: bar.update(task, completed=percent, description=said or "Exporting"))
        while True:
            run(job_id, work)  # does nothing while a worker runs it
            job = Job.objects.get(pk=job_id)
            if job.state not in (JobState.QUEUED, JobState.RUNNING):
                return job
            bar.update(task, completed=job.progress, description=job.message)
            time.sleep(POLL_SECONDS)


def _shown(show: Callable[[int, str], None]) -> Callable[[Claim], dict[str, Any]]:
    """Run the export, showing its progress on the terminal, too."""

    class ShownClaim(Claim):
        def report(self, progress: int, message: str = "") -> None:
            super().report(progress, message)
            show(progress, message)

    return lambda claim: write_export(ShownClaim(claim.job, claim.fence))
