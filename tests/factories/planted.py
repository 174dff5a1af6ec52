"""A planted fault beside ordinary readings."""

from annotation.reviews.models import PlantedFault, ReviewRound
from annotation.reviews.planting import plant_beside
from tests.factories.gold import approved, read, set_policy
from tests.factories.world import World, make_scan, publish


def handed_in(world: World, count: int = 3) -> list[ReviewRound]:
    """Readings of `annotator` that wait for a review, of site a."""
    for seed in range(20, 20 + count):
        make_scan(world, "a", seed=seed)
    batch = publish(world, size=count)
    rows = batch.assignments.select_related("scan__site", "campaign").order_by("position")
    for row in rows:
        read(world, row, "annotator")
    return list(ReviewRound.objects.filter(annotation__in=rows).order_by("created_at"))


def planted(world: World, count: int = 3) -> tuple[PlantedFault, list[ReviewRound]]:
    """A fault for `reviewer2` in a scan that `reviewer` approved, beside `count` ordinary hand-ins."""
    approved(world, 6)
    set_policy(world.campaign, planted_share=0.2)
    rounds = handed_in(world, count)
    made = plant_beside(rounds[0])
    assert made is not None
    return made, rounds
