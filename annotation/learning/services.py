"""Start, cancel and stop training runs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from annotation.learning.manifest import freeze_manifest, hash_manifest
from annotation.learning.models import TrainingRun
from annotation.learning.permissions import require_trainer
from annotation.learning.selectors import (
    BROUGHT,
    IN_PROGRESS,
    champion_of,
    count_new_approvals,
    runs_with,
    visible_runs,
)
from annotation.learning.states import TRAINING_RUN, RunState
from annotation.masks.models import MaskRevision
from annotation.masks.wholeness import check_masks
from annotation.scans.models import Scan
from annotation.work.models import Campaign, TrainStart
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.audit.services import advance, record
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.services import cancel, enqueue
from voxloop.jobs.states import JobState
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, NoSpace, NotFound

FEWEST_SCANS = 2


@transaction.atomic
def request_training(*, campaign: Campaign, actor: Actor, trigger: str = "person") -> TrainingRun:
    """Freeze the currently approved masks and enqueue a run. `actor` is a coordinator, or "system" for the beat.

    Raises Conflict while another run of the campaign is in progress, or when too little is approved; Damaged; NoSpace.
    """
    if isinstance(actor, User):
        require_trainer(actor, campaign)
    require_room()
    campaign, number = lock_for_run(campaign)
    manifest = freeze_manifest(campaign, profile=campaign.train_profile, seed=number) | _start_of(campaign)
    learned = [item for item in manifest["items"] if item["split"] == "train"]
    if len(learned) < FEWEST_SCANS or not any(item["revision"] for item in learned):
        raise Conflict(
            f"There are too few masks to learn from: {len(learned)} approved scans of training sites, "
            f"at least {FEWEST_SCANS} are needed and one of them must have a mask.",
            code="too_few_approved",
        )
    run = create_run(campaign=campaign, number=number, manifest=manifest, trigger=trigger, actor=actor)
    record(
        actor=actor,
        action="training.requested",
        target=run,
        new={"trigger": trigger, "scans": len(manifest["items"]), "manifest": run.manifest_hash},
    )
    return run


def lock_for_run(campaign: Campaign) -> tuple[Campaign, int]:
    """The campaign, locked, and the number of its next run. Raises Conflict `training_busy`."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    busy = TrainingRun.objects.filter(campaign=campaign, state__in=IN_PROGRESS).first()
    if busy is not None:
        raise Conflict(f"Training run {busy.number} is {busy.state}; wait for it or cancel it.", code="training_busy")
    return campaign, (TrainingRun.objects.filter(campaign=campaign).aggregate(top=Max("number"))["top"] or 0) + 1


def create_run(
    *,
    campaign: Campaign,
    number: int,
    manifest: dict[str, Any],
    trigger: str,
    actor: Actor,
    kind: Job.Kind = Job.Kind.TRAIN,
    payload: dict[str, Any] | None = None,
) -> TrainingRun:
    """A run of a frozen list with its job, within the caller's transaction. Raises Damaged."""
    revisions = [item["revision"] for item in manifest["items"] if item["revision"]]
    check_masks(MaskRevision.objects.filter(pk__in=revisions).select_related("scan"))
    run = TrainingRun.objects.create(
        campaign=campaign,
        number=number,
        trigger=trigger,
        requested_by=actor if isinstance(actor, User) else None,
        profile=manifest["profile"],
        seed=manifest["seed"],
        manifest=manifest,
        manifest_hash=hash_manifest(manifest),
    )
    run.job = enqueue(
        kind,
        payload={"run": str(run.pk), **(payload or {})},
        key=f"{kind}:{run.pk}",
        actor=actor if run.requested_by else None,
    )
    run.save(update_fields=["job"])
    return run


def retrain_when_due() -> int:
    """Start a run in every campaign with enough newly approved masks, or with any and a calendar that says so; answers
    how many. Called by beat."""
    started = 0
    for campaign in Campaign.objects.filter(is_paused=False):
        if TrainingRun.objects.filter(campaign=campaign, state__in=IN_PROGRESS).exists():
            continue
        trigger = _due(campaign)
        if not trigger or _failed_on_the_same(campaign):
            continue
        try:
            request_training(campaign=campaign, actor=SystemActor.SYSTEM, trigger=trigger)
        except (Conflict, NoSpace):
            continue  # too few are of training sites, a run was just started, or the disk is nearly full
        except Damaged as found:
            note_damage(found, noticed_by=SystemActor.TRAINING)
            continue
        started += 1
    return started


def _due(campaign: Campaign) -> str:
    """Why a training is due: "threshold", "calendar", or "" when it is not."""
    new = count_new_approvals(campaign)
    if new >= campaign.retrain_after:
        return "threshold"
    if not (new and campaign.retrain_every_days):
        return ""
    last = TrainingRun.objects.filter(campaign=campaign).exclude(trigger=BROUGHT).order_by("-number").first()
    since = last.created_at if last else campaign.created_at
    return "calendar" if now() - since >= timedelta(days=campaign.retrain_every_days) else ""


def _start_of(campaign: Campaign) -> dict[str, Any]:
    """What the frozen list says of the weights to begin with; nothing for random ones."""
    champion = champion_of(campaign) if campaign.train_start == TrainStart.CHAMPION else None
    if champion is None:
        return {}
    return {"start": {"model": str(champion.pk), "name": str(champion), "weights": champion.weights_key}}


def _failed_on_the_same(campaign: Campaign) -> bool:
    """Whether the newest run failed on the same approvals: an automatic retry would fail again."""
    last = TrainingRun.objects.filter(campaign=campaign).exclude(trigger=BROUGHT).order_by("-number").first()
    if last is None or last.state not in (RunState.FAILED, RunState.CANCELLED, RunState.LOST):
        return False
    fresh = freeze_manifest(campaign, profile=campaign.train_profile, seed=last.seed)
    return bool(fresh["items"] == last.manifest["items"])


@transaction.atomic
def cancel_training(*, run_id: UUID, actor: User) -> TrainingRun:
    """Stop a run; its worker notices within seconds."""
    run = visible_runs(actor).select_for_update(of=("self",)).filter(pk=run_id).first()
    if run is None:
        raise NotFound
    require_trainer(actor, run.campaign)
    if run.state not in IN_PROGRESS:
        raise Conflict(f"Training run {run.number} is {run.state} already.", code="state_conflict")
    if run.job is not None and run.job.state in (JobState.QUEUED, JobState.RUNNING):
        cancel(job_id=run.job.pk, actor=actor)
        run.refresh_from_db()
    if run.state in IN_PROGRESS:
        advance(
            run, RunState.CANCELLED, table=TRAINING_RUN, actor=actor, ended_at=now(), error=f"Cancelled by {actor}."
        )
    return run


def stop_learning(*, scan: Scan, actor: Actor) -> None:
    """Cancel a training that learns from a withdrawn scan (registered with `scans.services.on_withdrawn`)."""
    for run in runs_with(scan).filter(state__in=IN_PROGRESS).select_related("job"):
        if run.job is not None and run.job.state in (JobState.QUEUED, JobState.RUNNING):
            cancel(job_id=run.job.pk, actor=actor)
        else:
            why = f"{scan.code} was withdrawn"
            advance(run, RunState.CANCELLED, table=TRAINING_RUN, actor=actor, why=why, ended_at=now(), error=f"{why}.")
