"""Decide about a model version: the gate's verdict, a person's promotion or rejection, the roll-back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.permissions import require_trainer
from annotation.learning.selectors import BROUGHT, previous_champion, visible_models
from annotation.learning.states import (
    MODEL_VERSION,
    PROMOTED_WITH_REASON,
    TRAINING_RUN,
    ModelState,
    RunState,
)
from annotation.scans.states import ScanState
from annotation.work.models import Campaign, CampaignScan
from mlservice.contract import Outcome, Verdict
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.accounts.models import User
from voxloop.audit.services import advance
from voxloop.jobs.models import Job
from voxloop.jobs.services import enqueue
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, NotFound

AT_FAULT = {Verdict.HOLD_BACK: Outcome.FAILS, Verdict.UNDECIDED: Outcome.UNCLEAR}


@transaction.atomic
def decide(*, model: ModelVersion, gate: Mapping[str, Any], actor: Actor = SystemActor.WORKER) -> ModelVersion:
    """Apply the gate's verdict: hold back, leave to a person, or promote if the campaign promotes automatically. A
    model that was brought is promoted by a person alone."""
    verdict = Verdict(gate["verdict"])
    if verdict == Verdict.PROMOTE:
        if model.campaign.promotes_by_itself and model.run.trigger != BROUGHT:
            _promote(model, actor, "the gate passed")
        return model
    said = [rule["sentence"] for rule in gate["rules"] if rule["outcome"] == AT_FAULT[verdict]]
    why = " ".join(said) or f"the gate says {verdict}"
    if verdict == Verdict.HOLD_BACK:
        _move(model, ModelState.REJECTED, RunState.REJECTED, actor, why)
    else:
        _move(model, ModelState.UNDECIDED, RunState.UNDECIDED, actor, why)
    return model


@transaction.atomic
def leave_to_a_person(*, model: ModelVersion, why: str) -> ModelVersion:
    """What the gate said no longer counts, because it compared with a model that no longer serves."""
    _move(model, ModelState.UNDECIDED, RunState.UNDECIDED, SystemActor.WORKER, why)
    return model


@transaction.atomic
def promote_model(*, model_id: UUID, actor: User, why: str = "") -> ModelVersion:
    """Make a version the champion. A reason is needed unless it passed the gate. Raises NotFound, Forbidden,
    Conflict."""
    model = _own(model_id, actor)
    if model.state in PROMOTED_WITH_REASON and not why.strip():
        raise Conflict(_ask_why(model), code="reason_required")
    _promote(model, actor, why.strip())
    return model


@transaction.atomic
def reject_model(*, model_id: UUID, actor: User, why: str) -> ModelVersion:
    """Turn down a version that waits for a decision, with a reason. Raises NotFound, Forbidden, Conflict."""
    model = _own(model_id, actor)
    _move(model, ModelState.REJECTED, RunState.REJECTED, actor, why.strip())
    return model


@transaction.atomic
def roll_back(*, model_id: UUID, actor: User, why: str) -> ModelVersion:
    """Let the version serve again that served before this champion, with a reason; returns it.

    Raises NotFound, Forbidden, Conflict (`nothing_to_roll_back`, `reason_required`)."""
    model = _own(model_id, actor)
    Campaign.objects.select_for_update().get(pk=model.campaign_id)
    model.refresh_from_db(fields=["state"])
    before = previous_champion(model) if model.state == ModelState.CHAMPION else None
    if before is None:
        raise Conflict(
            f"No earlier champion can take over from {model}; promote a version instead.", code="nothing_to_roll_back"
        )
    if not why.strip():
        raise Conflict(_ask_why(before), code="reason_required")
    before = ModelVersion.objects.select_for_update().get(pk=before.pk)
    _promote(before, actor, why.strip())
    return before


def request_preannotation(*, model: ModelVersion, actor: Actor, again: bool = False) -> Job:
    """Enqueue pre-annotation of all unopened scans. Without new scans a second call returns the same job, unless
    `again`."""
    moment = now().isoformat() if again or not model.promoted_at else model.promoted_at.isoformat()
    scans = CampaignScan.objects.filter(campaign=model.campaign_id, scan__state=ScanState.READY).count()
    return enqueue(
        Job.Kind.PREANNOTATE,
        payload={"model": str(model.pk)},
        key=f"preannotate:{model.pk}:{moment}:{scans}",
        actor=actor if isinstance(actor, User) else None,
    )


def _own(model_id: UUID, actor: User) -> ModelVersion:
    """The version, locked, if the person may decide about it."""
    model = visible_models(actor).select_for_update(of=("self",)).filter(pk=model_id).first()
    if model is None:
        raise NotFound
    require_trainer(actor, model.campaign)
    return model


def _ask_why(model: ModelVersion) -> str:
    said = {
        ModelState.UNDECIDED: f"The gate left the decision about {model} to a person; give a reason for it.",
        ModelState.REJECTED: f"{model} was rejected; give a reason for using it anyway.",
    }
    return said.get(ModelState(model.state), f"Give a reason for going back to {model}.")


def _promote(model: ModelVersion, actor: Actor, why: str) -> None:
    Campaign.objects.select_for_update().get(pk=model.campaign_id)
    MODEL_VERSION.check(model.state, ModelState.CHAMPION)
    moment = now()
    for old in ModelVersion.objects.select_for_update().filter(campaign=model.campaign_id, state=ModelState.CHAMPION):
        said = f"{model} takes over: {why}" if why else f"{model} takes over"
        advance(old, ModelState.REPLACED, table=MODEL_VERSION, actor=actor, why=said, replaced_at=moment)
    person = actor if isinstance(actor, User) else None
    advance(
        model,
        ModelState.CHAMPION,
        table=MODEL_VERSION,
        actor=actor,
        why=why,
        promoted_at=moment,
        replaced_at=None,
        promoted_by=person,
    )
    run = TrainingRun.objects.select_for_update().get(pk=model.run_id)
    if run.state != RunState.PROMOTED:
        advance(run, RunState.PROMOTED, table=TRAINING_RUN, actor=actor, why=why)
    request_preannotation(model=model, actor=actor)


def _move(model: ModelVersion, state: ModelState, run_state: RunState, actor: Actor, why: str) -> None:
    run = TrainingRun.objects.select_for_update().get(pk=model.run_id)
    advance(model, state, table=MODEL_VERSION, actor=actor, why=why)
    advance(run, run_state, table=TRAINING_RUN, actor=actor, why=why)
