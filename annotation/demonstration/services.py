"""Create the demonstration through the ordinary services. Each step is idempotent and does what is missing."""

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from django.conf import settings

from annotation.demonstration.labelling import label_first_scans
from annotation.demonstration.phantoms import write_series
from annotation.demonstration.plan import (
    BATCH_SIZE,
    CAMPAIGN,
    GUIDELINES,
    ROLES,
    SCANS,
    SITES,
    SLUG,
    Delivery,
    labelled_of_each_site,
    list_deliveries,
)
from annotation.demonstration.progress import SetupReporter
from annotation.demonstration.stage import Stage, code_of, in_days
from annotation.demonstration.waiting import POLL_SECONDS, WAITING, NotCreatedError, wait_for
from annotation.intake.services import receive_path
from annotation.learning.deciding import promote_model
from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.learning.preannotation import preannotate_when_due, unopened_scans
from annotation.learning.services import request_training
from annotation.learning.states import ModelState, PreAnnotationState, RunState
from annotation.scans.models import Scan, Site
from annotation.scans.services import create_site
from annotation.scans.states import ScanState
from annotation.work.batches import create_batch, publish_batch
from annotation.work.campaigns import create_campaign
from annotation.work.models import Batch, Campaign
from annotation.work.people import invite_person
from annotation.work.standard import CHEST_CT
from annotation.work.states import BatchState
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.jobs.models import Job

LAYER = "findings"
INFECTIOUS = {1, 2, 3}  # segment ids of the standard schema
TRAINING = (RunState.QUEUED, RunState.RUNNING, RunState.EVALUATING)
GIVEN_UP = (RunState.FAILED, RunState.CANCELLED, RunState.LOST)


def create_demonstration(*, passwords: Mapping[str, str], scans: int, progress: SetupReporter) -> None:
    """Create what is missing of the demonstration. `passwords` by username; `scans` 0 creates only the campaign and its
    people. Labelling and training start as soon as their scans are ready, while the others are still being created."""
    progress.report(1, "Sites, people and the campaign")
    stage = prepare_stage(passwords=passwords, scans=scans)
    if scans == 0:
        progress.report(100, "Ready: sites, people and a campaign without scans")
        return
    _wait_for_earlier_imports(stage, progress)
    folder = Path(settings.STATE_DIR) / "demonstration"

    def tell() -> None:
        ready = _count_ready(stage)
        progress.report(2 + 24 * (sent + ready) / scans, f"Scans: {sent} of {scans} sent, {ready} ready")

    jobs: list[Job] = []
    sent = _count_ready(stage)
    for number, delivery in enumerate(list_deliveries(scans), start=1):
        wanted = [subject for subject in delivery.pseudonyms if not _is_known(stage, delivery, subject)]
        for subject in wanted:
            write_series(subject, folder / str(number) / subject)
            sent += 1
            tell()
        if wanted:
            jobs.append(
                receive_path(
                    path=folder / str(number),
                    actor=stage.people["datamanager"],
                    site=stage.sites[delivery.site.code],
                    campaign=stage.campaign,
                )
            )
        if number == len(SITES):
            wait_for(jobs, tell)
            label_first_scans(stage=stage, progress=progress)
            start_training(stage=stage)
    wait_for(jobs, tell)
    shutil.rmtree(folder, ignore_errors=True)
    finish_training(stage=stage, progress=progress)
    publish_main_batch(stage=stage)
    progress.report(100, f"Ready: {scans} scans, a model, a batch for annotator1")


def prepare_stage(*, passwords: Mapping[str, str], scans: int) -> Stage:
    """Accounts, sites, the campaign with its members."""
    administrator = _person("administrator", passwords, actor=SystemActor.DEMONSTRATION)
    sites = {
        plan.code: Site.objects.filter(code=plan.code).first()
        or create_site(code=plan.code, name=plan.name, split=plan.split, actor=administrator)
        for plan in SITES
    }
    campaign = Campaign.objects.filter(slug=SLUG).first() or create_campaign(
        name=CAMPAIGN,
        slug=SLUG,
        definition=CHEST_CT,
        actor=administrator,
        guidelines=GUIDELINES,
        planned_scans=scans or SCANS,
    )
    people = {"administrator": administrator}
    for username, role in ROLES.items():
        if role is not None:
            people[username] = _person(username, passwords, administrator, [(campaign, role)], sites.values())
    return Stage(campaign, sites, people, labelled_of_each_site(scans))


def start_training(*, stage: Stage) -> None:
    """Start the first training as the coordinator, unless one is running or done."""
    if not TrainingRun.objects.filter(campaign=stage.campaign).exclude(state__in=GIVEN_UP).exists():
        request_training(campaign=stage.campaign, actor=stage.people["coordinator"])


def finish_training(*, stage: Stage, progress: SetupReporter) -> None:
    """Wait for the first model and for its masks of the unopened scans."""
    run = TrainingRun.objects.filter(campaign=stage.campaign).exclude(state__in=GIVEN_UP).latest("number")
    while run.state in TRAINING:
        share, said = (run.job.progress, run.job.message) if run.job else (0, "waiting")
        progress.report(50 + 30 * share / 100, f"Training the first model: {said}")
        time.sleep(POLL_SECONDS)
        run.refresh_from_db()
    if run.state in GIVEN_UP:
        raise NotCreatedError(f"Training: {run.error or run.state}")
    model = ModelVersion.objects.get(run=run)
    if model.state != ModelState.CHAMPION:
        why = "The first model of the demonstration: better than a blank start for trying the product"
        promote_model(model_id=model.pk, actor=stage.people["coordinator"], why=why)
    jobs = Job.objects.filter(kind=Job.Kind.PREANNOTATE, state__in=WAITING)

    def tell() -> None:
        done = PreAnnotation.objects.filter(campaign=stage.campaign, state=PreAnnotationState.READY).count()
        unopened = unopened_scans(model).count()
        progress.report(80 + 19 * done / max(1, unopened), f"Pre-annotation: {done} of {unopened} scans")

    # Again, for scans imported after the promotion.
    while (waiting := list(jobs.all())) or preannotate_when_due():
        wait_for(waiting, tell)


def publish_main_batch(*, stage: Stage) -> None:
    """Publish the batch of annotator1, unless it exists."""
    annotator, coordinator = stage.people["annotator1"], stage.people["coordinator"]
    batch = (
        Batch.objects.filter(campaign=stage.campaign, assignee=annotator).exclude(state=BatchState.CANCELLED).first()
    )
    if batch is None:
        batch = create_batch(
            campaign=stage.campaign,
            actor=coordinator,
            size=BATCH_SIZE,
            assignee=annotator,
            due_on=in_days(14),
            chosen_by="score",
        )
    if batch.state == BatchState.DRAFT:
        publish_batch(batch_id=batch.pk, actor=coordinator)


def _wait_for_earlier_imports(stage: Stage, progress: SetupReporter) -> None:
    """Wait for imports of an earlier start, which still run; otherwise their scans would be sent twice."""
    mine = Job.objects.filter(kind=Job.Kind.IMPORT_SCANS, state__in=WAITING, requested_by=stage.people["datamanager"])
    while mine.exists():
        progress.report(2, "Scans of the last start are still being converted")
        time.sleep(POLL_SECONDS)


def _person(
    username: str,
    passwords: Mapping[str, str],
    actor: Actor,
    roles: Iterable[tuple[Campaign, str]] = (),
    sites: Iterable[Site] = (),
) -> User:
    return User.objects.filter(username=username).first() or invite_person(
        username=username,
        password=passwords[username],
        actor=actor,
        roles=roles,
        sites=sites,
        is_administrator=username == "administrator",
    )


def _is_known(stage: Stage, delivery: Delivery, pseudonym: str) -> bool:
    site = stage.sites[delivery.site.code]
    return Scan.objects.filter(site=site, subject__pseudonym=code_of(stage, pseudonym)).exists()


def _count_ready(stage: Stage) -> int:
    return Scan.objects.filter(campaign_scans__campaign=stage.campaign, state=ScanState.READY).count()
