"""Models that were made elsewhere: checked in a bounded child, measured on the hold-out, judged like every challenger,
and promoted by a person alone."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from annotation.intake.uploads import discard_unwanted_upload, fetch_upload, keep_upload
from annotation.learning.folders import job_folder, read_model
from annotation.learning.manifest import freeze_manifest
from annotation.learning.models import TrainingRun
from annotation.learning.permissions import require_trainer
from annotation.learning.running import begin_run, conclude, enter_evaluation, evaluate, outcome_of, write_inputs
from annotation.learning.selectors import BROUGHT, IN_PROGRESS, champion_of
from annotation.learning.services import create_run, lock_for_run
from annotation.learning.stages import run_stage
from annotation.work.models import Campaign
from mlservice.contract import CheckRequest, CheckResult, Segment
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.child import Bounds
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.running import Claim
from voxloop.kernel.errors import TooLarge
from voxloop.storage.store import open_store

SUFFIX = ".zip"
ASK = "Send a model as one zip: the folder that Voxloop packs, or model.onnx with its description."
MOST_BYTES = 2 << 30
# The child reads bytes that nobody trusts. Address space, with the libraries of torch in it.
BOUNDS = Bounds(memory_bytes=16 << 30, cpu_s=1200, file_bytes=2 << 30)
TIMEOUT_S = 1200.0


def bring_model(*, campaign: Campaign, actor: User, upload: Any) -> TrainingRun:
    """Store an uploaded model and enqueue its check and evaluation; the run is an ordinary one that trains nothing.

    Raises Forbidden, Invalid (`unknown_file`), TooLarge, NoSpace, StorageAway, Damaged, and Conflict while another run
    is in progress."""
    require_trainer(actor, campaign)
    require_room()
    if upload.size > MOST_BYTES:
        raise TooLarge(f"A model holds at most {MOST_BYTES >> 20} MiB.")
    key, suffix = keep_upload(upload, (SUFFIX,), ASK)
    try:
        return _ask(campaign, actor, key, suffix, upload.size)
    except BaseException:
        discard_unwanted_upload(key)
        raise


@transaction.atomic
def _ask(campaign: Campaign, actor: User, key: str, suffix: str, size: int) -> TrainingRun:
    campaign, number = lock_for_run(campaign)
    manifest = freeze_manifest(campaign, profile=BROUGHT, seed=number)
    # Nothing is learned here: the list holds what the model is measured on.
    manifest["items"] = [item for item in manifest["items"] if item["split"] == "validation"]
    manifest["brought"] = {"sha256": key.rpartition("/")[2], "bytes": size}
    run = create_run(
        campaign=campaign,
        number=number,
        manifest=manifest,
        trigger=BROUGHT,
        actor=actor,
        kind=Job.Kind.BRING_MODEL,
        payload={"upload": key, "suffix": suffix, "bytes": size},
    )
    record(actor=actor, action="model.brought", target=run, new={**manifest["brought"], "manifest": run.manifest_hash})
    return run


def run_bringing(held: Claim) -> dict[str, Any]:
    """Carry out a `bring_model` job. Raises Conflict with the code of what is wrong with the model."""
    run = begin_run(held)
    if run.state not in IN_PROGRESS:
        return outcome_of(run)
    with job_folder(held) as folder:
        checked = _check(run, folder, held)
        model_folder = folder / "check" / checked.model
        _, held_out = write_inputs(run, folder / "scans", held)
        enter_evaluation(run, held)
        champion = champion_of(run.campaign)
        result = evaluate(run, model_folder, champion, held_out, folder, held)
        held.report(97, "Storing the model")
        weights_key, card = read_model(model_folder, open_store(settings.STORAGE_URL))
    facts = {
        "seconds": checked.seconds,
        "parameters": checked.parameters,
        "device": "cpu",
        "form": checked.form,
        "notes": list(checked.notes),
    }
    return conclude(held, run, weights_key, card, facts, [], result, champion)


def _check(run: TrainingRun, folder: Path, held: Claim) -> CheckResult:
    path = fetch_upload(held.job.payload, folder / "upload")
    segments = tuple(Segment(segment["id"], segment["key"]) for segment in run.manifest["segments"])
    request = CheckRequest(str(path), segments, settings.TRAIN_CPU_THREADS)
    checked = run_stage(
        "check",
        request,
        CheckResult,
        folder=folder / "check",
        held=held,
        span=(0, 60),
        bounds=BOUNDS,
        timeout_s=TIMEOUT_S,
        has_gpu=False,
    )
    path.unlink()
    return checked
