"""Clinical records: how many there are, and a site's sheet: send it, say what it means, look, store."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.intake.clinical.mapping import FIELDS, WORDS, own_names
from annotation.intake.clinical.sheet import Sheet
from annotation.intake.records import Plan, plan_records, read_upload, remembered_mapping, store_records
from annotation.intake.waiting_sheets import fetch_sheet, forget_sheet, keep_sheet
from annotation.pages.clinical_forms import MeaningForm, SheetForm, columns_known
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.clinical import count_records
from annotation.pages.sending import form_page, save
from annotation.pages.templatetags.figures import plural
from annotation.scans.models import Site
from annotation.scans.selectors import visible_sites
from annotation.work.models import Campaign
from voxloop.kernel.errors import CODE_HEADER, Conflict, NotFound

WAITING = "clinical sheet"  # in the session: campaign, site and key of the sheet that waits for its meaning
MOST_FAULTS = 200  # shown; a sheet with more has one fault in every row


def clinical(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """What is known, and the form for a sheet; the sheet is read, and nothing of it is stored yet."""
    form = SheetForm(request.POST or None, request.FILES or None, sites=visible_sites(request.user))

    def read() -> str:
        return keep_sheet(read_upload(form.cleaned_data["file"]))

    if request.method == "POST" and form.is_valid() and (key := save(form, read)):
        request.session[WAITING] = {"campaign": campaign.slug, "site": form.cleaned_data["site"].code, "key": key}
        return redirect("clinical_sheet", campaign.slug)
    return form_page(
        request,
        form,
        {
            "counts": count_records(request.user, campaign),
            "fields": [(name, label, ", ".join(WORDS.get(name, {}))) for name, label in FIELDS.items()],
        },
        "clinical.html",
    )


def clinical_sheet(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """What the columns and words of the sheet mean, and what storing it would do; storing makes the records."""
    waiting: dict[str, Any] | None = request.session.get(WAITING)
    if waiting is None or waiting["campaign"] != campaign.slug:
        messages.info(request, "Send the sheet first.")
        return redirect("clinical", campaign.slug)
    site = visible_sites(request.user).filter(code=waiting["site"]).first()
    if site is None:
        raise NotFound
    sheet = fetch_sheet(waiting["key"])
    before = remembered_mapping(site)
    known = columns_known(sheet, before, own_names(sheet.columns))
    form = MeaningForm(request.POST or None, sheet=sheet, mapping=known, initial={"key": waiting["key"]})
    wants_store = request.POST.get("do") == "store"

    def judge() -> Plan:
        if form.cleaned_data["key"] != waiting["key"]:
            raise Conflict("Another sheet was sent meanwhile; the page shows that one now.", code="another_file")
        act = store_records if wants_store else plan_records
        mapping = form.mapping(before)
        return act(site=site, campaign=campaign, sheet=sheet, mapping=mapping, actor=request.user)

    plan = save(form, judge) if request.method == "POST" and form.is_valid() else None
    if plan is not None and wants_store:
        del request.session[WAITING]
        forget_sheet(waiting["key"])
        messages.success(request, _told(plan, site))
        return redirect("clinical", campaign.slug)
    return _show(request, form, campaign, site, sheet, plan)


def _show(
    request: PageRequest, form: MeaningForm, campaign: Campaign, site: Site, sheet: Sheet, plan: Plan | None
) -> HttpResponse:
    answer = render(
        request,
        "clinical_sheet.html",
        {
            "form": form,
            "site": site,
            "rows": len(sheet.rows) + len(sheet.ragged),
            "columns": form.column_rows(),
            "words": form.word_rows(),
            "plan": plan,
            "faults": plan.faults[:MOST_FAULTS] if plan else [],
            "more_faults": max(0, len(plan.faults) - MOST_FAULTS) if plan else 0,
            "discard": reverse("clinical", args=[campaign.slug]),
        },
        status=422 if form.errors else 200,
    )
    if "code" in vars(form):
        answer[CODE_HEADER] = vars(form)["code"]
    return answer


def _told(plan: Plan, site: Site) -> str:
    told = f"{plural(plan.new, 'record')} of site {site.code} stored, {plan.changed} changed, {plan.same} as before."
    return f"{told} {plural(len(plan.faults), 'line')} left out." if plan.faults else told
