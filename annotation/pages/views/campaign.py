"""A campaign after its creation: settings, and a pause."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from annotation.pages.campaign_forms import SettingsForm
from annotation.pages.guard import back
from annotation.pages.requests import PageRequest
from annotation.pages.sending import form_page, save
from annotation.pages.templatetags.figures import plural
from annotation.work.campaigns import change_campaign, pause_campaign, resume_campaign
from annotation.work.models import Campaign


def campaign_settings(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Change what may be changed."""
    form = SettingsForm(request.POST or None, campaign=campaign)

    def change() -> list[str]:
        return change_campaign(campaign=campaign, actor=request.user, **form.wanted())

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
        },
        "campaign_settings.html",
    )


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
