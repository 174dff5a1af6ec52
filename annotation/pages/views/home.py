"""Where one lands, what is found, what the campaign asks for."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.pages.context import current_campaign
from annotation.pages.forms import CampaignForm
from annotation.pages.selectors.find import find_everything
from annotation.pages.selectors.setup import setup_progress
from annotation.work.campaigns import create_campaign
from annotation.work.models import Campaign
from annotation.work.permissions import roles_of
from annotation.work.schema import parse_schema
from annotation.work.selectors import visible_campaigns
from annotation.work.standard import CHEST_CT
from voxloop.accounts.roles import Role


def home(request: HttpRequest) -> HttpResponse:
    """Send each to what is theirs to do next."""
    campaign = current_campaign(request)
    roles = roles_of(request.user, campaign) if campaign else frozenset()
    if Role.ANNOTATOR in roles:
        return redirect("worklist")
    if roles & {Role.REVIEWER, Role.ARBITRATOR}:
        return redirect("reviews")
    if Role.COORDINATOR in roles:
        return redirect("batches", campaign.slug)
    if Role.DATA_MANAGER in roles:
        return redirect("scans", campaign.slug)
    if request.user.is_administrator:
        return redirect("people")
    return redirect("campaigns")


def setup(request: HttpRequest) -> HttpResponse:
    """The progress of the set-up; once it is done the page is loaded anew with what came in."""
    progress = setup_progress()
    if progress is None or not progress.running:
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    return render(request, "frame/setup.html", {"setup": progress})


def find(request: HttpRequest) -> HttpResponse:
    """Scans, batches and people by a part of their name."""
    words = request.GET.get("q", "").strip()[:64]
    found = find_everything(request.user, words) if words else {}
    return render(request, "find.html", {"find_query": words, "found": found, "any": any(found.values())})


def campaigns(request: HttpRequest) -> HttpResponse:
    """Every campaign one is a member of."""
    rows = [(campaign, sorted(roles_of(request.user, campaign))) for campaign in visible_campaigns(request.user)]
    return render(request, "campaigns.html", {"rows": rows})


def campaign_enter(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Look at another campaign from now on."""
    return redirect("home")


def campaign_new(request: HttpRequest) -> HttpResponse:
    """Start a campaign with the label schema that ships."""
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        campaign = create_campaign(definition=CHEST_CT, actor=request.user, **form.cleaned_data)
        messages.success(request, f"{campaign.name} is there. Give people their roles next.")
        return redirect("people")
    return render(request, "form_page.html", {
        "form": form, "title": "New campaign", "verb": "Make campaign", "discard": reverse("campaigns"), "wide": 2,
        "lead": "It starts with the chest CT label schema: findings, anatomy and three questions.",
    }, status=422 if form.errors else 200)  # fmt: skip


def guidelines(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """What to draw, and how: the guidelines and the label schema."""
    return render(request, "guidelines.html", {"schema": parse_schema(campaign.schema.definition)})
