"""Review rounds, comments, agreement, gold scans and arbitration."""

from annotation.reviews.models.arbitrations import Arbitration
from annotation.reviews.models.gold import GoldMask, GoldResult, GoldScan, StyleReading, Trial
from annotation.reviews.models.planted import PlantedFault
from annotation.reviews.models.rounds import (
    Certificate,
    Comment,
    CommentsSeen,
    ReadingPair,
    Reply,
    ReviewRound,
    RoundMask,
)

__all__ = [
    "Arbitration",
    "Certificate",
    "Comment",
    "CommentsSeen",
    "GoldMask",
    "GoldResult",
    "GoldScan",
    "PlantedFault",
    "ReadingPair",
    "Reply",
    "ReviewRound",
    "RoundMask",
    "StyleReading",
    "Trial",
]
