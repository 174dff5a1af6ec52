"""Quantities and reports of erased scans: deleted, with every set of reports that holds one."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from annotation.reporting.models import Measurement, ReportSet
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan
from voxloop.accounts.actors import Actor


def _sets_with(scans: Sequence[Scan]) -> QuerySet[ReportSet]:
    held = Q()
    for scan in scans:
        held |= Q(scans__contains=[str(scan.pk)])
    return ReportSet.objects.filter(held) if held else ReportSet.objects.none()


def _describe(scans: Sequence[Scan]) -> list[Line]:
    measured = Measurement.objects.filter(scan__in=scans).count()
    sets = _sets_with(scans).exclude(key="").count()
    return [
        Line("Quantities, with the pictures of the report", measured, "erased", "and with them the report"),
        Line("Sets of reports", sets, "erased", "what was downloaded or sent to a PACS must be deleted there"),
    ]


def _before(scans: Sequence[Scan], actor: Actor) -> list[str]:
    Measurement.objects.filter(scan__in=scans).delete()
    sets = _sets_with(scans)
    keys = [key for key in sets.values_list("key", flat=True) if key]
    sets.update(key="", scans=[], bytes=0)
    return keys


PART = Part(describe=_describe, before=_before, after=lambda scans: None)
