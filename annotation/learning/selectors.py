"""Runs and models that a person may see, and what waits to be learned from."""

from collections import Counter

from django.db.models import Q, QuerySet

from annotation.learning.manifest import approved_rounds
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.scans.models import Scan
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from voxloop.accounts.models import User

IN_PROGRESS = ("queued", "running", "evaluating")
WITHOUT_RESULT = ("failed", "cancelled", "lost")


def visible_runs(user: User) -> QuerySet[TrainingRun]:
    """Training runs of campaigns that the person oversees."""
    rows = TrainingRun.objects.select_related("campaign", "job", "requested_by")
    return rows if user.is_administrator else rows.filter(campaign__in=campaigns_with_role(user, *OVERSEERS))


def visible_models(user: User) -> QuerySet[ModelVersion]:
    """Model versions of campaigns that the person oversees."""
    rows = ModelVersion.objects.select_related("campaign", "run")
    return rows if user.is_administrator else rows.filter(campaign__in=campaigns_with_role(user, *OVERSEERS))


def champion_of(campaign: Campaign) -> ModelVersion | None:
    """The model that serves pre-annotations."""
    return ModelVersion.objects.filter(campaign=campaign, state="champion").first()


def count_new_approvals(campaign: Campaign) -> int:
    """Approved masks that the newest run (of those that came to a result, or still may) has not seen."""
    last = TrainingRun.objects.filter(campaign=campaign).exclude(state__in=WITHOUT_RESULT).order_by("-number").first()
    seen = {item["round"] for item in last.manifest.get("items", [])} if last else set()
    return approved_rounds(campaign).filter(~Q(pk__in=seen)).count()


def count_rounds_of(model: ModelVersion) -> int:
    """How many models the campaign had before this one: the noise on acquisition scores decays with it."""
    return ModelVersion.objects.filter(campaign=model.campaign_id, number__lt=model.number).count()


def runs_with(scan: Scan) -> QuerySet[TrainingRun]:
    """Trainings whose frozen list names the scan."""
    return TrainingRun.objects.filter(manifest__contains={"items": [{"scan": str(scan.pk)}]})


def count_ended_scans(model: ModelVersion) -> dict[str, int]:
    """How many of the scans that a model learned from were withdrawn or erased since."""
    named = [item["scan"] for item in model.run.manifest.get("items", []) if item.get("split") == "train"]
    states = Scan.objects.filter(pk__in=named, state__in=["withdrawn", "erased"]).values_list("state", flat=True)
    return dict(Counter(states))
