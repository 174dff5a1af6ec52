"""Order the scans of a campaign by how useful it is to label them next. Needs no model: the first batch is chosen too.

Hold-out sites get their share of every batch, and no model has a say in which of their scans (docs/choosing.md)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.learning.folders import job_folder
from annotation.learning.models import ModelVersion, PreAnnotation, ScanEmbedding
from annotation.learning.selectors import champion_of, count_rounds_of
from annotation.learning.stages import run_stage
from annotation.learning.states import PreAnnotationState
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.scans.volumes import read_voxels
from annotation.work.models import Assignment, Campaign, CampaignScan, ScanScore
from annotation.work.selectors import unassigned_scans
from annotation.work.states import AssignmentState
from mlservice.contract import AcquireRequest, AcquireResult, AcquireScan
from mlservice.embedding import embed
from voxloop.accounts.actors import SystemActor
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.keeping.selectors import open_damage
from voxloop.keeping.services import note_damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Damaged

RETRY_AFTER = timedelta(minutes=10)
LEAST_ML = 1.0  # a scan with less is expected to show nothing


def choose_next(held: Claim) -> dict[str, Any]:
    """Carry out a `choose_scans` job: describe new scans, then order all that are in no batch."""
    campaign = Campaign.objects.get(pk=held.job.payload["campaign"])
    with job_folder(held) as folder:
        return {"campaign": campaign.slug, "scans": rank_scans(campaign, folder / "acquire", held, (0, 99))}


def rank_scans(campaign: Campaign, folder: Path, held: Claim, span: tuple[int, int]) -> int:
    """Score every CT scan of the campaign that is in no batch, by every strategy; returns how many."""
    half = (span[0] + span[1]) // 2
    free = list(_candidates(campaign).order_by("code"))
    _describe([scan for scan in free if scan.site.split == "train"], held, (span[0], half))
    champion = champion_of(campaign)
    asked = _asked(champion, free)
    embeddings = _embeddings(campaign)
    candidates = tuple(
        found
        for scan in free
        if (found := _candidate(scan, embeddings.get(scan.pk, ()), asked.get(scan.pk))) is not None
    )
    orders: Mapping[str, Any] = {}
    if candidates:
        request = AcquireRequest(
            candidates,
            campaign.batch_size,
            seed=champion.run.seed if champion else 0,
            round=count_rounds_of(champion) if champion else 0,
            labelled=_given_out(campaign, embeddings),
        )
        result = run_stage("acquire", request, AcquireResult, folder=folder, held=held, span=(half, span[1]))
        orders = result.orders
    _store(campaign, orders, asked, str(champion) if champion else "", held)
    return len(candidates)


def choose_when_due() -> int:
    """Enqueue the choice where a scan that is ready and in no batch has no score yet. Called by beat."""
    asked = 0
    for campaign in Campaign.objects.filter(is_paused=False):
        if not _waiting(campaign).exists():
            continue
        mine = Q(payload__campaign=str(campaign.pk)) | Q(
            payload__model__in=[str(pk) for pk in campaign.models.values_list("pk", flat=True)]
        )
        jobs = Job.objects.filter(mine, kind__in=[Job.Kind.CHOOSE_SCANS, Job.Kind.PREANNOTATE])
        recent = Q(state__in=[JobState.QUEUED, JobState.RUNNING]) | Q(
            state__in=[JobState.FAILED, JobState.LOST, JobState.CANCELLED], ended_at__gt=now() - RETRY_AFTER
        )
        if not jobs.filter(recent).exists():
            key = f"choose:{campaign.pk}:{now().isoformat()}"
            enqueue(Job.Kind.CHOOSE_SCANS, payload={"campaign": str(campaign.pk)}, key=key)
            asked += 1
    return asked


def _candidates(campaign: Campaign) -> QuerySet[Scan]:
    """CT scans that are in no batch, without those whose voxels or index are known to be damaged."""
    things = set(open_damage().values_list("thing", flat=True))
    indexes = [thing.removeprefix("indexes/") for thing in things if thing.startswith("indexes/")]
    rows = unassigned_scans(campaign).filter(modality="CT").select_related("site")
    return rows.exclude(Q(pack_key__in=things) | Q(pk__in=indexes))


def _waiting(campaign: Campaign) -> QuerySet[Scan]:
    scored = ScanScore.objects.filter(campaign=campaign)
    return _candidates(campaign).exclude(pk__in=scored.values("scan_id"))


def _describe(scans: Sequence[Scan], held: Claim, span: tuple[int, int]) -> None:
    """Compute missing embeddings, each once: they are of the voxels alone."""
    known = set(ScanEmbedding.objects.filter(scan__in=scans).values_list("scan_id", flat=True))
    missing = [scan for scan in scans if scan.pk not in known]
    for position, scan in enumerate(missing):
        share = position / len(missing)
        held.report(round(span[0] + share * (span[1] - span[0])), f"Looked at {position} of {len(missing)} new scans")
        try:
            numbers = [round(float(value), 5) for value in embed(read_voxels(scan).astype(np.int16, copy=False))]
        except Damaged as found:  # the others are chosen from all the same
            note_damage(found, noticed_by=SystemActor.WORKER, during=held.job.get_kind_display())
            continue
        ScanEmbedding.objects.get_or_create(scan=scan, defaults={"numbers": numbers})


def _embeddings(campaign: Campaign) -> dict[UUID, tuple[float, ...]]:
    rows = ScanEmbedding.objects.filter(scan__campaign_scans__campaign=campaign, scan__state=ScanState.READY)
    return {scan: tuple(numbers) for scan, numbers in rows.values_list("scan_id", "numbers")}


def _asked(champion: ModelVersion | None, scans: Sequence[Scan]) -> dict[UUID, PreAnnotation]:
    """What the champion says of scans of training sites; a roll-back asks nothing again."""
    if champion is None:
        return {}
    done = [PreAnnotationState.READY, PreAnnotationState.USED]
    rows = PreAnnotation.objects.filter(
        model=champion, state__in=done, scan__in=scans, scan__site__split="train", uncertainty__isnull=False
    )
    return {row.scan_id: row for row in rows}


def _candidate(scan: Scan, embedding: tuple[float, ...], asked: PreAnnotation | None) -> AcquireScan | None:
    """None for a scan of a training site whose voxels could not be read."""
    if scan.site.split != "train":
        return AcquireScan(str(scan.pk), scan.site.code, is_held_out=True)
    if not embedding:
        return None
    if asked is None:
        return AcquireScan(str(scan.pk), scan.site.code, embedding)
    return AcquireScan(str(scan.pk), scan.site.code, embedding, asked.uncertainty, asked.extent_ml)


def _given_out(campaign: Campaign, embeddings: Mapping[UUID, tuple[float, ...]]) -> tuple[AcquireScan, ...]:
    """Scans that are in a batch or done: they count for their site, and new ones shall be unlike them."""
    rows = (
        Assignment.objects.filter(campaign=campaign, stage=Assignment.Stage.ANNOTATION, reader=1, scan__modality="CT")
        .exclude(state__in=[AssignmentState.RECLAIMED, AssignmentState.SKIPPED])
        .order_by("scan__code")
        .values_list("scan_id", "scan__site__code")
    )
    return tuple(
        AcquireScan(str(scan), site, embeddings.get(scan, ()), is_held_out=scan not in embeddings)
        for scan, site in rows
    )


@transaction.atomic
def _store(
    campaign: Campaign,
    orders: Mapping[str, Any],
    asked: Mapping[UUID, PreAnnotation],
    model: str,
    held: Claim,
) -> None:
    """Replace the campaign's scores, and the facts behind them."""
    held.check()
    # As `create_batch` does: nobody chooses from scores that are half replaced.
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    ScanScore.objects.filter(campaign=campaign).delete()
    ScanScore.objects.bulk_create(
        [
            ScanScore(
                campaign=campaign,
                scan_id=UUID(place.id),
                strategy=strategy,
                score=place.score,
                why=place.why,
                surer=place.surer,
            )
            for strategy, order in orders.items()
            for place in order
        ],
        batch_size=1000,
    )
    mine = CampaignScan.objects.filter(campaign=campaign)
    mine.exclude(score_model="").update(score_model="", uncertainty=None, extent_ml=None, finding="")
    rows = list(mine.filter(scan__in=list(asked)))
    for row in rows:
        said = asked[row.scan_id]
        row.score_model, row.uncertainty, row.extent_ml = model, said.uncertainty, said.extent_ml
        row.finding = _main_finding(said)
    CampaignScan.objects.bulk_update(rows, ["score_model", "uncertainty", "extent_ml", "finding"], batch_size=500)


def _main_finding(said: PreAnnotation) -> str:
    """The segment of which the model marks most; empty where it marks next to nothing."""
    if (said.extent_ml or 0.0) < LEAST_ML or not said.extent_ml_by_class:
        return ""
    return str(max(said.extent_ml_by_class, key=lambda key: said.extent_ml_by_class[key]))
