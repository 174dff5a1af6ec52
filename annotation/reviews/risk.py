"""Risk that a submitted mask needs correction, with reasons as text."""

from collections.abc import Mapping

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.selectors import amount_of
from annotation.masks.store import load_labels
from annotation.reviews.interlocks import Interlock
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from voxloop.volume.agreement import dice
from voxloop.volume.labelmap import strip_erased


def assess(
    *,
    scan: Scan,
    masks: Mapping[str, MaskRevision | None],
    starts: Mapping[str, MaskRevision | None],
    warnings: list[Interlock],
    number: int,
    is_first_batch: bool,
) -> tuple[int, list[str]]:
    """A risk from 0 to 100 and its reasons. Gold scores and planted faults are not used: they would unblind the
    reviewer."""
    risk, reasons = 10, []
    if number > 1:
        risk += 25
        reasons.append("returned before")
    for warning in warnings:
        risk += 30
        reasons.append(warning.message.rstrip(".").lower())
    if is_first_batch:
        risk += 10
        reasons.append("first batch of the author")
    for layer, revision in masks.items():
        start = starts.get(layer)
        amount = amount_of(revision, scan)
        if start is None:
            continue
        before = amount_of(start, scan)
        if revision is not None and revision.content_hash == start.content_hash:
            risk += 15 if before > 0 else 0
            reasons.append("as the model made it")
            continue
        shape_zyx = ready_volume(scan).shape_zyx
        agreement = dice(
            strip_erased(load_labels(revision, shape_zyx)) > 0,
            strip_erased(load_labels(start, shape_zyx)) > 0,
        )
        if amount == 0 and before > 1:
            risk += 35
            reasons.append(f"empty, model sees {before:.1f} {geometry_of(scan).unit}")
        elif agreement is not None and agreement < 0.7:
            risk += round(40 * (0.7 - agreement))
            reasons.append(f"far from prediction, Dice {agreement:.2f}")
    return min(100, risk), reasons
