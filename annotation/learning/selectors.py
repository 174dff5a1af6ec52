"""Runs and models that a person may see, and new approvals."""

from collections import Counter

from django.db.models import Q, QuerySet

from annotation.learning.manifest import approved_rounds
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.learning.states import WAITING_FOR_A_PERSON, ModelState, RunState
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from voxloop.accounts.models import User

IN_PROGRESS = (RunState.QUEUED, RunState.RUNNING, RunState.EVALUATING)
BROUGHT = "brought"  # trigger and profile of a run that measures a model from elsewhere
WITHOUT_RESULT = (RunState.FAILED, RunState.CANCELLED, RunState.LOST)


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
    return ModelVersion.objects.filter(campaign=campaign, state=ModelState.CHAMPION).first()


def hold_out_sites(campaign: Campaign) -> tuple[str, ...]:
    """Codes of the sites on which models are measured: those of the validation side with a ready scan."""
    ready = campaign.campaign_scans.filter(scan__state=ScanState.READY, scan__site__split="validation")
    return tuple(sorted(set(ready.values_list("scan__site__code", flat=True))))


def previous_champion(champion: ModelVersion) -> ModelVersion | None:
    """The version that a roll-back restores: the one among earlier versions that served last."""
    earlier = ModelVersion.objects.filter(
        campaign=champion.campaign_id, state=ModelState.REPLACED, number__lt=champion.number
    )
    return earlier.order_by("-promoted_at").first()


def waiting_models(campaign: Campaign) -> QuerySet[ModelVersion]:
    """Versions about which a person must decide; one older than the champion was passed over."""
    rows = ModelVersion.objects.filter(campaign=campaign, state__in=WAITING_FOR_A_PERSON)
    champion = champion_of(campaign)
    return rows.filter(number__gt=champion.number) if champion else rows


def count_new_approvals(campaign: Campaign) -> int:
    """Number of approved masks that the newest successful or running run has not seen."""
    trained = TrainingRun.objects.filter(campaign=campaign).exclude(trigger=BROUGHT)
    last = trained.exclude(state__in=WITHOUT_RESULT).order_by("-number").first()
    seen = {item["round"] for item in last.manifest.get("items", [])} if last else set()
    return approved_rounds(campaign).filter(~Q(pk__in=seen)).count()


def count_rounds_of(model: ModelVersion) -> int:
    """Number of earlier models of the campaign; the noise on acquisition scores decays with it."""
    return ModelVersion.objects.filter(campaign=model.campaign_id, number__lt=model.number).count()


def runs_with(scan: Scan) -> QuerySet[TrainingRun]:
    """Trainings whose frozen list names the scan."""
    return TrainingRun.objects.filter(manifest__contains={"items": [{"scan": str(scan.pk)}]})


def count_ended_scans(model: ModelVersion) -> dict[str, int]:
    """How many of the scans that a model learned from were withdrawn or erased since."""
    named = [item["scan"] for item in model.run.manifest.get("items", []) if item.get("split") == "train"]
    states = Scan.objects.filter(pk__in=named, state__in=[ScanState.WITHDRAWN, ScanState.ERASED]).values_list(
        "state", flat=True
    )
    return dict(Counter(states))


def is_learned_from(found: ReviewRound) -> bool:
    """Whether a training has this round in its frozen list: then its verdict is sealed."""
    wanted = {"items": [{"round": str(found.pk)}]}
    return TrainingRun.objects.filter(campaign=found.annotation.campaign_id, manifest__contains=wanted).exists()
