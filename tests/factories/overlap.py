"""Scans with several independent readers."""

from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment, Campaign
from annotation.work.services import claim_assignment
from tests.factories.world import World, label, publish
from voxloop.accounts.models import User


def overlap(campaign: Campaign, share: float = 1.0, readers: int = 2) -> None:
    """From now on so many new scans of a batch have so many readers."""
    campaign.overlap_share, campaign.overlap_readers = share, readers
    campaign.save(update_fields=["overlap_share", "overlap_readers"])


def read_twice(world: World, *, scans: int = 1) -> list[tuple[Assignment, Assignment]]:
    """Scans handed in by `annotator` and `annotator2`, who drew the same."""
    overlap(world.campaign)
    batch = publish(world, to=None, size=2 * scans)
    for who in ("annotator", "annotator2"):
        while row := claim_assignment(actor=world[who]):
            hand_in(world, row, who)
    rows = list(batch.assignments.filter(stage="annotation").select_related("scan").order_by("scan__code", "reader"))
    return list(zip(rows[::2], rows[1::2], strict=True))


def hand_in(world: World, row: Assignment, who: str, *, is_empty: bool = False) -> None:
    label(world, row, who=who, is_empty=is_empty)
    submit_assignment(assignment_id=row.pk, actor=world[who], acknowledged=["mask_outside_lung"])


def claim_all(person: User) -> list[Assignment]:
    """Claim until nothing is left for the person."""
    found = []
    while row := claim_assignment(actor=person):
        found.append(row)
    return found
