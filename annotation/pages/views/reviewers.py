"""How sensitive reviewers are to planted faults, for the coordinator."""

from django.http import HttpResponse
from django.shortcuts import render

from annotation.pages.requests import PageRequest
from annotation.pages.selectors.reviewers import judged_faults, reviewers_page
from annotation.pages.tables import csv_file
from annotation.work.models import Campaign

HEAD = ("reviewer", "fault", "outcome", "verdict", "scan", "site", "batch", "changed_ml", "share_mended", "judged_utc")


def reviewers(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The share of planted faults that each reviewer found."""
    return render(request, "reviewers.html", {"found": reviewers_page(request.user, campaign)})


def reviewers_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Every planted reading that was judged."""
    rows = [
        (
            *(one.fault.reviewer.username, one.fault.kind, one.outcome, one.fault.round.state),
            *(one.fault.round.annotation.scan.code, one.fault.round.annotation.scan.site.code),
            *(one.fault.round.annotation.batch.name, f"{one.fault.changed_ml:.3f}"),
            "" if one.fault.restored is None else f"{one.fault.restored:.3f}",
            one.fault.round.ended_at.isoformat() if one.fault.round.ended_at else "",
        )
        for one in judged_faults(request.user, campaign)
    ]
    return csv_file(f"{campaign.slug}-planted-faults", HEAD, rows)
