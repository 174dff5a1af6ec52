"""What the independent readers of a scan say together: their masks as handed in, and a consensus of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.masks.consensus import store_consensus
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, Campaign
from annotation.work.schema import Layer
from annotation.work.states import AssignmentState
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict
from voxloop.volume.agreement import majority, staple_labels
from voxloop.volume.labelmap import strip_erased
from voxloop.volume.labelmap.chunks import Labels

RULES = {"majority": majority, "staple": staple_labels}


@dataclass(frozen=True)
class Reading:
    """What one reader of a scan handed in last; `mask` None: nothing was drawn."""

    round: ReviewRound
    mask: MaskRevision | None


def readings_of(campaign: Campaign, scan: Scan, layer: Layer) -> list[Reading]:
    """The readings of the panel of a scan, by their number: never those that measure their reader, nor unfinished
    ones."""
    rounds = (
        ReviewRound.objects.filter(
            annotation__campaign=campaign,
            annotation__scan=scan,
            annotation__stage=Assignment.Stage.ANNOTATION,
            annotation__is_gold=False,
        )
        .exclude(state__in=[RoundState.TAKEN_BACK, RoundState.WITHDRAWN])
        .select_related("annotation", "author")
        .order_by("created_at")
    )
    newest = {found.annotation.reader: found for found in rounds}
    masks = {
        row.round_id: row.submitted
        for row in RoundMask.objects.filter(round__in=newest.values(), layer=layer.name).select_related("submitted")
    }
    return [Reading(newest[number], masks.get(newest[number].pk)) for number in sorted(newest)]


def labels_of(reading: Reading, scan: Scan) -> Labels:
    """Labels of a reading, erased voxels as background. Raises Damaged."""
    return strip_erased(load_labels(reading.mask, ready_volume(scan).shape_zyx))


def make_consensus(
    *,
    campaign: Campaign,
    scan: Scan,
    layer: Layer,
    rule: str,
    actor: User,
    assignment: Assignment | None = None,
) -> MaskRevision:
    """The readers' masks put together by `majority` or `staple`, as a new revision that names them.

    Raises Conflict (`no_consensus`) for fewer than two readings, Damaged."""
    readings = readings_of(campaign, scan, layer)
    if len(readings) < 2:
        raise Conflict(f"{scan.code} has no two readings to make a consensus of.", code="no_consensus")
    return store_consensus(
        scan=scan,
        layer=layer,
        labels_zyx=RULES[rule]([labels_of(reading, scan) for reading in readings]),
        actor=actor,
        source={"way": rule, "readings": named(readings)},
        assignment=assignment,
    )


def named(readings: Sequence[Reading]) -> list[str | None]:
    """Their revisions, as the source of a consensus holds them; None: an empty mask."""
    return [str(one.mask.pk) if one.mask else None for one in readings]


TITLES = {"majority": "Majority of the readers", "staple": "STAPLE of the readers"}


def list_versions(assignment: Assignment, layer: Layer) -> list[tuple[str, str, MaskRevision | None]]:
    """What an arbitrator compares: every reading by a letter, without names, and a consensus by each rule."""
    readings = readings_of(assignment.campaign, assignment.scan, layer)
    first, *others = [("Reader " + "ABCDEFGHIJKLMNOP"[n], reading.mask) for n, reading in enumerate(readings)]
    found = [("author", *first), *((f"reader-{n}", *other) for n, other in enumerate(others, start=2))]
    made = MaskRevision.objects.filter(assignment=assignment, layer=layer.name, kind=MaskRevision.Kind.CONSENSUS)
    for revision in made.order_by("created_at"):
        way = (revision.source or {}).get("way", "")
        if way in TITLES and assignment.state == AssignmentState.OPEN:
            found.append((f"consensus-{way}", TITLES[way], revision))
    return found
