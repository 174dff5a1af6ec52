"""Data of erased scans in reviews: comments, replies and reasons."""

from collections.abc import Sequence

from annotation.reviews.models import Comment, GoldResult, GoldScan, PlantedFault, ReadingPair, Reply, ReviewRound
from annotation.scans.erasing import Line, Part
from annotation.scans.models import Scan
from voxloop.accounts.actors import Actor

ERASED = "(erased)"


def _describe(scans: Sequence[Scan]) -> list[Line]:
    said = Comment.objects.filter(round__annotation__scan__in=scans).count()
    said += Reply.objects.filter(comment__round__annotation__scan__in=scans).count()
    rounds = ReviewRound.with_planted.filter(annotation__scan__in=scans).count()
    pairs = ReadingPair.objects.filter(first__annotation__scan__in=scans).count()
    gold = GoldResult.objects.filter(gold__scan__in=scans).count()
    planted = PlantedFault.objects.filter(source__annotation__scan__in=scans).count()
    return [
        Line("Agreement of readers", pairs, "erased", "the figures of two readings of one scan"),
        Line("Gold scans and their readers' figures", gold, "erased", "the figures, and that the scan was gold"),
        Line("Planted faults", planted, "erased", "what they say of their reviewers"),
        Line("Comments and replies", said, "erased", "text and positions; author and time stay"),
        Line("Reviews", rounds, "kept", "the verdict, who signed it and for which hashes; reasons of risk are deleted"),
    ]


def _before(scans: Sequence[Scan], actor: Actor) -> list[str]:
    comments = Comment.objects.filter(round__annotation__scan__in=scans)
    Reply.objects.filter(comment__in=comments).update(text=ERASED)
    comments.update(text=ERASED, i=None, j=None, k=None)
    ReviewRound.with_planted.filter(annotation__scan__in=scans).update(reasons=[], looked_at=[], risk=0)
    ReadingPair.objects.filter(first__annotation__scan__in=scans).delete()
    PlantedFault.objects.filter(source__annotation__scan__in=scans).delete()
    GoldScan.objects.filter(scan__in=scans).delete()  # with its masks' places and its readers' figures
    return []


PART = Part(describe=_describe, before=_before, after=lambda scans: None)
