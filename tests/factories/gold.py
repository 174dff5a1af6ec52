"""Gold scans, their readers, and certifications."""

from uuid import uuid4

import numpy as np

from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.reviews.gold import make_gold
from annotation.reviews.models import GoldScan
from annotation.reviews.services import submit_assignment
from annotation.reviews.trials import hand_in_trial
from annotation.work.models import Assignment, Campaign
from tests.factories.world import SHAPE, World, approve, ball, label, publish
from voxloop.volume.labelmap import encode_message, split_labelmap


def approved(world: World, count: int = 1, *, who: str = "annotator") -> list[Assignment]:
    """Scans with an approved mask: the ball."""
    rows = list(publish(world, to=who, size=count).assignments.select_related("scan__site", "campaign"))
    for row in rows:
        label(world, row, who=who)
        approve(world, row, who=who)
    return rows


def golden(world: World, count: int = 1, *, certifies: bool = False, who: str = "annotator") -> list[GoldScan]:
    """Gold scans made of approved masks."""
    return [
        make_gold(campaign=world.campaign, scan_id=row.scan_id, actor=world["coordinator"], certifies=certifies)
        for row in approved(world, count, who=who)
    ]


def set_policy(campaign: Campaign, **values: object) -> None:
    """Change policies of the campaign."""
    for name, value in values.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=list(values))


def draw_ball(world: World, row: Assignment, who: str, radius: float) -> None:
    """Open, draw a ball of this radius in voxels (0: nothing) and answer."""
    begin(assignment_id=row.pk, actor=world[who])
    if radius:
        labels = ball(SHAPE, radius).astype(np.uint8)
        message = encode_message("findings", SHAPE, split_labelmap(labels), [{"id": str(uuid4()), "tool": "sphere"}])
        save_message(
            assignment_id=row.pk, layer="findings", message=message, if_match=EMPTY, key=uuid4(), actor=world[who]
        )
    values = {"diagnosis": "covid19" if radius else "no_signs", "quality": "good"}
    if not radius:
        values["confirmed_empty"] = True  # type: ignore[assignment]
    save_answers(assignment_id=row.pk, values=values, actor=world[who])


def read(world: World, row: Assignment, who: str, radius: float = 9.0) -> None:
    """Draw a ball and hand in."""
    draw_ball(world, row, who, radius)
    if row.stage == Assignment.Stage.CERTIFICATION:
        hand_in_trial(assignment_id=row.pk, actor=world[who], acknowledged=["mask_outside_lung"])
    else:
        submit_assignment(assignment_id=row.pk, actor=world[who], acknowledged=["mask_outside_lung"])
