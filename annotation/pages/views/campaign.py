"""A campaign after its creation: settings, and pauses of it, of a batch and of a person."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from annotation.learning.models import TrainingRun
from annotation.pages.campaign_forms import CloneForm, SettingsForm
from annotation.pages.guard import back
from annotation.pages.policy_words import fixed_of
from annotation.pages.requests import PageRequest
from annotation.pages.sending import form_page, save
from annotation.pages.templatetags.figures import plural
from annotation.work.campaigns import change_campaign, pause_campaign, resume_campaign
from annotation.work.certifying import ask_to_certify_again
from annotation.work.cloning import clone_campaign
from annotation.work.models import Batch, Campaign
from annotation.work.pausing import pause_batch, pause_person, resume_batch, resume_person
from annotation.work.schema import parse_schema


def campaign_settings(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Change what may be changed."""
    form = SettingsForm(request.POST or None, campaign=campaign)

    def change() -> list[str]:
        with transaction.atomic():
            done = change_campaign(campaign=campaign, actor=request.user, **form.wanted())
            if form.cleaned_data["certify_again"]:
                ask_to_certify_again(campaign=campaign, actor=request.user, why=form.cleaned_data["certify_why"])
                done.append("certify_again")
        return done

    if request.method == "POST" and form.is_valid() and (changed := save(form, change)) is not None:
        told = f"{plural(len(changed), 'setting')} of {form.cleaned_data['name']} changed." if changed else ""
        messages.success(request, told or "Nothing was changed.")
        return redirect("campaign_settings", campaign.slug)
    return form_page(
        request,
        form,
        {
            "title": f"Settings of {campaign.name}",
            "verb": "Save settings",
            "discard": reverse("campaigns"),
            "wide": 2,
            "lead": "A policy counts from now on; what was handed in or signed before stays as it is. Every change is "
            "in the audit log.",
            "found": campaign,
            "fixed": fixed_of(
                campaign,
                has_scans=campaign.campaign_scans.exists(),
                has_models=TrainingRun.objects.filter(campaign=campaign).exists(),
            ),
        },
        "campaign_settings.html",
    )


def campaign_clone(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Make another campaign from this one: policies, label schema, guidelines, and who is ticked."""
    rows = campaign.members.filter(user__is_active=True).select_related("user").order_by("user__username", "role")
    members = [(f"{row.user_id}:{row.role}", f"{row.user}, {row.get_role_display().lower()}") for row in rows]
    form = CloneForm(request.POST or None, members=members)

    def clone() -> Campaign:
        name, slug = form.cleaned_data["name"], form.cleaned_data["slug"]
        return clone_campaign(source=campaign, name=name, slug=slug, members=form.wanted_members(), actor=request.user)

    if request.method == "POST" and form.is_valid() and (made := save(form, clone)):
        messages.success(request, f"{made} is there, with what came along. Look at its settings, then add scans.")
        return redirect("campaign_settings", made.slug)
    context = {
        "title": f"Clone {campaign.name}",
        "verb": "Make campaign",
        "discard": reverse("campaigns"),
        "lead": "The same rules and people for other scans.",
        "found": campaign,
        "schema": parse_schema(campaign.schema.definition),
    }
    return form_page(request, form, context, "campaign_clone.html")


def campaign_pause(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Give out no more work."""
    pause_campaign(campaign=campaign, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{campaign.name} is paused. What is open can still be saved and handed in.")
    return back(request)


def campaign_resume(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Give out work again."""
    resume_campaign(campaign=campaign, actor=request.user)
    messages.success(request, f"{campaign.name} goes on.")
    return back(request)


def batch_pause(request: PageRequest, found: Batch) -> HttpResponse:
    """Give out no more scans of a batch."""
    done = pause_batch(batch_id=found.pk, actor=request.user, why=request.POST.get("reason", ""))
    messages.success(request, f"{done} is paused. What is open in it can still be saved and handed in.")
    return back(request)


def batch_resume(request: PageRequest, found: Batch) -> HttpResponse:
    """Give out its scans again."""
    messages.success(request, f"{resume_batch(batch_id=found.pk, actor=request.user)} goes on.")
    return back(request)


def member_pause(request: PageRequest, campaign: Campaign, person: UUID) -> HttpResponse:
    """Give a person no more work in the campaign."""
    why = request.POST.get("reason", "")
    done = pause_person(campaign=campaign, person_id=person, actor=request.user, why=why)
    messages.success(request, f"{done} is paused in {campaign}. What {done} has open can still be saved and handed in.")
    return back(request)


def member_resume(request: PageRequest, campaign: Campaign, person: UUID) -> HttpResponse:
    """Give a person work again."""
    done = resume_person(campaign=campaign, person_id=person, actor=request.user)
    messages.success(request, f"{done} goes on in {campaign}.")
    return back(request)
