"""The quantities of a campaign: every measured scan, and how far a model's masks differ from the approved ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.pages.selectors.agreement import LEAST_SCANS
from annotation.reporting.measuring import waiting_rounds
from annotation.reporting.models import Measurement
from annotation.reporting.selectors import visible_measurements
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.volume.agreement import BlandAltman, Interval, bland_altman, icc_a1


@dataclass(frozen=True)
class Against:
    """One quantity of model and reader: `pairs` are code of the scan, reader, model. Figures are None for too few."""

    name: str
    unit: str
    pairs: Sequence[tuple[str, float, float]]
    icc: Interval | None
    pearson: float | None
    limits: BlandAltman | None
    by_root: BlandAltman | None


@dataclass(frozen=True)
class Found:
    """All of the page: `rows` by scan, the newest quantities of each."""

    rows: Sequence[Measurement]
    waiting: int
    faults: Sequence[Measurement]
    against: Sequence[Against]

    @property
    def pairs(self) -> int:
        """Scans with both masks."""
        return len(self.against[0].pairs) if self.against else 0


# Name, key of the values, unit; weight and share are of CT only.
COMPARED = (("Opacity", "opacity", "mL"), ("Share of the lungs", "percent", "%"), ("Weight", "weight_g", "g"))


def measure_campaign(user: User, campaign: Campaign) -> Found:
    """Everything the page shows, of the scans that the person may see."""
    newest: dict[Any, Measurement] = {}
    for row in visible_measurements(user).filter(campaign=campaign):
        newest.setdefault(row.scan_id, row)
    rows = list(newest.values())
    measured = [row for row in rows if row.scan.modality == "CT" and row.model_values]
    faults = Measurement.objects.filter(campaign=campaign, round__in=waiting_of(campaign)).exclude(fault="")
    return Found(
        rows=rows,
        waiting=waiting_rounds().filter(annotation__campaign=campaign).count(),
        faults=list(faults.select_related("scan").defer("surface_png", "slice_png")[:20]),
        against=[compare(name, key, unit, measured) for name, key, unit in COMPARED],
    )


def waiting_of(campaign: Campaign) -> Any:
    """Rounds of the campaign whose measurement failed."""
    return Measurement.objects.filter(campaign=campaign).exclude(fault="").values("round")


def compare(name: str, key: str, unit: str, rows: Sequence[Measurement]) -> Against:
    """One quantity of both masks of each scan; where the lungs are not known, there is no share."""
    pairs = [
        (row.scan.code, float(values[key]), float(model[key]))
        for row in rows
        if (values := row.values) and (model := row.model_values) and None not in (values[key], model[key])
    ]
    readers, models = [pair[1] for pair in pairs], [pair[2] for pair in pairs]
    enough = len(pairs) >= LEAST_SCANS
    return Against(
        name,
        unit,
        pairs,
        _icc(pairs) if enough else None,
        _pearson(readers, models) if enough else None,
        bland_altman(models, readers) if enough else None,
        bland_altman(models, readers, by_root=True) if enough else None,
    )


def _icc(pairs: Sequence[tuple[str, float, float]]) -> Interval | None:
    try:
        return icc_a1([pair[1:] for pair in pairs])
    except ValueError:  # all values are equal, or differ by one and the same amount
        return None


def _pearson(one: Sequence[float], other: Sequence[float]) -> float | None:
    if len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return float(np.corrcoef(one, other)[0, 1])
