"""Start page, search, campaigns and guidelines."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.pages.context import current_campaign
from annotation.pages.forms import CampaignForm
from annotation.pages.guard import admits
from annotation.pages.permissions import ROWS
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.find import find_everything
from annotation.pages.selectors.setup import setup_progress
from annotation.pages.sending import form_page, save
from annotation.work.campaigns import create_campaign
from annotation.work.models import Campaign
from annotation.work.permissions import roles_of
from annotation.work.schema import parse_schema
from annotation.work.selectors import visible_campaigns
from voxloop.accounts.roles import Role


def home(request: PageRequest) -> HttpResponse:
    """Redirect each person to their next task."""
    campaign = current_campaign(request)
    if campaign is None:
        return redirect("people" if request.user.is_administrator else "campaigns")
    roles = roles_of(request.user, campaign)
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


def setup(request: PageRequest) -> HttpResponse:
    """The progress of the set-up; reloads the page once it is done."""
    progress = setup_progress()
    if progress is None or not progress.running:
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    return render(request, "frame/setup.html", {"setup": progress})


def find(request: PageRequest) -> HttpResponse:
    """Scans, batches and people by a part of their name."""
    words = request.GET.get("q", "").strip()[:64]
    found = find_everything(request.user, words) if words else {}
    return render(request, "find.html", {"find_query": words, "found": found, "any": any(found.values())})


def campaigns(request: PageRequest) -> HttpResponse:
    """Every campaign one is a member of."""
    rows = [(campaign, sorted(roles_of(request.user, campaign))) for campaign in visible_campaigns(request.user)]
    may_make = admits(ROWS["campaign_new"], request.user, None)
    return render(request, "campaigns.html", {"rows": rows, "may_make": may_make})


def campaign_enter(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Switch to another campaign."""
    return redirect("home")


def campaign_new(request: PageRequest) -> HttpResponse:
    """Start a campaign with a label schema that ships, that of another campaign, or one from a file."""
    form = CampaignForm(
        request.POST or None, request.FILES or None, campaigns=visible_campaigns(request.user).select_related("schema")
    )
    if (
        request.method == "POST"
        and form.is_valid()
        and (campaign := save(form, lambda: create_campaign(actor=request.user, **form.cleaned_data)))
    ):
        if request.user.is_administrator:
            messages.success(request, f"{campaign.name} is there. Give people their roles next.")
            return redirect("people")
        messages.success(
            request,
            f"{campaign.name} is there, and you coordinate it. An administrator gives others their roles in it.",
        )
        return redirect("schema_edit", campaign.slug)
    return form_page(
        request,
        form,
        {
            "title": "New campaign",
            "verb": "Make campaign",
            "discard": reverse("campaigns"),
            "wide": 2,
            "lead": "The label schema says what is drawn and what is asked of every scan.",
        },
    )


def guidelines(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """What to draw, and how: the guidelines and the label schema."""
    return render(request, "guidelines.html", {"schema": parse_schema(campaign.schema.definition)})


def schema_file(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Download the label schema, to keep it or to edit it for another campaign."""
    answer = JsonResponse(campaign.schema.definition, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{campaign.slug}-schema.json"'
    return answer
