"""The scans on which a challenger did worst: the slice, and each model's outline beside the reference's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.learning.models import ModelVersion


@dataclass(frozen=True)
class Picture:
    """One picture with its caption."""

    svg: SafeString
    name: str
    figure: str


@dataclass(frozen=True)
class CaseRow:
    """A scan with its pictures: the image, the champion where there is one, the challenger."""

    code: str
    site: str
    slice: int
    reference_ml: float
    pictures: list[Picture]


def draw_cases(cases: Iterable[Mapping[str, Any]], model: ModelVersion, old: str, new: str) -> list[CaseRow]:
    """`old` and `new` name the models; `old` is empty where there was no champion."""
    return [
        CaseRow(case["code"], case["site"], case["slice"] + 1, case["reference_ml"], _pictures(case, model, old, new))
        for case in cases
    ]


def _pictures(case: Mapping[str, Any], model: ModelVersion, old: str, new: str) -> list[Picture]:
    image = reverse("case_picture", args=[model.pk, case["scan"]])
    drawn = [Picture(_svg(case, image, None, f"slice {case['slice'] + 1}"), "Image", "")]
    if old and case["champion"] is not None:
        svg = _svg(case, image, case["champion"], f"reference and {old}")
        drawn.append(Picture(svg, old, _figure(case["champion_dice"], case["champion_ml"])))
    svg = _svg(case, image, case["challenger"], f"reference and {new}")
    return [*drawn, Picture(svg, new, _figure(case["dice"], case["predicted_ml"]))]


def _figure(dice: float | None, ml: float | None) -> str:
    return f"{ml or 0.0:.1f} mL" if dice is None else f"Dice {dice:.2f}"


def _svg(case: Mapping[str, Any], image: str, outline: str | None, what: str) -> SafeString:
    """The case's part of the slice; paths and the image are in voxels, the view box in millimetres."""
    top, left, high, wide = case["window"]
    row_mm, column_mm = case["row_mm"], case["column_mm"]
    box = f"{left * column_mm:.1f} {top * row_mm:.1f} {wide * column_mm:.1f} {high * row_mm:.1f}"
    marks = (
        format_html('<path class="ref" d="{}"/><path class="model" d="{}"/>', case["reference"], outline)
        if outline is not None
        else ""
    )
    return format_html(
        '<svg class="case" viewBox="{}" role="img" aria-label="{}"><g transform="scale({} {})">'
        '<image href="{}" width="{}" height="{}" preserveAspectRatio="none"/>{}</g></svg>',
        box,
        f"{case['code']}: {what}",
        column_mm,
        row_mm,
        image,
        case["columns"],
        case["rows"],
        marks,
    )
