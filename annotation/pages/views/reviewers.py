"""What measures people, for the coordinator: planted faults of reviewers, the style of an annotator."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from annotation.pages.requests import PageRequest
from annotation.pages.selectors.reviewers import judged_faults, reviewers_page
from annotation.pages.selectors.style import HEAD as STYLE_HEAD
from annotation.pages.selectors.style import style_of, style_readings, table_of
from annotation.pages.tables import csv_file
from annotation.work.models import Campaign, CampaignMember
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.errors import NotFound

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


def reader_style(request: PageRequest, campaign: Campaign, person: UUID) -> HttpResponse:
    """How an annotator marks beside the panel."""
    reader = _reader(campaign, person)
    found = style_of(campaign, style_readings(request.user, campaign, reader))
    return render(request, "reader_style.html", {"reader": reader, "found": found})


def reader_style_csv(request: PageRequest, campaign: Campaign, person: UUID) -> HttpResponse:
    """Every reading that the style was measured on."""
    reader = _reader(campaign, person)
    rows = table_of(reader, style_readings(request.user, campaign, reader))
    return csv_file(f"{campaign.slug}-style-{reader.username}", STYLE_HEAD, rows)


def _reader(campaign: Campaign, person: UUID) -> User:
    member = CampaignMember.objects.filter(campaign=campaign, user=person, role=Role.ANNOTATOR).first()
    if member is None:
        raise NotFound
    return member.user
