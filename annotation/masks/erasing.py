"""Erase masks: revisions are emptied by a database function, the only way to change them (migration 0004)."""

from collections.abc import Sequence

from django.db import connection

from annotation.masks.models import AnswerSet, MaskRevision, ProbabilityMap
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan
from voxloop.accounts.actors import Actor


def _describe(scans: Sequence[Scan]) -> list[Line]:
    revisions = MaskRevision.objects.filter(scan__in=scans).count()
    maps = ProbabilityMap.objects.filter(revision__scan__in=scans).count()
    answers = AnswerSet.objects.filter(assignment__scan__in=scans).count()
    empty = "the empty row stays: who saved what when, and the hash that was signed"
    return [
        Line("Masks: voxels, strokes and counts of each revision", revisions, "erased", empty),
        Line("Probability maps of predictions", maps, "erased", "deleted from storage at once"),
        Line("Answers to the questions (diagnosis, quality)", answers, "erased", "the empty row stays"),
    ]


def _before(scans: Sequence[Scan], actor: Actor) -> list[str]:
    rows = ProbabilityMap.objects.filter(revision__scan__in=scans)
    keys = set(rows.values_list("key", flat=True))
    rows.delete()
    return sorted(keys - set(ProbabilityMap.objects.filter(key__in=keys).values_list("key", flat=True)))


def _after(scans: Sequence[Scan]) -> None:
    with connection.cursor() as cursor:
        for scan in scans:
            cursor.execute("SELECT voxloop_erase_masks(%s)", [scan.pk])


PART = Part(describe=_describe, before=_before, after=_after)
