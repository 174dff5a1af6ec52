"""What is frozen with a release beside its list: how its scans came to it, scanners, agreement, quantities."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from annotation.datasets.models import Release
from annotation.reporting.models import Measurement
from annotation.reviews.models import ReadingPair, ReviewRound
from annotation.reviews.states import RoundState
from annotation.scans.clinical_terms import OLDEST
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, CampaignScan
from annotation.work.selectors import excluded

ADULT = 18  # years; children are one band
QUANTITIES = (
    *("unit", "lungs_from", "lungs", "opacity", "percent", "weight_g", "mean_hu", "lesions", "diameter_mm"),
    *("score", "severity", "parts"),
)
SCANNER = ("manufacturer", "model", "kernel", "slice_thickness_mm", "kvp", "contrast")


def flow_of(release: Release, rounds: Sequence[ReviewRound]) -> dict[str, Any]:
    """Counts of scans from received to released, of the release's sites: received = refused + withdrawn + erased + not
    converted + excluded + eligible, eligible = not labelled + labelled, labelled = not approved + approved, approved =
    not chosen + released."""
    scans = Scan.objects.filter(campaign_scans__in=CampaignScan.objects.filter(campaign=release.campaign_id)).distinct()
    if release.filters.get("sites"):
        scans = scans.filter(site__code__in=release.filters["sites"])
    if release.filters.get("sides"):
        scans = scans.filter(site__split__in=release.filters["sides"])
    states = list(scans.values_list("pk", "state", "reason_code"))
    refused = Counter(code or "other" for _, state, code in states if state in (ScanState.REJECTED, ScanState.FAILED))
    gone = Counter(state for _, state, _ in states if state in (ScanState.WITHDRAWN, ScanState.ERASED))
    ready = {pk for pk, state, _ in states if state == ScanState.READY}
    left_out = dict(excluded(release.campaign).filter(scan__in=ready).values_list("scan_id", "exclusion"))
    eligible = ready - set(left_out)
    handed_in = ReviewRound.objects.filter(
        annotation__campaign=release.campaign_id, annotation__stage=Assignment.Stage.ANNOTATION, annotation__reader=1
    ).exclude(state=RoundState.TAKEN_BACK)
    labelled = set(handed_in.values_list("annotation__scan", flat=True)) & eligible
    verdicts = Q(state__in=[RoundState.APPROVED, RoundState.CORRECTED])
    approved = set(handed_in.filter(verdicts).values_list("annotation__scan", flat=True)) & labelled
    coming = len(states) - sum(refused.values()) - sum(gone.values()) - len(ready)
    return {
        "received": len(states),
        "refused": dict(sorted(refused.items())),
        "withdrawn": gone[ScanState.WITHDRAWN],
        "erased": gone[ScanState.ERASED],
        "not_converted": coming,
        "excluded": dict(sorted(Counter(left_out.values()).items())),
        "eligible": len(eligible),
        "labelled": len(labelled),
        "approved": len(approved),
        "released": len(rounds),
    }


def scanner_of(scan: Scan) -> dict[str, Any]:
    """The facts of the acquisition, as intake kept them; missing ones are left out."""
    return {name: scan.facts[name] for name in SCANNER if scan.facts.get(name) not in (None, "")}


def readings_of(release: Release, rounds: Sequence[ReviewRound]) -> Mapping[UUID, list[dict[str, Any]]]:
    """By scan the figures of every two readings of it by different people, as handed in first."""
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    pairs = ReadingPair.objects.filter(
        campaign=release.campaign_id,
        segment=0,
        first__annotation__scan__in=[round_.annotation.scan_id for round_ in rounds],
    )
    for pair in pairs.select_related("first__annotation", "second").order_by("measured_at", "pk"):
        if pair.first.author_id != pair.second.author_id:
            figures = {name: getattr(pair, name) for name in ("dice", "surface_dice", "tolerance_mm")}
            volumes = {"first_ml": pair.first_ml, "second_ml": pair.second_ml}
            found[pair.first.annotation.scan_id].append({**figures, **volumes})
    return found


def quantities_of(rounds: Sequence[ReviewRound]) -> Mapping[UUID, dict[str, Any]]:
    """By round the kept quantities of its approved mask (`annotation.reporting`), without what follows from the labels
    themselves. A round that is not measured yet is left out."""
    found = {}
    rows = Measurement.objects.filter(round__in=rounds, fault="").only("round_id", "layer", "software", "values")
    for row in rows:
        values: Mapping[str, Any] = row.values or {}
        told = {name: values[name] for name in QUANTITIES}
        found[row.round_id] = {"layer": row.layer, "software": row.software, **told}
    return found


def clinical_of(scan: Scan) -> dict[str, str]:
    """What a release tells of the subject: age band, sex, hospitalisation, diagnosis class; what is not known is left
    out. Never an age, a test or a day."""
    kept = getattr(scan.subject, "clinical", None)
    if kept is None:
        return {}
    told = {
        "age_band": age_band(kept.age_years),
        "sex": kept.sex,
        "hospitalisation": kept.hospitalisation,
        "diagnosis_class": kept.diagnosis,
    }
    return {name: word for name, word in told.items() if word}


def age_band(years: int | None) -> str:
    """Ten years, the ends wider; empty where no age is known."""
    if years is None:
        return ""
    if years < ADULT:
        return f"under {ADULT}"
    if years >= OLDEST:
        return f"{OLDEST} and older"
    low = max(ADULT, years // 10 * 10)
    return f"{low}-{years // 10 * 10 + 9}"
