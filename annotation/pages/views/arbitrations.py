"""Arbitrations from the page of reviews: take one, leave one, or have the readings reviewed instead."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from annotation.pages.requests import PageRequest
from annotation.reviews.arbitrators import cancel_arbitration, claim_arbitration, give_back_arbitration
from annotation.reviews.models import Arbitration


def arbitration_claim(request: PageRequest, found: Arbitration) -> HttpResponse:
    """Take it and open it."""
    claimed = claim_arbitration(arbitration_id=found.pk, actor=request.user)
    return redirect(f"/view/{_desk_of(claimed)}/")


def arbitration_give_back(request: PageRequest, found: Arbitration) -> HttpResponse:
    """Leave it to others."""
    done = give_back_arbitration(arbitration_id=found.pk, actor=request.user)
    messages.success(request, f"{done.scan.code} waits for another arbitrator.")
    return redirect("reviews")


def arbitration_cancel(request: PageRequest, found: Arbitration) -> HttpResponse:
    """Have each reading reviewed by itself."""
    done = cancel_arbitration(arbitration_id=found.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"The readings of {done.scan.code} are reviewed one by one.")
    return redirect("reviews")


def _desk_of(row: Arbitration) -> UUID | None:
    return row.round.review_id
