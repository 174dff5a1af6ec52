"""Releases that a person may see, and the approvals that a draft would include."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import CharField, Exists, F, Func, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from annotation.datasets.models import Export, Release, ReleaseItem
from annotation.datasets.states import ReleaseState
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Campaign, Eligibility
from annotation.work.permissions import OVERSEERS, campaigns_with_role, site_ids
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry


def visible_releases(user: User) -> QuerySet[Release]:
    """Releases of campaigns the person oversees, without a scan of a site they do not belong to; `yank_reason` is null
    for one that is not yanked."""
    yanked = AuditEntry.objects.filter(
        object_type=Release._meta.label_lower, object_id=Cast(OuterRef("pk"), CharField()), action="release.yanked"
    )
    rows = Release.objects.select_related("campaign", "created_by").defer("manifest").order_by("-created_at")
    rows = rows.annotate(yank_reason=Subquery(yanked.order_by("-id").values("why")[:1]))
    if user.is_administrator:
        return rows
    foreign = ReleaseItem.objects.filter(~Q(scan__site__in=site_ids(user)))
    return rows.filter(campaign__in=campaigns_with_role(user, *OVERSEERS)).exclude(pk__in=foreign.values("release_id"))


def visible_exports(user: User) -> QuerySet[Export]:
    """Exports of visible releases; `file_count` is null for one that cannot be downloaded."""
    rows = Export.objects.filter(release__in=visible_releases(user))
    rows = rows.select_related("release__campaign", "job", "created_by").defer("release__manifest", "files")
    return rows.annotate(file_count=Func(F("files"), function="jsonb_array_length", output_field=IntegerField()))


def list_candidates(release: Release) -> QuerySet[ReviewRound]:
    """The approvals that a draft would include, by scan: the newest approved or corrected round of every ready scan
    that the campaign's criteria do not exclude."""
    chosen = newest_approvals(Campaign.objects.filter(pk=release.campaign_id), **_chosen(release.filters))
    return (
        chosen.select_related(
            "author",
            "reviewer",
            "answers",
            "annotation__scan__site",
            "annotation__scan__subject__clinical",
            "annotation__scan__series__study",
        )
        .prefetch_related(
            Prefetch("masks", RoundMask.objects.select_related("approved")),
            "annotation__heads__start",
        )
        .order_by("annotation__scan__code")
    )


def newest_approvals(campaigns: QuerySet[Campaign], **chosen: Any) -> QuerySet[ReviewRound]:
    """Of every ready scan of these campaigns the newest approved or corrected round of its first reading, among those
    `chosen`; without scans that the criteria of their campaign exclude."""
    rounds = ReviewRound.objects.filter(
        state__in=[RoundState.APPROVED, RoundState.CORRECTED],
        annotation__campaign__in=campaigns,
        annotation__stage=Assignment.Stage.ANNOTATION,
        annotation__reader=1,
        annotation__scan__state=ScanState.READY,
        **chosen,
    )
    left_out = Eligibility.objects.filter(
        campaign=OuterRef("annotation__campaign"), scan=OuterRef("annotation__scan"), is_eligible=False
    )
    order = ("annotation__campaign_id", "annotation__scan_id")
    newest = rounds.exclude(Exists(left_out)).order_by(*order, "-ended_at", "-number").distinct(*order)
    return ReviewRound.objects.filter(pk__in=newest.values("pk"))


def count_scans(release: Release) -> dict[str, dict[str, int]]:
    """Scans by side of the split and site: frozen ones, or those that a draft would include."""
    if release.state == ReleaseState.DRAFT:
        rows: Iterable[tuple[str, str]] = list_candidates(release).values_list(
            "annotation__scan__site__split", "annotation__scan__site__code"
        )
    else:
        frozen = release.items.order_by().values_list("split", "scan__site__code", "scan_id").distinct()
        rows = [(side, site) for side, site, _ in frozen]
    counts: dict[str, dict[str, int]] = {}
    for side, site in rows:
        of_side = counts.setdefault(side, {})
        of_side[site] = of_side.get(site, 0) + 1
    return counts


def _chosen(filters: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if filters.get("sites"):
        chosen["annotation__scan__site__code__in"] = filters["sites"]
    if filters.get("approved_from"):
        chosen["ended_at__date__gte"] = date.fromisoformat(filters["approved_from"])
    if filters.get("approved_until"):
        chosen["ended_at__date__lte"] = date.fromisoformat(filters["approved_until"])
    return chosen


def is_in_frozen_release(found: ReviewRound) -> bool:
    """Whether a release holds this round: then its verdict is sealed."""
    return ReleaseItem.objects.filter(round=found).exists()
