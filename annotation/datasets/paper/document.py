"""The documents of a release as blocks, which become HTML, DOCX and LaTeX."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.datasets.exporters.chosen import say_filters
from annotation.datasets.paper import facts
from annotation.datasets.paper.facts import SIDES, Frozen, Step
from voxloop.kernel.cells import plain_cell
from voxloop.volume.agreement import Interval


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Table:
    """Cells are text that no spreadsheet runs."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """The data flow: boxes from top to bottom, the last one divided into the sides."""

    title: str
    steps: Sequence[Step]
    sides: Sequence[tuple[str, int]]


Block = Heading | Text | Table | Chart


def write_document(frozen: Frozen, manifest_hash: str) -> list[Block]:
    """All blocks. Every count is one of `facts`."""
    release, campaign = frozen["release"], frozen["campaign"]
    return [
        Heading(f"{campaign['name']}: {release['name']}", 1),
        Text(
            f"Written by Voxloop {frozen['software']} from the manifest of the release, sha256 {manifest_hash}. Every "
            "count is a query on that manifest. Research only, not for diagnosis."
        ),
        *_flow(frozen),
        *_tables(frozen),
        *_agreement(frozen),
        Heading("Methods"),
        *[Text(paragraph) for paragraph in write_methods(frozen)],
        *_models(frozen),
        *_datasheet(frozen),
    ]


def _flow(frozen: Frozen) -> list[Block]:
    sides = facts.count_sides(frozen)
    counted = [(side, sides[side]["scans"]) for side in SIDES if sides[side]["scans"]]
    return [Heading("Data flow"), Chart("From the scans received to the split", facts.list_steps(frozen), counted)]


def _tables(frozen: Frozen) -> list[Block]:
    sides = facts.count_sides(frozen)
    names = [side for side in SIDES if sides[side]["scans"]]
    sites = facts.list_sites(frozen)
    whole = {key: sum(sides[side][key] for side in SIDES) for key in ("scans", "subjects", "sites")}
    patients = [
        _cells(word, *(sides[side][key] for side in names), whole[key])
        for key, word in (("subjects", "Patients"), ("scans", "Scans"), ("sites", "Sites"))
    ]
    ages = _cells("Age and sex", *("not kept" for _ in names), "not kept")
    head = ("", *(f"{side.capitalize()}" for side in names), *(f"Site {site}" for site in sites), "All")
    classes = [
        _cells(
            f"{group}: {name}",
            *(by_side[side] for side in names),
            *(by_site[site] for site in sites),
            sum(by_side.values()),
        )
        for group, name, by_side, by_site in [
            *facts.list_classes(frozen),
            *facts.list_answers(frozen),
            *facts.list_severities(frozen),
        ]
    ]
    scanners = [_cells(*row) for row in facts.list_scanners(frozen)]
    scanner_head = ("Manufacturer", "Model", "Kernel", "Scans", "Sites", "Slice thickness, mm")
    return [
        Heading("Tables"),
        Table("Table 1. Patients", ("", *(side.capitalize() for side in names), "All"), [*patients, ages]),
        Table("Table 2. Scans with each class, by side and site", head, classes),
        Table("Table 3. Scanners", scanner_head, scanners),
        *_quantities(frozen, names),
    ]


def _quantities(frozen: Frozen, sides: Sequence[str]) -> list[Block]:
    """Lungs, lobes and score, as they were kept with each approval when the list was frozen."""
    spreads = facts.list_spreads(frozen)
    measured = sum(bool(scan.get("quantities")) for scan in facts.scans_of(frozen))
    missing = len(facts.scans_of(frozen)) - measured
    if not spreads:
        return [Text("No quantities of lungs were kept when the release was frozen.")]
    rows = [_cells(name, *(_spread(by_side[side]) for side in (*sides, "all"))) for name, by_side in spreads]
    title = f"Table 4. Lungs, lobes and score: median (quartiles), n of {_of(measured, 'scan')} measured"
    head = ("", *(side.capitalize() for side in sides), "All")
    left = [Text(f"{_of(missing, 'scan')} had no quantities yet when the release was frozen.")] if missing else []
    return [Table(title, head, rows), *left]


def _spread(found: facts.Spread) -> str:
    if found.median is None:
        return "—"
    return f"{found.median:.4g} ({found.low:.4g} to {found.high:.4g}), n = {found.scans}"


def _agreement(frozen: Frozen) -> list[Block]:
    found = facts.measure_agreement(frozen)
    if found is None:
        return [Heading("Agreement of readers"), Text("No scan of the release was read by several people.")]
    rows = [
        _cells("Dice", *_interval(found.dice)),
        _cells(f"Surface Dice by area, at {found.tolerance_mm:g} mm", *_interval(found.surface_dice)),
        _cells("Volume, ICC(2,1)", *_interval(found.icc)),
    ]
    title = f"Table 5. Agreement of readers: {_of(found.pairs, 'pair')} of readings of {_of(found.scans, 'scan')}"
    return [Heading("Agreement of readers"), Table(title, ("", "Value", "95 % interval"), rows)]


def _interval(found: Interval | None) -> tuple[str, str]:
    if found is None:
        return "—", f"from {facts.LEAST_PAIRS} on"
    return f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}"


def write_methods(frozen: Frozen) -> list[str]:
    """The methods in two paragraphs."""
    sides = facts.count_sides(frozen)
    scans, sites = len(facts.scans_of(frozen)), facts.list_sites(frozen)
    split = ", ".join(
        f"{_of(sides[side]['sites'], 'site')} with {_of(sides[side]['scans'], 'scan')} for {WORDS[side]}"
        for side in SIDES
        if sides[side]["scans"]
    )
    authors = {scan["author"] for scan in facts.scans_of(frozen)}
    reviewers = {scan["reviewer"] for scan in facts.scans_of(frozen)} - {""}
    corrected = sum(scan["verdict"] == "corrected" for scan in facts.scans_of(frozen))
    again = sum(bool(scan.get("readings")) for scan in facts.scans_of(frozen))
    read_again = (
        f" {_of(again, 'scan was', 'scans were')} read by more than one person, each blind to the others."
        if again
        else ""
    )
    judge = "a reviewer" if len(reviewers) == 1 else f"one of {_of(len(reviewers), 'reviewer')}"
    layers = [layer for layer in frozen["schema"]["definition"]["layers"] if layer["name"] in frozen["layers"]]
    drawn = "; ".join(
        f"{layer['title'].lower()} ({_of(len(layer['segments']), 'class', 'classes')})" for layer in layers
    )
    starts = ", ".join(f"{name} ({count})" for name, count in facts.list_starts(frozen))
    return [
        f"The release holds {_of(scans, 'scan')} of {_of(len(sites), 'site')}, de-identified at the sites before they "
        f"were sent. Whole sites were assigned to one side of the split ({split}), so that no site is on two sides.",
        f"{_of(len(authors), 'annotator')} drew masks of {drawn} on the scan's own grid in Voxloop, and answered the "
        f"questions of the label schema {frozen['schema']['name']}, version {frozen['schema']['version']}. The work "
        f"began from: {starts}.{read_again} Each mask was judged by {judge} who had not drawn it; "
        f"reviewers corrected {_of(corrected, 'scan')} themselves. Approvals are signed over the content hash of each "
        "mask.",
    ]


WORDS = {"train": "training", "validation": "validation", "test": "testing"}


def _models(frozen: Frozen) -> list[Block]:
    """The model card of a data set: which models took part, and what that means for whoever uses the masks."""
    kinds = {"blank", "import", "prediction"}
    rows = [_cells(name, count) for name, count in facts.list_starts(frozen) if name not in kinds]
    if not rows:
        return [Heading("Model card"), Text("No model took part: no mask began from a prediction.")]
    return [
        Heading("Model card"),
        Text(
            "Masks that began from a model's prediction lie nearer to it than masks drawn from nothing. Do not measure "
            "such a model on these scans. Each model's own card (training data, figures, limits) is kept by Voxloop."
        ),
        Table("Table 6. Models whose predictions were shown", ("Model", "Masks"), rows),
    ]


def _datasheet(frozen: Frozen) -> list[Block]:
    """A datasheet by the questions of Gebru et al. 2021, as far as the manifest answers them."""
    release, campaign = frozen["release"], frozen["campaign"]
    scans = facts.scans_of(frozen)
    empty = sum(all(layer["is_empty"] for layer in scan["layers"].values()) for scan in scans)
    modalities = ", ".join(sorted({scan["modality"] for scan in scans}))
    answers: Mapping[str, str] = {
        "Motivation": f"Made in the campaign {campaign['name']}. {campaign.get('guidelines', '')[:400]}".strip(),
        "What do the instances represent?": f"Scans ({modalities}) with masks and answers; {_of(empty, 'scan')} "
        "without any mark.",
        "How many instances are there?": f"{_of(len(scans), 'scan')}.",
        "Were the instances chosen from a larger set?": _chosen(frozen),
        "Is any information missing?": "Age, sex and dates are not kept. Voxels that a reader erased are background in "
        "the labels and kept apart.",
        "Are there recommended splits?": "Yes, by site; they are part of the manifest.",
        "Could people be identified?": "Names, dates and numbers were removed at the sites; UIDs and patient numbers "
        "are keyed codes. Faces are not removed.",
        "How was the data collected and labelled?": "See the methods above.",
        "How is it distributed, and under what licence?": release["licence"] or "Not stated.",
        "How is it maintained?": "A release never changes. Scans that a patient withdrew lead to a new release; the "
        "old one is marked as not to be used.",
        "Note to readers": release["notes"] or "None.",
    }
    return [
        Heading("Datasheet"),
        Table("After Gebru et al. 2021", ("Question", "Answer"), [_cells(*row) for row in answers.items()]),
    ]


def _chosen(frozen: Frozen) -> str:
    """The filters of the release, and what a partial export is a part of."""
    filters = say_filters(frozen["release"].get("filters") or {}, frozen["schema"]["definition"])
    told = "; ".join(f"{name.lower()}: {value}" for name, value in filters)
    said = f"Of the approved scans those with {told}." if told else "All approved scans at the freeze."
    part = frozen["release"].get("part")
    return f"{said} This is a part of it, {part['scans']} of {_of(part['of'], 'scan')}." if part else said


def _of(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _cells(*values: Any) -> list[str]:
    return [str(plain_cell(str(value))) for value in values]
