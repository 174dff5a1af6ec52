"""The counts of a paper, each a query on the frozen list of a release; nothing else is read."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from annotation.work.eligibility.rules import CODES
from voxloop.volume.agreement import Interval, icc_a1

Frozen = Mapping[str, Any]
Entry = Mapping[str, Any]
SIDES = ("train", "validation", "test")
LEAST_PAIRS = 5  # of an interval
UNKNOWN = "not stated"


@dataclass(frozen=True)
class Step:
    """A box of the data-flow chart, and what left before the next one, with reasons."""

    name: str
    scans: int
    left: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Agreement:
    """Means over pairs of readings with 95 % intervals by Student's t; None where too little was measured."""

    pairs: int
    scans: int
    dice: Interval | None
    surface_dice: Interval | None
    tolerance_mm: float | None
    icc: Interval | None


def scans_of(frozen: Frozen) -> list[Entry]:
    """The scans of the list that were not erased since."""
    return [scan for scan in frozen["scans"] if not scan.get("erased")]


def list_steps(frozen: Frozen) -> list[Step]:
    """Received → eligible → labelled → approved → released → the sides; a release from before the flow was frozen
    begins with the released scans."""
    scans = scans_of(frozen)
    steps = []
    flow = frozen.get("flow")
    if flow:
        left = [(f"refused: {code.replace('_', ' ')}", count) for code, count in flow["refused"].items()]
        left += [(name, flow[key]) for name, key in GONE if flow[key]]
        left += [(f"excluded: {CODES.get(code, code)}", count) for code, count in flow.get("excluded", {}).items()]
        steps = [
            Step("Received", flow["received"], left),
            Step("Eligible", flow["eligible"], _rest("not labelled yet", flow["eligible"] - flow["labelled"])),
            Step("Labelled", flow["labelled"], _rest("not approved yet", flow["labelled"] - flow["approved"])),
            Step(
                "Approved", flow["approved"], _rest("not chosen for the release", flow["approved"] - flow["released"])
            ),
        ]
    erased = len(frozen["scans"]) - len(scans)
    if part := frozen["release"].get("part"):
        steps.append(Step("In the release", part["of"], _rest("not in this part", part["of"] - part["scans"])))
        return [*steps, Step("In this part", len(scans))]
    steps.append(Step("In the release", len(frozen["scans"]), _rest("erased since", erased)))
    return steps


GONE = (("withdrawn", "withdrawn"), ("erased", "erased"), ("not converted", "not_converted"))


def _rest(name: str, count: int) -> list[tuple[str, int]]:
    return [(name, count)] if count else []


def count_sides(frozen: Frozen) -> dict[str, dict[str, int]]:
    """By side: scans, subjects and sites."""
    found = {}
    for side in SIDES:
        scans = [scan for scan in scans_of(frozen) if scan["split"] == side]
        found[side] = {
            "scans": len(scans),
            "subjects": len({(scan["site"], scan["subject"] or scan["code"]) for scan in scans}),
            "sites": len({scan["site"] for scan in scans}),
        }
    return found


def list_classes(frozen: Frozen) -> list[tuple[str, str, Mapping[str, int], Mapping[str, int]]]:
    """Of every segment: layer, name, scans with it by side, and by site."""
    rows: list[tuple[str, str, Mapping[str, int], Mapping[str, int]]] = []
    for layer in frozen["schema"]["definition"]["layers"]:
        if layer["name"] not in frozen["layers"]:
            continue
        for segment in layer["segments"]:
            with_it = [scan for scan in scans_of(frozen) if _voxels(scan, layer["name"], segment["id"])]
            sides, sites = Counter(scan["split"] for scan in with_it), Counter(scan["site"] for scan in with_it)
            rows.append((layer["title"], segment["name"], sides, sites))
    return rows


def list_answers(frozen: Frozen) -> list[tuple[str, str, Mapping[str, int], Mapping[str, int]]]:
    """Of every option of a question to choose from: text, label, scans by side, and by site."""
    rows: list[tuple[str, str, Mapping[str, int], Mapping[str, int]]] = []
    for question in frozen["schema"]["definition"].get("questions", []):
        for option in question.get("options") or []:
            chosen = [scan for scan in scans_of(frozen) if _has(scan["answers"].get(question["key"]), option["value"])]
            sides, sites = Counter(scan["split"] for scan in chosen), Counter(scan["site"] for scan in chosen)
            rows.append((question["text"], option["label"], sides, sites))
    return rows


def list_severities(frozen: Frozen) -> list[tuple[str, str, Mapping[str, int], Mapping[str, int]]]:
    """Of every severity of the 25-point score: scans by side, and by site; then the scans without a score."""
    rows: list[tuple[str, str, Mapping[str, int], Mapping[str, int]]] = []
    for severity in (*SEVERITIES, None):
        those = [scan for scan in scans_of(frozen) if scan.get("quantities", {}).get("severity") == severity]
        sides, sites = Counter(scan["split"] for scan in those), Counter(scan["site"] for scan in those)
        rows.append(("Severity", severity or "not scored", sides, sites))
    return rows


SEVERITIES = ("none", "mild", "moderate", "severe")


@dataclass(frozen=True)
class Spread:
    """A quantity over the scans that have it: how many, median and quartiles; None of no scan."""

    scans: int
    median: float | None = None
    low: float | None = None
    high: float | None = None


def list_spreads(frozen: Frozen) -> list[tuple[str, dict[str, Spread]]]:
    """Lungs, opacity, score, and the share of each part, by side and of `all` scans that were measured; first of CT,
    then of X-rays. Empty when no scan has kept quantities."""
    rows: dict[str, list[tuple[str, float]]] = {}
    measured = [scan for scan in scans_of(frozen) if scan.get("quantities")]
    for scan in sorted(measured, key=lambda scan: scan["quantities"]["unit"] != "mL"):
        for name, value in _quantities(scan["quantities"]):
            rows.setdefault(name, [])
            if value is not None:
                rows[name].append((scan["split"], value))
    return [
        (
            name,
            {side: spread_of([value for of, value in values if of == side]) for side in SIDES}
            | {"all": spread_of([value for _, value in values])},
        )
        for name, values in rows.items()
    ]


def spread_of(values: Sequence[float]) -> Spread:
    """Median and quartiles (by linear interpolation)."""
    if not values:
        return Spread(0)
    low, median, high = np.percentile(values, [25, 50, 75])
    return Spread(len(values), float(median), float(low), float(high))


def _quantities(kept: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    unit = kept["unit"]
    yield f"Lungs, {unit}", kept["lungs"]
    yield f"Opacity, {unit}", kept["opacity"]
    yield f"Opacity, % of the lungs{' (X-ray)' * (unit != 'mL')}", kept["percent"]
    if unit != "mL":
        return
    yield "Weight of the opacity, g", kept["weight_g"]
    yield "Severity score, 0-25", kept["score"]
    for part in kept["parts"]:
        name = part["key"].replace("_", " ").capitalize()
        yield f"{name}, mL", part["lung"]
        yield f"{name}, % opacity", part["percent"]


def list_sites(frozen: Frozen) -> list[str]:
    """Codes of the sites, in order."""
    return sorted({scan["site"] for scan in scans_of(frozen)})


def list_scanners(frozen: Frozen) -> list[tuple[str, str, str, int, int, str]]:
    """Manufacturer, model, kernel, scans, sites, and slice thickness (or spacing) as its range in mm."""
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for scan in scans_of(frozen):
        told = scan.get("scanner", {})
        key = tuple(str(told.get(name, UNKNOWN)) for name in ("manufacturer", "model", "kernel"))
        groups.setdefault((key[0], key[1], key[2]), []).append(scan)
    rows = []
    for key, scans in sorted(groups.items()):
        thick = [
            float(scan.get("scanner", {}).get("slice_thickness_mm") or scan["spacing_mm_zyx"][0]) for scan in scans
        ]
        span = f"{min(thick):g}" if min(thick) == max(thick) else f"{min(thick):g} to {max(thick):g}"
        rows.append((*key, len(scans), len({scan["site"] for scan in scans}), span))
    return rows


def list_starts(frozen: Frozen) -> list[tuple[str, int]]:
    """What the work on the masks began from, and how many masks did."""
    found = Counter(
        layer["start"]["model"] or layer["start"]["kind"]
        for scan in scans_of(frozen)
        for layer in scan["layers"].values()
    )
    return sorted(found.items())


def measure_agreement(frozen: Frozen) -> Agreement | None:
    """How far readers agree on the scans of the release that several read; None where none was."""
    readings = [(scan["code"], pair) for scan in scans_of(frozen) for pair in scan.get("readings", [])]
    if not readings:
        return None
    one_each = {code: (pair["first_ml"], pair["second_ml"]) for code, pair in reversed(readings)}
    icc = None
    if len(one_each) >= LEAST_PAIRS:
        try:
            icc = icc_a1(list(one_each.values()))
        except ValueError:  # all volumes are equal
            icc = None
    return Agreement(
        pairs=len(readings),
        scans=len(one_each),
        dice=mean_of([pair["dice"] for _, pair in readings]),
        surface_dice=mean_of([pair["surface_dice"] for _, pair in readings]),
        tolerance_mm=readings[0][1]["tolerance_mm"],
        icc=icc,
    )


def mean_of(values: Sequence[float]) -> Interval | None:
    """Mean with its 95 % interval by Student's t; None below five values."""
    if len(values) < LEAST_PAIRS:
        return None
    middle = statistics.fmean(values)
    half = float(stdtrit(len(values) - 1, 0.975)) * statistics.stdev(values) / sqrt(len(values))
    return Interval(middle, middle - half, middle + half)


def _voxels(scan: Entry, layer: str, segment: int) -> int:
    return int(scan["layers"].get(layer, {}).get("voxel_counts", {}).get(str(segment), 0))


def _has(answer: Any, value: Any) -> bool:
    return value in answer if isinstance(answer, list) else answer == value
