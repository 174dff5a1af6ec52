"""Judge the scans of a campaign by its criteria, and store the outcome. A person's decisions are kept."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from annotation.scans.models import Scan, Study
from annotation.scans.states import ScanState
from annotation.work.eligibility.rules import (
    ANOTHER_PICKED,
    DUPLICATE,
    NOT_PICKED,
    OVERRULED,
    Facts,
    Reason,
    Rules,
    advise,
    judge,
)
from annotation.work.models import Campaign, Criteria, Eligibility, Overrule
from voxloop.accounts.actors import Actor, SystemActor
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.jobs.running import Claim
from voxloop.jobs.services import enqueue
from voxloop.kernel.clock import now
from voxloop.kernel.ids import new_id

MOST_AT_ONCE = 300  # scans; more are judged by a job
COLUMNS = ["is_eligible", "exclusion", "reasons", "advice", "is_picked", "judged_at"]


def rules_of(campaign: Campaign) -> Rules | None:
    """The criteria in force; None where there are none, and every scan is eligible."""
    found = Criteria.objects.filter(campaign=campaign).first()
    return None if found is None else Rules.from_json(found.definition)


def judge_soon(campaign: Campaign, actor: Actor) -> Job | None:
    """Judge every scan of a campaign: at once, or by a job (which is returned) where they are many."""
    if Scan.objects.filter(campaign_scans__campaign=campaign).count() <= MOST_AT_ONCE:
        judge_campaign(campaign, actor=actor)
        return None
    return enqueue(
        Job.Kind.JUDGE_SCANS,
        payload={"campaign": str(campaign.pk), "name": f"Eligibility in {campaign.name}"},
        key=f"judge:{campaign.pk}:{new_id()}",
        actor=actor,
    )


def judge_job(claim: Claim) -> dict[str, Any]:
    """The job of `judge_soon`."""
    campaign = Campaign.objects.get(pk=claim.job.payload["campaign"])
    claim.report(5, "Judging the scans by the criteria")
    changed = judge_campaign(campaign, actor=claim.job.requested_by or SystemActor.WORKER, claim=claim)
    return {"changed": changed}


def judge_subjects(subjects: Iterable[UUID], actor: Actor) -> None:
    """Judge again what changed records may change: the studies of these subjects, in every campaign with criteria."""
    ids = list(subjects)
    studies = list(Study.objects.filter(subject__in=ids).values_list("pk", flat=True))
    campaigns = Campaign.objects.filter(criteria__isnull=False, campaign_scans__scan__subject__in=ids)
    for campaign in campaigns.distinct():
        if len(studies) > MOST_AT_ONCE:
            judge_soon(campaign, actor)
        else:
            judge_campaign(campaign, actor=actor, studies=studies)


def judge_study_of(campaign: Campaign, scan: Scan, actor: Actor) -> None:
    """Judge a scan, and the other series of its study, which depend on it."""
    judge_campaign(campaign, actor=actor, studies=[scan.series.study_id] if scan.series else [])


def judge_without(*, scan: Scan, actor: Actor) -> None:
    """A scan is used no more: its judgement goes, and what depended on it is judged again, the rest of its study and
    scans with the same voxels (registered with `scans.services.on_withdrawn`)."""
    Eligibility.objects.filter(scan=scan).delete()
    twins = Scan.objects.filter(pack_key=scan.pack_key).exclude(series=None)
    studies = list(twins.values_list("series__study", flat=True).distinct())
    for campaign in Campaign.objects.filter(criteria__isnull=False, campaign_scans__scan=scan):
        judge_campaign(campaign, actor=actor, studies=studies, without=scan)


@transaction.atomic
def judge_campaign(
    campaign: Campaign,
    *,
    actor: Actor,
    claim: Claim | None = None,
    studies: Sequence[UUID] | None = None,
    without: Scan | None = None,
) -> int:
    """Judge the ready scans of a campaign, or of some of its studies; returns how many became eligible or ceased to be.
    Without criteria all judgements go, and with them every decision."""
    if claim is not None:
        claim.check()
    Campaign.objects.select_for_update().get(pk=campaign.pk)  # one judgement of a campaign at a time
    rules = rules_of(campaign)
    if rules is None:
        gone = Eligibility.objects.filter(campaign=campaign)
        excluded = gone.filter(is_eligible=False).count()
        gone.delete()
        return int(excluded)
    ready = Scan.objects.filter(campaign_scans__campaign=campaign, state=ScanState.READY)
    if without is not None:
        ready = ready.exclude(pk=without.pk)
    scans = _scans_of(ready, studies)
    kept = Eligibility.objects.filter(campaign=campaign, scan__in=[scan.pk for scan in scans])
    before = {row.scan_id: row for row in kept}
    was = {pk: _outcome(row) for pk, row in before.items()}
    rows = {scan.pk: before.get(scan.pk) or Eligibility(campaign=campaign, scan=scan) for scan in scans}
    _judge_each(rules, scans, rows)
    _mark_duplicates(ready, scans, rows)
    if rules.one_per_study:
        _one_of_each_study(scans, rows)
    stored = [row for pk, row in rows.items() if pk in was and was[pk] != _outcome(row)]
    for row in stored:
        row.judged_at = now()
    Eligibility.objects.bulk_update(stored, COLUMNS, batch_size=500)
    Eligibility.objects.bulk_create([row for pk, row in rows.items() if pk not in was], batch_size=500)
    # What was not judged before counted as eligible.
    changed = len([pk for pk, row in rows.items() if row.is_eligible != (pk not in was or was[pk][0])])
    if changed:
        told = {"eligible": sum(row.is_eligible for row in rows.values()), "scans": len(rows), "changed": changed}
        record(actor=actor, action="eligibility.judged", target=campaign, new=told)
    return changed


def _outcome(row: Eligibility) -> tuple[Any, ...]:
    return row.is_eligible, row.exclusion, [list(told) for told in row.reasons], row.advice, row.is_picked


def _scans_of(ready: QuerySet[Scan], studies: Sequence[UUID] | None) -> Sequence[Scan]:
    rows = ready if studies is None else ready.filter(series__study__in=studies)
    return list(
        rows.select_related("subject__clinical", "series__study")
        .prefetch_related("subject__clinical__tests")
        .defer("index")
        .order_by("created_at", "code")
    )


def facts_of(scan: Scan) -> Facts:
    """What is known of a ready scan and its subject."""
    shape, spacing = scan.shape_zyx or (0, 0, 0), scan.spacing_mm_zyx or (0.0, 0.0, 0.0)
    kept = getattr(scan.subject, "clinical", None)
    tests = [test.day for test in kept.tests.all()] if kept else []
    day = scan.series.study.day if scan.series else None
    told = scan.facts.get("slice_thickness_mm")
    return Facts(
        modality=scan.modality,
        body_part=str(scan.facts.get("body_part") or ""),
        has_lungs=bool(scan.limit_key),
        kernel=str(scan.facts.get("kernel") or ""),
        thickness_mm=float(told) if told else None,
        step_mm=float(spacing[0]),
        slices=int(shape[0]),
        has_record=kept is not None,
        age_years=kept.age_years if kept else None,
        has_test=bool(tests),
        has_day=day is not None,
        days_to_test=min(abs(test - day) for test in tests) if tests and day is not None else None,
    )


def _judge_each(rules: Rules, scans: Sequence[Scan], rows: Mapping[UUID, Eligibility]) -> None:
    for scan in scans:
        facts, row = facts_of(scan), rows[scan.pk]
        row.advice = advise(rules, facts)
        _say(row, judge(rules, facts))


def _say(row: Eligibility, reasons: Sequence[Reason]) -> None:
    """The outcome of reasons and of what a person decided."""
    row.reasons = [[reason.code, reason.sentence] for reason in reasons]
    if row.overruled == Overrule.TAKEN:
        row.is_eligible, row.exclusion = True, ""
    elif row.overruled == Overrule.LEFT_OUT:
        row.is_eligible, row.exclusion = False, OVERRULED
    else:
        row.is_eligible, row.exclusion = not reasons, reasons[0].code if reasons else ""


def _add(row: Eligibility, code: str, sentence: str) -> None:
    _say(row, [*(Reason(*told) for told in row.reasons), Reason(code, sentence)])


def _mark_duplicates(ready: QuerySet[Scan], scans: Sequence[Scan], rows: Mapping[UUID, Eligibility]) -> None:
    """Scans with the same voxels as an earlier one of the campaign, whatever the headers say: a pack is named by the
    hash of its content."""
    same = ready.filter(pack_key__in={scan.pack_key for scan in scans})
    first: dict[str, Scan] = {}
    for known in same.only("pack_key", "code", "subject_id").order_by("created_at", "code"):
        first.setdefault(known.pack_key, known)
    for scan in scans:
        known = first[scan.pack_key]
        if known.pk != scan.pk:
            whose = "" if known.subject_id == scan.subject_id else ", which came under another subject"
            _add(rows[scan.pk], DUPLICATE, f"The same voxels as {known.code}{whose}.")


def _one_of_each_study(scans: Sequence[Scan], rows: Mapping[UUID, Eligibility]) -> None:
    studies: dict[UUID, list[Scan]] = defaultdict(list)
    for scan in scans:
        if scan.series is not None and rows[scan.pk].is_eligible:
            studies[scan.series.study_id].append(scan)
        elif rows[scan.pk].pk is not None:
            rows[scan.pk].is_picked = False  # it cannot stand for its study any more
    for group in studies.values():
        if len(group) < 2:
            continue
        picked = next((scan for scan in group if rows[scan.pk].is_picked), None)
        for scan in group:
            if picked is None:
                _add(rows[scan.pk], NOT_PICKED, f"{len(group)} series of the study could be taken; pick one.")
            elif scan is not picked:
                _add(rows[scan.pk], ANOTHER_PICKED, f"{picked.code} was picked for the study.")
