"""The campaign dashboard and the data behind each plot."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render

from annotation.pages.plots import campaign as plots
from annotation.pages.requests import PageRequest
from annotation.pages.selectors import dashboard as counted
from annotation.pages.tables import csv_file
from annotation.scans.selectors import visible_sites
from annotation.work.models import Campaign
from annotation.work.permissions import has_role
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now
from voxloop.kernel.errors import NotFound

FOUR_WEEKS = timedelta(weeks=4)


def dashboard(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The state of the campaign, in plots."""
    within = _range(request, campaign)
    found = counted.figures(request.user, campaign, within)
    end = counted.plan_end(campaign)
    people = found.minutes
    age = [first + later for first, later in found.days]
    return render(
        request,
        "dashboard.html",
        {
            "within": within,
            "found": found,
            "may_see_gold": has_role(request.user, campaign, Role.COORDINATOR),
            "forecast": counted.forecast(found.approved, end, campaign.planned_scans) if within.site is None else "",
            "approved": found.approved[-1][1] if found.approved else 0,
            "tiles": {
                "approved": plots.spark([count for _, count in found.approved][-60:] or [0]),
                "first_pass": plots.spark([100 * good / total for _, good, total in found.first_pass if total] or [0]),
                "minutes": plots.spark(_recent_minutes(found)),
                "waiting": plots.spark(age),
            },
            "burn_up": plots.burn_up(
                found.approved,
                found.handed_in,
                start=found.start,
                today=now(),
                end=end if end and end > now() and within.since is None else now(),
                planned=campaign.planned_scans if within.site is None and within.since is None else 0,
                plan_end=end,
                first_model=found.first_model,
            )
            if found.handed_in
            else "",
            "acceptance": plots.acceptance(found.first_pass) if found.first_pass else "",
            "minutes": plots.time_per_scan(people) if people else "",
            "saved": plots.minutes_saved(found.saved) if _comparable(found.saved) else "",
            "age": plots.queue_age(found.days, counted.LIMIT_DAYS) if found.waiting else "",
        },
    )


def dashboard_csv(request: PageRequest, campaign: Campaign, name: str) -> HttpResponse:
    """The data of one plot."""
    found = counted.figures(request.user, campaign, _range(request, campaign))
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "burn-up": (
            ["what", "time_utc", "scans"],
            [
                (what, at.isoformat(), count)
                for what, rows in (("handed_in", found.handed_in), ("approved", found.approved))
                for at, count in rows
            ],
        ),
        "first-pass": (["period", "accepted", "judged"], found.first_pass),
        "time-per-scan": (
            ["person", "active_minutes"],
            [(person, f"{value:.2f}") for person, values in found.minutes for value in values],
        ),
        "minutes-saved": (
            ["site", "blank_median_min", "blank_scans", "preannotated_median_min", "preannotated_scans"],
            [
                (site, _figure(blank), found.saved_counts[site][0], _figure(helped), found.saved_counts[site][1])
                for site, blank, helped in found.saved
            ],
        ),
        "queue-age": (
            ["days_waiting", "first_round", "later_rounds"],
            [(day, first, later) for day, (first, later) in enumerate(found.days)],
        ),
        "coverage": (
            ["site", "split", "ready_scans", "approved", "in_no_batch"],
            [
                (row["site"].code, row["site"].split, row["total"], row["approved"], row["free"])
                for row in found.coverage
            ],
        ),
    }
    if name not in tables:
        raise NotFound
    return csv_file(f"{campaign.slug}-{name}", *tables[name])


def _range(request: PageRequest, campaign: Campaign) -> counted.Range:
    sites = list(visible_sites(request.user).filter(scans__campaign_scans__campaign=campaign).distinct())
    site = next((site for site in sites if site.code == request.GET.get("site")), None)
    return counted.Range(now() - FOUR_WEEKS if request.GET.get("range") == "4w" else None, site, sites)


def _comparable(rows: list[tuple[str, float | None, float | None]]) -> bool:
    return any(blank is not None and helped is not None for _, blank, helped in rows)


def _recent_minutes(found: counted.Figures) -> list[float]:
    values = [value for _, minutes in found.minutes for value in minutes]
    return values[-30:] or [0]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
