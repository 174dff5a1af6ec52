"""People, their roles and sites, and their tokens, log-ins and second factors."""

from secrets import token_urlsafe

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.pages.campaign_forms import SiteNameForm
from annotation.pages.people_forms import PeopleForm, PersonForm, SiteForm
from annotation.pages.requests import PageRequest
from annotation.pages.selectors import people as listed
from annotation.pages.sending import form_page, save
from annotation.pages.tables import csv_file
from annotation.pages.templatetags.figures import plural
from annotation.scans.models import Site
from annotation.scans.services import create_site, rename_site, set_site_membership
from annotation.work.campaigns import set_member
from annotation.work.handing_over import hand_back_out_of_reach
from annotation.work.models import Campaign
from annotation.work.people import close_account, invite_person, open_account
from voxloop.accounts.links import make_link
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.accounts.second_factor import has_second_factor
from voxloop.accounts.services import remove_second_factor, set_password
from voxloop.accounts.sessions import end_sessions, list_sessions
from voxloop.accounts.tokens import end_token, end_tokens, find_own_token
from voxloop.kernel.errors import Invalid

PAGE_SIZE = 50


def people(request: PageRequest) -> HttpResponse:
    """Who is here; an administrator sees all, a coordinator the members of the own campaigns."""
    form = PeopleForm(request.GET, sites=listed.sites_of_people(request.user))
    found = listed.find_people(request.user, request.GET)
    return render(
        request,
        "people.html",
        {
            "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
            "total": listed.visible_people(request.user).count(),
            "form": form,
            "kept": [("sort", request.GET["sort"])] if "sort" in request.GET else [],
            "filter": [(name, request.GET[name]) for name in ("q", "role", "site", "state") if request.GET.get(name)],
            "may_change": request.user.is_administrator,
            "default_sort": listed.DEFAULT_SORT,
        },
    )


def people_csv(request: PageRequest) -> HttpResponse:
    """The people of the filter, in its order."""
    return csv_file("people", listed.HEAD, listed.table_of(listed.find_people(request.user, request.GET)))


def people_selected_csv(request: PageRequest) -> HttpResponse:
    """The selected people: each by the id, or all that the filter of the table finds."""
    sent = request.POST
    if sent.get("all"):
        found = listed.find_people(request.user, sent)
    else:
        found = listed.people_of(request.user, sent.getlist("person"), sent.get("sort", ""))
    if not found.exists():
        raise Invalid("Select at least one person.", code="nothing_selected")
    return csv_file("people", listed.HEAD, listed.table_of(found))


def sites(request: PageRequest) -> HttpResponse:
    """The sites."""
    rows = Site.objects.annotate(n_scans=Count("scans", distinct=True), n_people=Count("memberships", distinct=True))
    return render(request, "sites.html", {"sites": rows.order_by("code")})


def site_new(request: PageRequest) -> HttpResponse:
    """Add a site."""
    form = SiteForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and (made := save(form, lambda: create_site(actor=request.user, **form.cleaned_data)))
    ):
        messages.success(request, f"Site {made} is there. Say next who sees its scans.")
        return redirect("sites")
    return form_page(
        request,
        form,
        {
            "title": "New site",
            "verb": "Make site",
            "discard": reverse("sites"),
            "lead": "A hospital, or whatever else sends scans.",
        },
    )


def site(request: PageRequest, found: Site) -> HttpResponse:
    """Rename a site. Its code is part of every scan's code, and its side of the split part of every model's history."""
    form = SiteNameForm(request.POST or None, site=found)

    def change() -> bool:
        return rename_site(site_id=found.pk, name=form.cleaned_data["name"], actor=request.user)

    if request.method == "POST" and form.is_valid() and (changed := save(form, change)) is not None:
        messages.success(
            request, f"Site {found} is {form.cleaned_data['name']} now." if changed else "Nothing changed."
        )
        return redirect("sites")
    return form_page(
        request,
        form,
        {
            "title": f"Site {found}",
            "verb": "Save site",
            "discard": reverse("sites"),
            "lead": f"{found.get_split_display()}. Code and side of the split stay: scans are numbered by the one, "
            "models and releases stand on the other.",
        },
    )


def person_new(request: PageRequest) -> HttpResponse:
    """Invite a person."""
    form = PersonForm(request.POST or None, campaigns=Campaign.objects.all(), sites=Site.objects.all())

    def invite() -> User:
        return invite_person(
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"] or token_urlsafe(32),
            actor=request.user,
            is_administrator=form.cleaned_data["is_administrator"],
            must_change_password=True,
            roles=[(campaign, role) for campaign, roles in form.roles() for role in roles],
            sites=form.cleaned_data["sites"],
        )

    if request.method == "POST" and form.is_valid() and (made := save(form, invite)):
        if not form.cleaned_data["password"]:
            return _link_page(request, made)
        messages.success(request, f"{made} can log in now.")
        return redirect("people")
    return form_page(
        request,
        form,
        {
            "title": "Invite a person",
            "verb": "Make account",
            "discard": reverse("people"),
            "lead": "The account works at once. Roles say what, sites say where.",
        },
    )


def person(request: PageRequest, found: User) -> HttpResponse:
    """Change a person's roles and sites."""
    campaigns, sites = Campaign.objects.all(), Site.objects.all()
    form = PersonForm(request.POST or None, campaigns=campaigns, sites=sites, person=found)

    @transaction.atomic
    def change() -> int:
        if form.cleaned_data["password"]:
            set_password(person=found, password=form.cleaned_data["password"], actor=request.user)
        for campaign, wanted in form.roles():
            for role in Role.values:
                set_member(campaign=campaign, user=found, role=role, is_member=role in wanted, actor=request.user)
        for site in sites:
            set_site_membership(user=found, site=site, is_member=site in form.cleaned_data["sites"], actor=request.user)
        return hand_back_out_of_reach(person=found, actor=request.user)

    if request.method == "POST" and form.is_valid() and (given_back := save(form, change)) is not None:
        told = f" {plural(given_back, 'scan')} of theirs went back to others." if given_back else ""
        messages.success(request, f"The account of {found} is as you set it.{told}")
        return redirect("people")
    return form_page(
        request,
        form,
        {
            "is_self": found == request.user,
            "title": str(found),
            "verb": "Save account",
            "discard": reverse("people"),
            "lead": "A change counts from the next click on. Unfinished scans that the person may no longer see go to "
            "others, who go on from what was drawn.",
            "found": found,
            "tokens": found.auth_token_set.all(),
            "sessions": list_sessions(found),
            "has_factor": has_second_factor(found),
        },
        "person.html",
    )


def person_access(request: PageRequest, found: User) -> HttpResponse:
    """Revoke access of a person: one token, all tokens, log-ins, or a lost second factor."""
    what = request.POST.get("end", "")
    if what == "token":
        token = find_own_token(found, request.POST.get("token_key", ""))
        if token is None:
            raise Invalid("That token has ended already.", code="no_token")
        end_token(token=token, actor=request.user)
        messages.success(request, f"The token of {found} no longer works.")
    elif what == "tokens":
        n = end_tokens(user=found, actor=request.user, why="ended by an administrator")
        messages.success(request, f"{n} of {found}'s tokens no longer work." if n else f"{found} has no token.")
    elif what == "sessions":
        end_sessions(user=found, actor=request.user, why="ended by an administrator")
        messages.success(request, f"{found} is logged out everywhere.")
    elif what == "link":
        return _link_page(request, found)
    elif what == "factor":
        remove_second_factor(person=found, actor=request.user, why=request.POST.get("why", ""))
        messages.success(request, f"{found} logs in with the password alone now, and can set up a second factor.")
    else:
        raise Invalid("Say what to end.", code="bad_choice")
    return redirect("person", found.pk)


def _link_page(request: PageRequest, found: User) -> HttpResponse:
    """A new link to choose a password by; shown once, on no page that the browser keeps."""
    link = request.build_absolute_uri(make_link(person=found, actor=request.user))
    answer = render(request, "person_link.html", {"found": found, "link": link})
    answer["Cache-Control"] = "no-store"
    return answer


def person_deactivate(request: PageRequest, found: User) -> HttpResponse:
    """Close a person's account."""
    told = close_account(person=found, actor=request.user, why=request.POST.get("reason", ""))
    count = told["given_back"]
    went = f"{count} scans went back to the others" if count != 1 else "1 scan went back to the others"
    messages.success(request, f"{found} can no longer log in; {went}.")
    return redirect("people")


def person_reactivate(request: PageRequest, found: User) -> HttpResponse:
    """Open a closed account again."""
    open_account(person=found, actor=request.user)
    messages.success(request, f"{found} can log in again, with the password and the roles from before.")
    return redirect("person", found.pk)
