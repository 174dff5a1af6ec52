"""Eligibility: the criteria of a campaign, and the queue in which a data manager picks and overrules."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.pages.eligibility_forms import CriteriaForm
from annotation.pages.guard import back
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.eligibility import count_codes, count_shows, find_studies, groups_of
from annotation.pages.sending import form_page, save
from annotation.pages.tables import csv_file
from annotation.scans.models import Scan
from annotation.work.eligibility.deciding import overrule, pick_series, set_criteria, undo_overrule
from annotation.work.eligibility.judging import rules_of
from annotation.work.eligibility.rules import CHEST_CT_RULES, CODES, in_words
from annotation.work.models import Campaign, Overrule
from annotation.work.permissions import has_role
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job
from voxloop.kernel.errors import Invalid

PAGE_SIZE = 10  # studies
HEAD = ("scan", "site", "subject", "eligible", "code", "reasons", "advice", "picked", "overruled", "why", "by")


def eligibility(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """The scans, study by study, with reasons and what can be decided."""
    rules = rules_of(campaign)
    page = Paginator(find_studies(request.user, campaign, request.GET), PAGE_SIZE).get_page(request.GET.get("page"))
    counts = count_shows(request.user, campaign)
    shows = (
        ("", "All"),
        ("pick", "To pick"),
        ("excluded", "Excluded"),
        ("eligible", "Eligible"),
        ("decided", "Decided"),
    )
    code = request.GET.get("code", "")
    return render(
        request,
        "eligibility.html",
        {
            "rules": rules,
            "told": in_words(rules) if rules else [],
            "page": page,
            "groups": groups_of(request.user, campaign, page.object_list),
            "shows": [(name, words, counts[name]) for name, words in shows],
            "show": request.GET.get("show", ""),
            "code": code,
            "code_told": CODES.get(code, code),
            "codes": count_codes(request.user, campaign),
            "total": counts[""],
            "eligible": counts["eligible"],
            "may_decide": has_role(request.user, campaign, Role.DATA_MANAGER),
        },
    )


def eligibility_csv(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Every judged scan with its reasons."""
    groups = groups_of(request.user, campaign, find_studies(request.user, campaign, request.GET))
    rows = (
        (
            card.scan.code,
            group.site,
            group.subject.pseudonym if group.subject else "",
            "yes" if card.row.is_eligible else "no",
            card.row.exclusion,
            " ".join(sentence for _, sentence in card.row.reasons),
            card.row.advice,
            "yes" if card.row.is_picked else "",
            card.row.overruled,
            card.row.overruled_why,
            str(card.row.overruled_by or ""),
        )
        for group in groups
        for card in group.cards
    )
    return csv_file(f"{campaign.slug}-eligibility", HEAD, rows)


def criteria(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Change the criteria; a campaign without any is offered those of the chest CT campaign."""
    known = rules_of(campaign)
    form = CriteriaForm(request.POST or None, rules=known or CHEST_CT_RULES)

    def put() -> tuple[bool, Job | None]:
        wanted = None if request.POST.get("do") == "drop" else form.rules()
        return set_criteria(campaign=campaign, rules=wanted, actor=request.user)

    if request.method == "POST" and form.is_valid() and (done := save(form, put)):
        changed, job = done
        new = "The scans are judged by the new criteria." if rules_of(campaign) else "Every scan is eligible again."
        told = new if changed else "Nothing was changed."
        messages.success(request, "The scans are judged now; it takes a while." if job else told)
        return redirect("job", job.pk) if job else redirect("eligibility", campaign.slug)
    return form_page(
        request,
        form,
        {
            "title": "Criteria of eligibility",
            "lead": "What a scan must be to be offered to a batch. An empty field asks for nothing. What is in a batch "
            "stays there."
            if known
            else "None are in force: every scan is eligible. The fields are filled in as for a campaign of chest CT; "
            "nothing counts before you save.",
            "verb": "Save criteria",
            "busy": "Judging…",
            "wide": 2,
            "discard": reverse("eligibility", args=[campaign.slug]),
            "known": known,
        },
        "criteria.html",
    )


def eligibility_decide(request: PageRequest, campaign: Campaign, scan: UUID, do: str) -> HttpResponse:
    """Pick a series, overrule the criteria, or take either back."""
    actor, why = request.user, request.POST.get("reason", "")
    acts: dict[str, tuple[str, Callable[[], Scan]]] = {
        "pick": ("stands for its study", lambda: pick_series(campaign=campaign, scan_id=scan, actor=actor)),
        "unpick": (
            "is not picked any more",
            lambda: pick_series(campaign=campaign, scan_id=scan, actor=actor, is_picked=False),
        ),
        "take": (
            "is taken nevertheless",
            lambda: overrule(campaign=campaign, scan_id=scan, to=Overrule.TAKEN, why=why, actor=actor),
        ),
        "leave-out": (
            "is left out",
            lambda: overrule(campaign=campaign, scan_id=scan, to=Overrule.LEFT_OUT, why=why, actor=actor),
        ),
        "undo": (
            "is judged by the criteria again",
            lambda: undo_overrule(campaign=campaign, scan_id=scan, actor=actor),
        ),
    }
    if do not in acts:
        raise Invalid("There is no such decision.", code="bad_choice")
    words, act = acts[do]
    messages.success(request, f"{act().code} {words}.")
    return back(request, reverse("eligibility", args=[campaign.slug]))
