"""What was decided about a model version: the changes of its state, from the audit log."""

from dataclasses import dataclass
from datetime import datetime

from annotation.learning.models import ModelVersion
from annotation.learning.states import ModelState
from voxloop.audit.models import AuditEntry

WORDS: dict[str, str] = {
    ModelState.CHAMPION: "Promoted",
    ModelState.REPLACED: "Replaced",
    ModelState.REJECTED: "Rejected",
    ModelState.UNDECIDED: "Left to a person",
}


@dataclass(frozen=True)
class Decision:
    """One change of a version's state. `by` is empty where no person acted: the gate did."""

    at: datetime
    by: str
    what: str
    why: str


def list_decisions(model: ModelVersion) -> list[Decision]:
    """Every decision about a version, oldest first."""
    entries = AuditEntry.objects.filter(
        object_type=model._meta.label_lower, object_id=str(model.pk), action__startswith="model_version."
    ).order_by("id")
    return [
        Decision(
            entry.at,
            entry.actor_name if entry.actor_id is not None else "",
            WORDS.get((entry.new or {}).get("state", ""), entry.action),
            entry.why,
        )
        for entry in entries
    ]
