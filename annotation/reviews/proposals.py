"""What a reader made of the lesions that a model proposed, judged when the work is handed in."""

from collections.abc import Mapping

from annotation.masks.models import Head, MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.store import load_labels
from annotation.reviews.interlocks import Interlock
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, SeenPolicy
from voxloop.volume.proposals import Fate, Judged, judge_lesions

JudgedLayers = Mapping[str, list[Judged] | None]  # by layer; None where the work began without a prediction


def judge_proposed(heads: Mapping[str, Head], scan: Scan) -> dict[str, list[Judged] | None]:
    """The lesions of every layer with a head, and what became of each. Raises Damaged."""
    return {layer: _judge(head, scan) for layer, head in heads.items()}


def check_proposed(assignment: Assignment, judged: JudgedLayers) -> list[Interlock]:
    """`lesions_undecided` where proposed lesions are as the model made them and nobody said anything about them, as a
    warning or blocking; nothing where the campaign does not ask."""
    policy = assignment.campaign.proposed_policy
    if policy == SeenPolicy.OFF:
        return []
    geometry = geometry_of(assignment.scan)
    found = []
    for lesions in judged.values():
        left = [lesion for lesion in lesions or () if lesion.fate == Fate.LEFT]
        if left:
            proposed = sum(lesion.fate != Fate.NEW for lesion in lesions or ())
            amount = geometry.amount(sum(lesion.proposed for lesion in left))
            message = (
                f"{len(left)} of {proposed} lesions that the model proposed {'is' if len(left) == 1 else 'are'} "
                f"undecided ({amount:.1f} {geometry.unit}): accept, change or drop each."
            )
            blocking = policy == SeenPolicy.BLOCK
            found.append(Interlock("lesions_undecided", message, blocking=blocking, jump={"ijk": left[0].ijk}))
    return found


def _judge(head: Head, scan: Scan) -> list[Judged] | None:
    if head.start is None or head.start.kind != MaskRevision.Kind.PREDICTION:
        return None
    shape_zyx = ready_volume(scan).shape_zyx
    accepted = [(i, j, k) for _, i, j, k, holds in head.revision.accepted if holds]
    return judge_lesions(load_labels(head.start, shape_zyx), load_labels(head.revision, shape_zyx), accepted)
