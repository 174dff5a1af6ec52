"""What stands in a report, as text: the HTML page, the PDF and the DICOM object are made of the same lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.reporting.measuring import opacities_of
from annotation.reporting.models import Measurement
from annotation.reporting.words import PARTS, number
from annotation.work.schema import Layer, parse_schema

NOT_A_DEVICE = "Not a medical device: for research only, not for diagnosis or treatment."
LUNGS_FROM = {
    "lobes": "Lungs and lobes are those of the anatomy mask.",
    "lungs": "The lungs are those of the anatomy mask; without lobes there is no score of 25.",
    "image": "The lungs were found in the image (volume within 1 % on phantoms). There is no mask of lobes: thirds of "
    "the height of each lung are given instead, and no score of 25.",
    "": "The lungs are not known: no share of them is given.",
}


@dataclass(frozen=True)
class Row:
    """A line of the table: part of the lungs, amount of lung and opacity, share in %, grade of a lobe."""

    name: str
    lung: str
    opacity: str
    percent: str
    grade: str
    is_side: bool = False


@dataclass(frozen=True)
class Origin:
    """What a number comes from: a revision with its content hash, empty where there is none."""

    what: str
    id: str
    content_hash: str
    by: str
    is_mask: bool


@dataclass(frozen=True)
class Report:
    """Texts in the order of the page. `figures` are name, value and unit of the large numbers."""

    title: str
    scan: str
    facts: Sequence[tuple[str, str]]
    figures: Sequence[tuple[str, str, str]]
    head: Sequence[str]
    rows: Sequence[Row]
    segments: Sequence[tuple[str, str, str, str, str, str]]
    segment_head: Sequence[str]
    colours: Sequence[str]
    answers: Sequence[tuple[str, str]]
    notes: Sequence[str]
    origins: Sequence[Origin]
    slice_note: str


def write_report(found: Measurement) -> Report:
    """The report of one measured scan."""
    values: Mapping[str, Any] = found.values or {}
    layer = parse_schema(found.campaign.schema.definition).layer(found.layer)
    unit, scan = values["unit"], found.scan
    worst = values["worst_slice"]
    parts = values["parts"]
    round_ = found.round
    reviewed = round_.reviewer.username if round_.reviewer else "—"
    lobes = any(part["grade"] is not None for part in parts)
    return Report(
        title="Quantities of lung opacities" if unit == "mL" else "Quantities of marked findings",
        scan=scan.code,
        facts=[
            ("Scan", scan.code),
            ("Subject", scan.subject.pseudonym if scan.subject else "—"),
            ("Site", scan.site.code),
            ("Modality", scan.modality),
            ("Campaign", found.campaign.name),
            ("Drawn by", round_.author.username),
            ("Approved by", reviewed),
            ("Approved", f"{round_.ended_at:%Y-%m-%d %H:%M} UTC" if round_.ended_at else "—"),
        ],
        figures=_figures(values),
        head=("Part", f"Lung, {unit}", f"Opacity, {unit}", "Opacity, %", *(("Grade",) if lobes else ())),
        rows=[_row(part) for part in parts] + ([_total(values)] if parts else []),
        segment_head=("Finding", unit, "Mean HU", "Lesions", f"Largest, {unit}", "Diameter, mm"),
        segments=[_segment(one, layer) for one in values["segments"] if one["voxels"]],
        colours=[_segment_of(layer, one["segment"]).colour for one in values["segments"] if one["voxels"]],
        answers=_answers(found),
        notes=[
            LUNGS_FROM[values["lungs_from"]] if unit == "mL" else "An X-ray has no volume and no HU: areas in cm².",
            "Opacity counts " + ", ".join(_segment_of(layer, n).name.lower() for n in opacities_of(layer)) + ".",
        ],
        origins=_origins(found),
        slice_note=f"Slice {worst + 1}, with most opacity: plain, and with the mask."
        if worst is not None
        else "The middle slice: no opacity is marked.",
    )


def _figures(values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    unit = values["unit"]
    figures = [("Lungs", number(values["lungs"], 0 if unit == "mL" else 1), unit)] if values["lungs"] else []
    figures.append(("Opacity", number(values["opacity"], 1), unit))
    if values["percent"] is not None:
        figures.append(("Of the lungs", number(values["percent"], 1), "%"))
    if values["weight_g"] is not None:
        figures.append(("Weight", number(values["weight_g"], 1), "g"))
    if values["score"] is not None:
        figures.append((f"Severity: {values['severity']}", str(values["score"]), "of 25"))
    figures.append(("Lesions", str(values["lesions"]), f"longest {number(values['diameter_mm'], 0)} mm"))
    return figures


def _row(part: Mapping[str, Any]) -> Row:
    grade = "" if part["grade"] is None else str(part["grade"])
    amounts = (number(part["lung"], 1), number(part["opacity"], 1), number(part["percent"], 1))
    return Row(PARTS[part["key"]], *amounts, grade, part["key"] in ("right", "left"))


def _total(values: Mapping[str, Any]) -> Row:
    score = "" if values["score"] is None else str(values["score"])
    return Row(
        "Both lungs",
        number(values["lungs"], 1),
        number(values["opacity"], 1),
        number(values["percent"], 1),
        score,
        is_side=True,
    )


def _segment_of(layer: Layer, segment: int) -> Any:
    return next(one for one in layer.segments if one.id == segment)


def _segment(one: Mapping[str, Any], layer: Layer) -> tuple[str, str, str, str, str, str]:
    return (
        _segment_of(layer, one["segment"]).name,
        number(one["amount"], 2),
        number(one["mean_hu"], 0),
        str(one["lesions"]),
        number(one["largest"], 2),
        number(one["diameter_mm"], 1),
    )


def _answers(found: Measurement) -> list[tuple[str, str]]:
    """Each shown question with the words of its answer."""
    given = found.round.answers.values if found.round.answers else {}
    told = []
    for question in parse_schema(found.campaign.schema.definition).shown_questions(given):
        if question.key in given:
            value = given[question.key]
            words = {option.value: option.label for option in getattr(question, "options", ())}
            many = value if isinstance(value, list) else [value]
            text = ", ".join({True: "yes", False: "no"}.get(one, words.get(one, str(one))) for one in many)
            told.append((question.text, text))
    return told


def _origins(found: Measurement) -> list[Origin]:
    revision = found.revision
    made = [
        Origin(
            f"Mask “{found.layer}”, as approved" if revision else f"Mask “{found.layer}”: approved as empty",
            str(revision.pk) if revision else "",
            found.content_hash,
            found.round.author.username,
            is_mask=revision is not None,
        )
    ]
    if found.anatomy is not None:
        by = found.anatomy.model_name or (found.anatomy.author.username if found.anatomy.author else "")
        made.append(
            Origin(f"Mask “{found.anatomy.layer}”", str(found.anatomy.pk), found.anatomy.content_hash, by, is_mask=True)
        )
    made.append(Origin("Images", "", found.scan.pack_key.rpartition("/")[2], f"site {found.scan.site.code}", False))
    return made
