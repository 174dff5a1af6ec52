"""How sensitive reviewers are to faults that were planted in their queue."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.pages.templatetags.figures import DASH
from annotation.reviews.models import PlantedFault
from annotation.reviews.states import RoundState
from annotation.work.models import Campaign, CampaignMember
from annotation.work.selectors import visible_scans
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.volume.agreement import Interval, share_of
from voxloop.volume.faults import Fault

MENDED = 0.5  # of a fault, from which on a correction has found it
KINDS: dict[str, str] = {
    Fault.PART_REMOVED: "Lobe or largest lesion removed",
    Fault.LESION_MISSED: "Lesion missed",
    Fault.LEAK: "Leak into a vessel or the chest wall",
    Fault.SHIFTED: "Shifted by 5 mm",
    Fault.WRONG_SIDE: "Wrong side",
    Fault.CLASS_SWAPPED: "Class swapped",
}


@dataclass(frozen=True)
class Reading:
    """A planted reading that was judged. `is_found` is None until a correction is measured, a minute later."""

    fault: PlantedFault
    is_found: bool | None

    @property
    def what(self) -> str:
        return KINDS[self.fault.kind]

    @property
    def outcome(self) -> str:
        return {None: "not measured yet", True: "found", False: "missed"}[self.is_found]


@dataclass(frozen=True)
class Tally:
    """Faults found of those judged, and the share with its exact 95 % interval; None of nothing."""

    found: int
    judged: int

    @property
    def words(self) -> str:
        return f"{self.found} of {self.judged}" if self.judged else DASH

    @property
    def missed(self) -> int:
        return self.judged - self.found

    @property
    def share(self) -> Interval | None:
        return share_of(self.found, self.judged) if self.judged else None


@dataclass(frozen=True)
class Reviewer:
    """A reviewer: all kinds together, and each kind in the order of `KINDS`. `waiting` is hidden from themselves."""

    person: User
    all: Tally
    kinds: Sequence[tuple[str, Tally]]
    waiting: int | None


@dataclass(frozen=True)
class Found:
    """Everything on the page."""

    reviewers: Sequence[Reviewer]
    kinds: Sequence[tuple[str, Tally]]
    all: Tally
    readings: Sequence[Reading]


def judge(fault: PlantedFault) -> bool | None:
    """Whether the verdict found the fault: returned, or corrected so that half of it and more is mended."""
    if fault.round.state == RoundState.RETURNED:
        return True
    if fault.round.state == RoundState.APPROVED:
        return False
    return None if fault.restored is None else fault.restored >= MENDED


def judged_faults(user: User, campaign: Campaign) -> list[Reading]:
    """Planted readings with a verdict, of scans that the person may see, by its time."""
    rows = (
        PlantedFault.objects.filter(
            campaign=campaign,
            round__state__in=[RoundState.APPROVED, RoundState.CORRECTED, RoundState.RETURNED],
            source__annotation__scan__in=visible_scans(user),
        )
        .select_related("reviewer", "round__annotation__batch", "round__annotation__scan__site")
        .order_by("round__ended_at")
    )
    return [Reading(row, judge(row)) for row in rows]


def reviewers_page(user: User, campaign: Campaign) -> Found:
    """The sensitivity of each reviewer, of each kind of fault, and of both."""
    readings = judged_faults(user, campaign)
    people = {
        row.user_id: row.user
        for row in CampaignMember.objects.filter(campaign=campaign, role=Role.REVIEWER).select_related("user")
    } | {one.fault.reviewer_id: one.fault.reviewer for one in readings}
    waiting = PlantedFault.objects.filter(
        campaign=campaign, round__state__in=[RoundState.PENDING, RoundState.CLAIMED]
    ).values_list("reviewer_id", flat=True)
    held = list(waiting)
    reviewers = []
    for pk, person in sorted(people.items(), key=lambda one: one[1].username):
        own = [one for one in readings if one.fault.reviewer_id == pk]
        reviewers.append(Reviewer(person, _tally(own), _by_kind(own), None if pk == user.pk else held.count(pk)))
    return Found(reviewers, _by_kind(readings), _tally(readings), readings)


def _tally(readings: Sequence[Reading]) -> Tally:
    known = [one.is_found for one in readings if one.is_found is not None]
    return Tally(sum(known), len(known))


def _by_kind(readings: Sequence[Reading]) -> list[tuple[str, Tally]]:
    return [(name, _tally([one for one in readings if one.fault.kind == kind])) for kind, name in KINDS.items()]
