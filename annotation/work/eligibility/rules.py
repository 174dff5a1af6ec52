"""Criteria of a campaign and what they say of a scan: pure, one sentence for each reason.

What is not known is a reason of its own where a criterion asks for it: nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from voxloop.kernel.errors import Invalid

MODALITIES: Mapping[str, str] = {"CT": "CT", "CR": "X-ray (CR)", "DX": "X-ray (DX)"}
BODY_PARTS: Mapping[str, frozenset[str]] = {
    "chest": frozenset({"CHEST", "LUNG", "THORAX", "CHESTABDOMEN", "CHESTABDPELVIS", "NECKCHEST", "HEART", "RIB"}),
    "abdomen": frozenset({"ABDOMEN", "CHESTABDOMEN", "CHESTABDPELVIS", "PELVIS"}),
    "head": frozenset({"HEAD", "HEADNECK", "BRAIN"}),
}
WHOLE_BODY = "WHOLEBODY"
GAP = 1.05  # slices further apart than this times their thickness leave tissue out
# Codes of reasons that are no criterion's: they need a person, or another scan.
DUPLICATE, NOT_PICKED, ANOTHER_PICKED, OVERRULED = "duplicate", "not_picked", "another_picked", "overruled"
# Names for charts and filters.
CODES: Mapping[str, str] = {
    "other_modality": "other modality",
    "other_body_part": "other part of the body",
    "no_lungs": "no lungs found",
    "not_volumetric": "gaps between slices, or no volume",
    "too_thick": "slices too thick",
    "thickness_unknown": "slice thickness not known",
    "too_few_slices": "too few slices",
    "other_kernel": "other kernel",
    "no_record": "no clinical record",
    "age_unknown": "age not known",
    "too_young": "too young",
    "test_unknown": "no test with a day",
    "day_unknown": "day of the scan not known",
    "test_too_far": "too many days to the test",
    DUPLICATE: "duplicate",
    NOT_PICKED: "no series of the study picked",
    ANOTHER_PICKED: "another series of the study picked",
    OVERRULED: "excluded by a person",
}


@dataclass(frozen=True)
class Rules:
    """Each criterion is optional: empty, None or False asks for nothing. Thickness in mm, age in years."""

    modalities: tuple[str, ...] = ()
    body_part: str = ""
    needs_lungs: bool = False
    needs_volume: bool = False
    most_thickness_mm: float | None = None
    recommended_thickness_mm: float | None = None
    least_slices: int | None = None
    kernels: tuple[str, ...] = ()
    needs_record: bool = False
    least_age: int | None = None
    most_days_to_test: int | None = None
    one_per_study: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Rules:
        """What `to_json` wrote; unknown names are left out, missing ones ask for nothing."""
        known = {field.name for field in fields(cls)}
        told: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in known}
        return cls(**told)

    def check(self) -> None:
        """Raise Invalid (`bad_criteria`) for limits that no scan could meet."""
        if set(self.modalities) - set(MODALITIES) or self.body_part not in ("", *BODY_PARTS):
            raise Invalid("Take modality and part of the body from their lists.", code="bad_criteria")
        limits = (self.most_thickness_mm, self.recommended_thickness_mm, self.least_slices, self.most_days_to_test)
        if any(limit is not None and limit < 0 for limit in (*limits, self.least_age)):
            raise Invalid("A limit is not below 0.", code="bad_criteria")
        if self.recommended_thickness_mm and (self.most_thickness_mm or 1e9) < self.recommended_thickness_mm:
            raise Invalid("The recommended thickness is not above the most that is taken.", code="bad_criteria")


# The campaign of topff2023: what its page says of intake.
CHEST_CT_RULES = Rules(
    modalities=("CT",),
    body_part="chest",
    needs_lungs=True,
    needs_volume=True,
    most_thickness_mm=3.0,
    recommended_thickness_mm=1.5,
    needs_record=True,
    least_age=18,
    most_days_to_test=7,
    one_per_study=True,
)


@dataclass(frozen=True)
class Facts:
    """What is known of a scan. `days_to_test` is the distance to the nearest test; None: no test, or no day."""

    modality: str
    body_part: str
    has_lungs: bool
    kernel: str
    thickness_mm: float | None
    step_mm: float
    slices: int
    has_record: bool
    age_years: int | None
    has_test: bool
    has_day: bool
    days_to_test: int | None


@dataclass(frozen=True)
class Reason:
    """Why a scan is not eligible."""

    code: str
    sentence: str


def judge(rules: Rules, facts: Facts) -> list[Reason]:
    """Every reason against a scan, the first of them the one that counts in charts."""
    reasons = list(_image_reasons(rules, facts))
    return reasons + list(_record_reasons(rules, facts))


def advise(rules: Rules, facts: Facts) -> str:
    """What is less than recommended, and no reason; empty for nothing."""
    limit, thick = rules.recommended_thickness_mm, facts.thickness_mm
    if limit is None or thick is None or thick <= limit:
        return ""
    return f"Slices of {thick:g} mm; up to {limit:g} mm are recommended."


def _image_reasons(rules: Rules, facts: Facts) -> Iterator[Reason]:
    is_ct = facts.modality == "CT"
    if rules.modalities and facts.modality not in rules.modalities:
        wanted = " or ".join(MODALITIES[name] for name in rules.modalities)
        yield Reason("other_modality", f"It is {MODALITIES.get(facts.modality, facts.modality)}, not {wanted}.")
    told = facts.body_part
    if rules.body_part and told and told != WHOLE_BODY and told not in BODY_PARTS[rules.body_part]:
        yield Reason("other_body_part", f"The file says that it shows {told.lower()}, not {rules.body_part}.")
    if rules.needs_lungs and is_ct and not facts.has_lungs:
        yield Reason("no_lungs", "No lungs were found in the image: perhaps another part of the body.")
    if not is_ct:
        return
    thick = facts.thickness_mm
    if rules.needs_volume and (facts.slices < 2 or (thick and facts.step_mm > thick * GAP)):
        yield Reason(
            "not_volumetric", f"Slices of {thick or 0:g} mm lie {facts.step_mm:g} mm apart: tissue is left out."
        )
    if rules.most_thickness_mm is not None:
        if thick is None:
            yield Reason("thickness_unknown", "The file does not say how thick a slice is.")
        elif thick > rules.most_thickness_mm:
            yield Reason("too_thick", f"Slices are {thick:g} mm thick, more than {rules.most_thickness_mm:g} mm.")
    if rules.least_slices is not None and facts.slices < rules.least_slices:
        yield Reason("too_few_slices", f"It has {facts.slices} slices, fewer than {rules.least_slices}.")
    if rules.kernels and facts.kernel.upper() not in {kernel.upper() for kernel in rules.kernels}:
        yield Reason("other_kernel", f"Its kernel is {facts.kernel or 'not known'}, not {' or '.join(rules.kernels)}.")


def _record_reasons(rules: Rules, facts: Facts) -> Iterator[Reason]:
    if not facts.has_record:
        if rules.needs_record or rules.least_age is not None or rules.most_days_to_test is not None:
            yield Reason("no_record", "There is no clinical record of the subject; send the site's sheet.")
        return
    if rules.least_age is not None:
        if facts.age_years is None:
            yield Reason("age_unknown", "The clinical record has no age.")
        elif facts.age_years < rules.least_age:
            yield Reason("too_young", f"The subject is {facts.age_years} years old, below {rules.least_age}.")
    if rules.most_days_to_test is not None:
        if not facts.has_test:
            yield Reason("test_unknown", "The clinical record has no test with a day.")
        elif not facts.has_day or facts.days_to_test is None:
            yield Reason("day_unknown", "The files do not say on which day the scan was made.")
        elif facts.days_to_test > rules.most_days_to_test:
            told = f"The nearest test is {facts.days_to_test} days from the scan, more than {rules.most_days_to_test}."
            yield Reason("test_too_far", told)


def in_words(rules: Rules) -> Sequence[str]:
    """The criteria, as a reader reads them."""
    told = []
    if rules.modalities:
        told.append(" or ".join(MODALITIES[name] for name in rules.modalities))
    if rules.body_part:
        told.append(f"of the {rules.body_part}")
    if rules.needs_lungs:
        told.append("lungs found in a CT")
    if rules.needs_volume:
        told.append("no gaps between slices")
    if rules.most_thickness_mm is not None:
        best = rules.recommended_thickness_mm
        told.append(f"slices up to {rules.most_thickness_mm:g} mm" + (f" ({best:g} mm recommended)" if best else ""))
    if rules.least_slices is not None:
        told.append(f"{rules.least_slices} slices or more")
    if rules.kernels:
        told.append(f"kernel {' or '.join(rules.kernels)}")
    if rules.needs_record:
        told.append("clinical record present")
    if rules.least_age is not None:
        told.append(f"{rules.least_age} years or older")
    if rules.most_days_to_test is not None:
        told.append(f"within {rules.most_days_to_test} days of a test")
    if rules.one_per_study:
        told.append("one series of a study")
    return told
