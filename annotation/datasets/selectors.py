"""Releases that a person may see, and the approvals that a draft would take."""

from datetime import date
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from annotation.datasets.models import Export, Release, ReleaseItem
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.work.models import Assignment
from annotation.work.permissions import OVERSEERS, campaigns_with_role, site_ids
from voxloop.accounts.models import User


def visible_releases(user: User) -> QuerySet[Release]:
    """Releases of campaigns the person oversees, without a scan of a site they do not belong to."""
    rows = Release.objects.select_related("campaign", "created_by").defer("manifest").order_by("-created_at")
    if user.is_administrator:
        return rows
    foreign = ReleaseItem.objects.filter(~Q(scan__site__in=site_ids(user)))
    return rows.filter(campaign__in=campaigns_with_role(user, *OVERSEERS)).exclude(pk__in=foreign.values("release_id"))


def visible_exports(user: User) -> QuerySet[Export]:
    """Exports of visible releases."""
    return Export.objects.filter(release__in=visible_releases(user)).select_related("release", "job", "created_by")


def list_candidates(release: Release) -> QuerySet[ReviewRound]:
    """The approvals that a draft would take, by scan: the newest approved or corrected round of every ready scan."""
    rounds = ReviewRound.objects.filter(
        state__in=["approved", "corrected"],
        annotation__campaign=release.campaign_id,
        annotation__stage=Assignment.Stage.ANNOTATION,
        annotation__scan__state="ready",
        **_chosen(release.filters),
    )
    newest = rounds.order_by("annotation__scan_id", "-ended_at", "-number").distinct("annotation__scan_id")
    return (
        ReviewRound.objects.filter(pk__in=newest.values("pk"))
        .select_related(
            "author",
            "reviewer",
            "answers",
            "annotation__scan__site",
            "annotation__scan__subject",
            "annotation__scan__series__study",
        )
        .prefetch_related(
            Prefetch("masks", RoundMask.objects.select_related("approved")),
            "annotation__heads__start",
        )
        .order_by("annotation__scan__code")
    )


def count_scans(release: Release) -> dict[str, dict[str, int]]:
    """Scans by side of the split and site: frozen ones, or those that a draft would take."""
    if release.state == "draft":
        rows = list_candidates(release).values_list("annotation__scan__site__split", "annotation__scan__site__code")
    else:
        rows = release.items.order_by().values_list("split", "scan__site__code", "scan_id").distinct()
    counts: dict[str, dict[str, int]] = {}
    for side, site, *_ in rows:
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
