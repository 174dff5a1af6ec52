"""What learning holds of erased scans. A model that learned from one says so; what it learned cannot be taken out."""

from collections.abc import Sequence
from typing import Any

from annotation.learning.models import ModelVersion, PreAnnotation
from annotation.learning.selectors import runs_with
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan


def _describe(scans: Sequence[Scan]) -> list[Line]:
    names = sorted(
        {
            f"{model} of {model.campaign}"
            for scan in scans
            for model in ModelVersion.objects.filter(run__in=runs_with(scan)).select_related("campaign")
        }
    )
    predictions = PreAnnotation.objects.filter(scan__in=scans).count()
    return [
        Line("Pre-annotations: extent, uncertainty, embedding", predictions, "erased", "the empty row stays"),
        Line(
            "Models that learned from a scan",
            len(names),
            "marked",
            f"{', '.join(names)}: what was learned cannot be taken out; train again and promote the new one",
        ),
    ]


def _before(scans: Sequence[Scan], actor: Any) -> list[str]:
    PreAnnotation.objects.filter(scan__in=scans).update(uncertainty=None, extent_ml=None, embedding=None)
    return []


PART = Part(describe=_describe, before=_before, after=lambda scans: None)
