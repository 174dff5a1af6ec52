"""Campaigns, label schemas, members, batches and assignments."""

from annotation.work.models.batches import GOLD_READERS_FROM, Assignment, Batch
from annotation.work.models.campaigns import (
    Campaign,
    CampaignMember,
    CampaignScan,
    LabelSchema,
    ReviewPolicy,
    ScanScore,
    SeenPolicy,
    SignaturePolicy,
    Strategy,
    TrainStart,
)
from annotation.work.models.eligibility import Criteria, Eligibility, Overrule

__all__ = [
    "GOLD_READERS_FROM",
    "Assignment",
    "Batch",
    "Campaign",
    "CampaignMember",
    "CampaignScan",
    "Criteria",
    "Eligibility",
    "LabelSchema",
    "Overrule",
    "ReviewPolicy",
    "ScanScore",
    "SeenPolicy",
    "SignaturePolicy",
    "Strategy",
    "TrainStart",
]
