"""What a reader made of the lesions that a model proposed, counted when the work is handed in."""

from dataclasses import asdict

from annotation.masks.models import Head, MaskRevision
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from voxloop.volume.proposals import fates


def count_fates(head: Head | None, scan: Scan) -> dict[str, int] | None:
    """Accepted, changed, dropped, left and new lesions of one layer; None where the work began without a prediction."""
    start = head.start if head is not None else None
    if head is None or start is None or start.kind != MaskRevision.Kind.PREDICTION:
        return None
    shape_zyx = ready_volume(scan).shape_zyx
    accepted = [(i, j, k) for _, i, j, k, holds in head.revision.accepted if holds]
    return asdict(fates(load_labels(start, shape_zyx), load_labels(head.revision, shape_zyx), accepted))
