"""Data of erased scans in learning. Models that learned from one are marked; what was learned cannot be removed."""

from collections.abc import Sequence

from django.db.models import QuerySet

from annotation.learning.models import Effort, ModelVersion, PreAnnotation, ScanEmbedding, TrainingRun
from annotation.learning.prepared import forget_prepared
from annotation.learning.selectors import runs_with
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan
from voxloop.accounts.actors import Actor


def _describe(scans: Sequence[Scan]) -> list[Line]:
    names = sorted(
        {
            f"{model} of {model.campaign}"
            for scan in scans
            for model in ModelVersion.objects.filter(run__in=runs_with(scan)).select_related("campaign")
        }
    )
    predictions = PreAnnotation.objects.filter(scan__in=scans).count()
    efforts = Effort.objects.filter(assignment__scan__in=scans).count()
    drawn = sum(_runs_with_outlines(scan).count() for scan in scans)
    return [
        Line("Pre-annotations: extent, uncertainty, embedding", predictions, "erased", "the empty row stays"),
        Line("Efforts measured against a model", efforts, "erased", "active time stays with the assignment"),
        Line("Outlines on slices, kept with the evaluation of models", drawn, "erased", "the figures stay"),
        Line(
            "Models that learned from a scan",
            len(names),
            "marked",
            f"{', '.join(names)}: what was learned cannot be removed; train again and promote the new one",
        ),
    ]


def _before(scans: Sequence[Scan], actor: Actor) -> list[str]:
    PreAnnotation.objects.filter(scan__in=scans).update(
        uncertainty=None, extent_ml=None, extent_ml_by_class={}, embedding=None
    )
    ScanEmbedding.objects.filter(scan__in=scans).delete()
    Effort.objects.filter(assignment__scan__in=scans).delete()
    forget_prepared([scan.pk for scan in scans])  # here; other machines when they sweep next
    for scan in scans:
        for run in _runs_with_outlines(scan).select_for_update():
            results = run.results or {"cases": []}
            run.results = results | {"cases": [case for case in results["cases"] if case["scan"] != str(scan.pk)]}
            run.save(update_fields=["results"])
    return []


def _runs_with_outlines(scan: Scan) -> QuerySet[TrainingRun]:
    """Runs that keep outlines of the scan on the slice on which a model did worst."""
    return TrainingRun.objects.filter(results__cases__contains=[{"scan": str(scan.pk)}])


PART = Part(describe=_describe, before=_before, after=lambda scans: None)
