"""States of training runs, model versions and pre-annotations."""

from django.db.models import TextChoices

from voxloop.kernel.states import StateTable


class RunState(TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    CANDIDATE = "candidate"  # passed the gate
    UNDECIDED = "undecided"  # the gate leaves it to a person
    PROMOTED = "promoted"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


TRAINING_RUN = StateTable.of(
    "training run",
    RunState.QUEUED,
    {
        RunState.QUEUED: {RunState.RUNNING, RunState.FAILED, RunState.CANCELLED, RunState.LOST},
        RunState.RUNNING: {RunState.RUNNING, RunState.EVALUATING, RunState.FAILED, RunState.CANCELLED, RunState.LOST},
        RunState.EVALUATING: {RunState.RUNNING, RunState.CANDIDATE, RunState.FAILED, RunState.CANCELLED, RunState.LOST},
        RunState.CANDIDATE: {RunState.PROMOTED, RunState.REJECTED, RunState.UNDECIDED},
        RunState.UNDECIDED: {RunState.PROMOTED, RunState.REJECTED},
        RunState.REJECTED: {RunState.PROMOTED},  # a person overrules the gate, or another person
    },
    needs_reason=(RunState.UNDECIDED, RunState.REJECTED),
)


class ModelState(TextChoices):
    CANDIDATE = "candidate"  # passed the gate
    UNDECIDED = "undecided"  # the gate leaves it to a person
    CHAMPION = "champion"
    REPLACED = "replaced"
    REJECTED = "rejected"


MODEL_VERSION = StateTable.of(
    "model version",
    ModelState.CANDIDATE,
    {
        ModelState.CANDIDATE: {ModelState.CHAMPION, ModelState.REJECTED, ModelState.UNDECIDED},
        ModelState.UNDECIDED: {ModelState.CHAMPION, ModelState.REJECTED},
        ModelState.CHAMPION: {ModelState.REPLACED},
        ModelState.REPLACED: {ModelState.CHAMPION},
        ModelState.REJECTED: {ModelState.CHAMPION},
    },
    needs_reason=(ModelState.UNDECIDED, ModelState.REJECTED, ModelState.REPLACED),
)

# Promoted from these by a person only, with a reason.
PROMOTED_WITH_REASON = (ModelState.UNDECIDED, ModelState.REJECTED, ModelState.REPLACED)
WAITING_FOR_A_PERSON = (ModelState.CANDIDATE, ModelState.UNDECIDED)


class PreAnnotationState(TextChoices):
    REQUESTED = "requested"
    READY = "ready"
    USED = "used"
    DISCARDED = "discarded"


PRE_ANNOTATION = StateTable.of(
    "pre-annotation",
    PreAnnotationState.REQUESTED,
    {
        PreAnnotationState.REQUESTED: {PreAnnotationState.READY, PreAnnotationState.DISCARDED},
        PreAnnotationState.READY: {PreAnnotationState.USED, PreAnnotationState.DISCARDED},
    },
)
