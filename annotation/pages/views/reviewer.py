"""The reviewer's pages."""

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotation.pages.context import current_campaign
from annotation.pages.pictures import PICTURES, draw_picture
from annotation.pages.plots.campaign import queue_age
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.reviews import (
    arbitrations,
    pauses_of_reviews,
    queue,
    queue_facts,
    signing_words,
    tell,
)
from annotation.reviews.claims import claim_round, open_next_round
from annotation.reviews.models import ReviewRound
from annotation.scans.states import ScanState
from annotation.work.permissions import has_role
from voxloop.accounts.roles import Role
from voxloop.accounts.services import SIGNED_AT
from voxloop.kernel.errors import NotFound

PAGE_SIZE = 20


def reviews(request: PageRequest) -> HttpResponse:
    """What waits for a verdict, riskiest first."""
    campaign = current_campaign(request)
    oversees = campaign is not None and not has_role(request.user, campaign, Role.REVIEWER, Role.ARBITRATOR)
    waiting = queue(request.user, campaign, oversees=oversees)
    later = waiting.filter(number__gt=1)
    rows = later if request.GET.get("show") == "later" else waiting
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    told = tell(list(page.object_list), request.user)
    facts = queue_facts(request.user, campaign, waiting, oversees=oversees)
    wanted = request.GET.get("scan")
    chosen = next((row for row in told if str(row.round.pk) == wanted), told[0] if told else None)
    if chosen is not None:
        stored = request.session.get(SIGNED_AT)
        entered_at = datetime.fromisoformat(stored) if stored else None
        chosen.signing = signing_words(chosen.round.annotation.campaign, entered_at)
    return render(
        request,
        "reviews.html",
        {
            "page": page,
            "arbitrations": arbitrations(request.user, campaign, oversees=oversees),
            "may_cancel": campaign is not None and has_role(request.user, campaign, Role.COORDINATOR),
            "pauses": pauses_of_reviews(request.user, campaign) if campaign else [],
            "rows": told,
            "chosen": chosen,
            "pictures": PICTURES,
            "oversees": oversees,
            "show": request.GET.get("show", "all"),
            "count": waiting.count(),
            "count_later": later.count(),
            "facts": facts,
            "age": queue_age(facts.days, width=340, height=210) if any(map(sum, facts.days)) else "",
        },
    )


def review_claim(request: PageRequest, found: ReviewRound) -> HttpResponse:
    """Take this round and open it."""
    claimed = claim_round(round_id=found.pk, actor=request.user)
    return redirect(f"/view/{claimed.review_id}/")


def review_next(request: PageRequest) -> HttpResponse:
    """Open the round that one has begun, else take the riskiest."""
    claimed = open_next_round(actor=request.user, campaign=current_campaign(request))
    if claimed is None:
        messages.info(request, "Nothing waits for your verdict right now.")
        return redirect("reviews")
    return redirect(f"/view/{claimed.review_id}/")


def review_picture(request: PageRequest, found: ReviewRound, what: str) -> HttpResponse:
    """One slice of the scan with the author's mask, the prediction or their difference on it."""
    if what not in PICTURES or found.annotation.scan.state != ScanState.READY:
        raise NotFound
    answer = HttpResponse(draw_picture(found, what), content_type="image/png")
    answer["Cache-Control"] = "no-store"
    return answer
