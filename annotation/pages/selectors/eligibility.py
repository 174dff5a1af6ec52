"""The queue of eligibility: the scans of a campaign study by study, with what was judged and decided."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from annotation.scans.models import Scan, Subject
from annotation.work.eligibility.rules import ANOTHER_PICKED, CODES, NOT_PICKED
from annotation.work.models import Campaign, Eligibility
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from annotation.work.selectors import excluded, visible_scans
from voxloop.accounts.models import User

SHOWS: Mapping[str, Q] = {
    "": Q(),
    "pick": Q(exclusion=NOT_PICKED),
    "excluded": Q(is_eligible=False),
    "eligible": Q(is_eligible=True),
    "decided": ~Q(overruled="") | Q(is_picked=True),
}


@dataclass(frozen=True)
class Card:
    """A scan of a study. `planes` are its pictures with width : height."""

    row: Eligibility
    scan: Scan
    planes: Sequence[tuple[str, float]]
    facts: str
    can_pick: bool


@dataclass(frozen=True)
class Group:
    """The series of one study, side by side."""

    subject: Subject | None
    site: str
    cards: Sequence[Card]


def judged(user: User, campaign: Campaign) -> QuerySet[Eligibility]:
    """Judgements of the scans that the person may see; a withdrawn scan has none."""
    return Eligibility.objects.filter(campaign=campaign, scan__in=visible_scans(user))


def count_shows(user: User, campaign: Campaign) -> dict[str, int]:
    """How many scans each choice of the page shows, by its name."""
    return {name: judged(user, campaign).filter(wanted).count() for name, wanted in SHOWS.items()}


def count_codes(user: User, campaign: Campaign) -> list[tuple[str, str, int]]:
    """Code, words and count of what excludes scans, the most frequent first."""
    found = Counter(judged(user, campaign).filter(is_eligible=False).values_list("exclusion", flat=True))
    return [(code, CODES.get(code, code), count) for code, count in found.most_common()]


def find_studies(user: User, campaign: Campaign, wanted: Mapping[str, str]) -> list[UUID]:
    """Studies with a scan that the address asks for (`show`, `code`), in the order of their first scan's code."""
    rows = judged(user, campaign).filter(SHOWS.get(wanted.get("show", ""), Q()))
    if code := wanted.get("code", ""):
        rows = rows.filter(exclusion=code)
    found = rows.order_by("scan__code").values_list("scan__series__study", flat=True)
    return list(dict.fromkeys(study for study in found if study is not None))


def groups_of(user: User, campaign: Campaign, studies: Iterable[UUID]) -> list[Group]:
    """Every judged series of these studies, in their order."""
    order = list(studies)
    rows = judged(user, campaign).filter(scan__series__study__in=order)
    rows = rows.select_related("scan__site", "scan__subject", "scan__series", "overruled_by").defer("scan__index")
    by_study: dict[UUID, list[Eligibility]] = {study: [] for study in order}
    for row in rows.order_by("scan__code"):
        if row.scan.series is not None:
            by_study[row.scan.series.study_id].append(row)
    return [
        Group(found[0].scan.subject, found[0].scan.site.code, [_card(row) for row in found])
        for found in by_study.values()
        if found
    ]


def excluded_in(campaign: Campaign, scans: Iterable[Any]) -> list[tuple[Scan, str]]:
    """Which of these scans are excluded, and why in words."""
    rows = excluded(campaign).filter(scan__in=list(scans)).select_related("scan").order_by("scan__code")
    return [(row.scan, CODES.get(row.exclusion, row.exclusion)) for row in rows]


def judgements_of(user: User, scan: Scan) -> list[Eligibility]:
    """What the campaigns that the person oversees say of a scan."""
    rows = Eligibility.objects.filter(scan=scan, campaign__in=campaigns_with_role(user, *OVERSEERS))
    return list(rows.select_related("campaign", "overruled_by").order_by("campaign__name"))


def _card(row: Eligibility) -> Card:
    scan = row.scan
    held = {code for code, _ in row.reasons} - {NOT_PICKED, ANOTHER_PICKED}
    in_study = any(code in (NOT_PICKED, ANOTHER_PICKED) for code, _ in row.reasons)
    return Card(row, scan, planes_of(scan), _facts(scan), in_study and not held and not row.overruled)


def planes_of(scan: Scan) -> list[tuple[str, float]]:
    """The pictures of a scan, with width : height in mm."""
    if not scan.shape_zyx or not scan.spacing_mm_zyx:
        return []
    z, y, x = (n * mm for n, mm in zip(scan.shape_zyx, scan.spacing_mm_zyx, strict=True))
    return [("axial", x / y), ("coronal", x / z)][: 2 if scan.shape_zyx[0] > 1 else 1]


def _facts(scan: Scan) -> str:
    shape, told = scan.shape_zyx or (0, 0, 0), scan.facts
    thick = told.get("slice_thickness_mm")
    words = [
        scan.modality,
        f"{shape[0]} slices" if shape[0] > 1 else "",
        f"{thick:g} mm thick" if thick else "",
        f"kernel {told['kernel']}" if told.get("kernel") else "",
        "with contrast" if told.get("contrast") else "",
    ]
    return ", ".join(word for word in words if word)
