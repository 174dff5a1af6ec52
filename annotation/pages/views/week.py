"""The weekly summary of a campaign: one page, to read or to print, and its figures as a table."""

from datetime import date, timedelta

from django.http import HttpResponse
from django.shortcuts import render

from annotation.pages.plots.campaign import week_bars
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.week import DAYS, monday_of, week_of
from annotation.pages.tables import csv_file
from annotation.work.models import Campaign
from voxloop.accounts.zones import today_of

FIRST = date(2000, 1, 3)


def week(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """What was done in a week, beside the week before; `of`: any day of it."""
    found = week_of(request.user, campaign, _monday(request))
    first = monday_of(campaign.created_at.date())
    return render(
        request,
        "week.html",
        {
            "week": found,
            "bars": week_bars(found.days) if any(handed or approved for _, handed, approved in found.days) else "",
            "earlier": found.monday - timedelta(days=DAYS) if found.monday > first else None,
            "later": None if found.is_running else found.monday + timedelta(days=DAYS),
        },
    )


def week_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The figures of the week and of each person in it."""
    found = week_of(request.user, campaign, _monday(request))
    rows: list[tuple[object, ...]] = [
        ("campaign", one.words, one.unit or "count", _number(one.value), _number(one.before)) for one in found.figures
    ]
    for one in found.people:
        rows += [
            (one.name, "Scans handed in", "count", one.handed_in, ""),
            (one.name, "Approved", "count", one.approved, ""),
            (one.name, "Returned", "count", one.returned, ""),
            (one.name, "Median time per scan", "min", _number(one.minutes), ""),
            (one.name, "Verdicts", "count", one.verdicts, ""),
        ]
    for code, handed, approved in found.sites:
        rows += [
            (f"site {code}", "Scans handed in", "count", handed, ""),
            (f"site {code}", "Approved", "count", approved, ""),
        ]
    for day, handed, approved in found.days:
        rows += [
            (day.isoformat(), "Scans handed in", "count", handed, ""),
            (day.isoformat(), "Approved", "count", approved, ""),
        ]
    name = f"{campaign.slug}-week-{found.monday.isoformat()}"
    return csv_file(name, ["of", "figure", "unit", "week", "week_before"], rows)


def _monday(request: PageRequest) -> date:
    """The Monday that the address asks for; the running week's for none, for words that are no day, for days to come
    and for those before there was any campaign."""
    today = today_of(request.user)
    try:
        asked = date.fromisoformat(request.GET.get("of", ""))
    except ValueError:
        asked = today
    return monday_of(asked if FIRST <= asked <= today else today)


def _number(value: float | None) -> float | str:
    return "" if value is None else round(value, 2)
