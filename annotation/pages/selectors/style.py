"""The style of one annotator: how they mark beside the panel, by readings that measured them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.learning.estimates import Estimate, mean_of
from annotation.reviews.models import StyleReading
from annotation.scans.states import ScanState
from annotation.work.models import Campaign
from annotation.work.schema import parse_schema
from annotation.work.selectors import visible_scans
from voxloop.accounts.models import User
from voxloop.volume.agreement import Interval, cohen_kappa, share_of

ENOUGH = 10  # scans; fewer are a chance more than a style
LEAST_TOLD, LEAST_HU = 0.1, 5.0  # mL or mm, HU; a smaller figure is no matter, however sure
ENDS = ("Lower end (5 % of the voxels)", "Middle", "Upper end (95 %)")


@dataclass(frozen=True)
class HuRow:
    """One percentile: the person's and the panel's mean over scans of which both marked something, in HU."""

    name: str
    own: float
    panel: float
    apart: Estimate


@dataclass(frozen=True)
class OnQuestion:
    """Answers that are those of the panel, with the exact 95 % interval; kappa for choices."""

    text: str
    same: int
    asked: int
    share: Interval
    kappa: float | None


@dataclass(frozen=True)
class Style:
    """All of it. `volume_ml` and `offset_mm` are means of person minus panel."""

    readings: Sequence[StyleReading]
    volume_ml: Estimate | None
    offset_mm: Estimate | None
    hu: Sequence[HuRow]
    questions: Sequence[OnQuestion]

    @property
    def missing(self) -> int:
        """How many scans are missing until the profile says something."""
        return max(0, ENOUGH - len(self.readings))

    @property
    def asked(self) -> int:
        """Answers that there is one of the panel for."""
        return sum(one.asked for one in self.questions)

    @property
    def same(self) -> int:
        """How many of them are the panel's."""
        return sum(one.same for one in self.questions)

    @property
    def share(self) -> float | None:
        return self.same / self.asked if self.asked else None

    @property
    def words(self) -> list[str]:
        """What the intervals show, in sentences; an interval that holds 0 shows nothing."""
        found = []
        for figure, unit, more, less in (
            (self.volume_ml, "mL", "Marks more than the panel", "Marks less than the panel"),
            (self.offset_mm, "mm", "Draws outside the panel's border", "Draws inside the panel's border"),
        ):
            if figure is not None and figure.is_shown and abs(figure.value) >= LEAST_TOLD:
                found.append(f"{more if figure.value > 0 else less}: {abs(figure.value):.1f} {unit} on average.")
        for row, what in zip(self.hu, ("faintest", "", "densest"), strict=False):
            if what and row.apart.is_shown and abs(row.apart.value) >= LEAST_HU:
                word = "higher" if row.apart.value > 0 else "lower"
                found.append(f"The {what} that is marked is {abs(row.apart.value):.0f} HU {word} than the panel's.")
        return found


def style_readings(user: User, campaign: Campaign, person: User) -> list[StyleReading]:
    """The measured readings of a person, of scans that `user` may see, in the order of handing in."""
    return list(
        StyleReading.objects.filter(
            campaign=campaign,
            assignment__person=person,
            assignment__scan__in=visible_scans(user),
            assignment__scan__state=ScanState.READY,
        )
        .select_related("assignment__scan__site", "assignment__batch")
        .order_by("handed_in_at")
    )


def style_of(campaign: Campaign, readings: Sequence[StyleReading]) -> Style:
    """The profile of these readings."""
    return Style(
        readings,
        mean_of([one.drawn_ml - one.reference_ml for one in readings]),
        mean_of([one.offset_mm for one in readings if one.offset_mm is not None]),
        _hu(readings),
        _questions(campaign, readings),
    )


def _hu(readings: Sequence[StyleReading]) -> list[HuRow]:
    both = [(one.hu, one.reference_hu) for one in readings if one.hu and one.reference_hu]
    rows = []
    for at, name in enumerate(ENDS):
        own, panel = [mine[at] for mine, _ in both], [theirs[at] for _, theirs in both]
        apart = mean_of([mine - theirs for mine, theirs in zip(own, panel, strict=True)])
        if apart is not None:
            rows.append(HuRow(name, sum(own) / len(own), sum(panel) / len(panel), apart))
    return rows


def _questions(campaign: Campaign, readings: Sequence[StyleReading]) -> list[OnQuestion]:
    found = []
    for question in parse_schema(campaign.schema.definition).questions:
        if question.kind not in ("choice", "boolean"):
            continue
        pairs = [one.answers[question.key] for one in readings if question.key in one.answers]
        if not pairs:
            continue
        same = sum(mine == theirs for mine, theirs in pairs)
        found.append(
            OnQuestion(question.text, same, len(pairs), share_of(same, len(pairs)), _kappa(pairs, len(pairs) >= ENOUGH))
        )
    return found


def _kappa(pairs: Sequence[Sequence[Any]], is_enough: bool) -> float | None:
    return cohen_kappa([mine for mine, _ in pairs], [theirs for _, theirs in pairs]) if is_enough else None


HEAD = (
    *("person", "against", "scan", "site", "batch", "drawn_ml", "panel_ml", "difference_ml", "border_offset_mm"),
    *("hu_5", "hu_50", "hu_95", "panel_hu_5", "panel_hu_50", "panel_hu_95", "answers_same", "answers", "handed_in_utc"),
)


def table_of(person: User, readings: Sequence[StyleReading]) -> list[tuple[object, ...]]:
    """One row of `HEAD` for each reading."""
    figure: Callable[[float | None], str] = lambda value: "" if value is None else f"{value:.3f}"  # noqa: E731
    return [
        (
            *(person.username, one.against, one.assignment.scan.code, one.assignment.scan.site.code),
            *(one.assignment.batch.name, figure(one.drawn_ml), figure(one.reference_ml)),
            *(figure(one.drawn_ml - one.reference_ml), figure(one.offset_mm)),
            *(figure(value) for value in (one.hu or [None] * 3)),
            *(figure(value) for value in (one.reference_hu or [None] * 3)),
            *(sum(mine == theirs for mine, theirs in one.answers.values()), len(one.answers)),
            one.handed_in_at.isoformat(),
        )
        for one in readings
    ]
