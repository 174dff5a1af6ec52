"""Guard of every page: finds the object of the address, checks the role, shows refusals as messages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils.http import url_has_allowed_host_and_scheme

from annotation.datasets.selectors import visible_exports, visible_releases
from annotation.learning.selectors import visible_models
from annotation.pages.permissions import ADMINISTRATOR, ANYBODY, ROWS, Row, Scope
from annotation.pages.requests import PageRequest
from annotation.reviews.selectors import visible_arbitrations, visible_rounds
from annotation.scans.models import Site, Subject
from annotation.work.models import Campaign, CampaignMember
from annotation.work.selectors import visible_assignments, visible_batches, visible_campaigns, visible_scans
from voxloop.accounts.models import User
from voxloop.jobs.selectors import visible_jobs
from voxloop.keeping.services import note_damage
from voxloop.kernel.errors import CODE_HEADER, Damaged, Kind, Refusal

SESSION_CAMPAIGN = "campaign"


def page(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
    """An address whose view is guarded by its permission row. KeyError when it has none."""
    return path(route, guarded(view, ROWS[name]), name=name)


def guarded(view: Callable[..., HttpResponseBase], row: Row) -> Callable[..., HttpResponseBase]:
    """Wrap a view: method, visibility (404), role (403), refusals as messages."""

    @wraps(view)
    def enter(request: PageRequest, **keys: Any) -> HttpResponseBase:
        if request.method not in row.methods and not (request.method == "HEAD" and "GET" in row.methods):
            return HttpResponseNotAllowed(row.methods)
        typed = [value for form in (request.GET, request.POST) for _, values in form.lists() for value in values]
        if any("\x00" in value for value in typed):
            raise BadRequest("a NUL in the address or the form")  # PostgreSQL's text cannot hold one
        thing, campaign = _find(row.scope, request.user, keys)
        if not admits(row, request.user, campaign):
            raise PermissionDenied
        if campaign is not None and request.session.get(SESSION_CAMPAIGN) != campaign.slug:
            request.session[SESSION_CAMPAIGN] = campaign.slug
        request.campaign = campaign
        try:
            return view(request, **keys) if thing is None else view(request, thing, **keys)
        except Refusal as refusal:
            if isinstance(refusal, Damaged):
                note_damage(refusal, noticed_by=request.user)
            return _refused(request, refusal)

    vars(enter)["row"] = row  # for the tests of the permission table
    return enter


def admits(row: Row, user: User, campaign: Campaign | None) -> bool:
    """Whether the person has one of the row's roles in the campaign; without one, in any campaign."""
    if row.roles == ANYBODY:
        return True
    if ADMINISTRATOR in row.roles and user.is_administrator:
        return True
    roles = CampaignMember.objects.filter(user=user, role__in=row.roles)
    if campaign is not None:
        roles = roles.filter(campaign=campaign)
    return roles.exists()


def back(request: PageRequest, otherwise: str = "/") -> HttpResponse:
    """Redirect to the page the form was on."""
    came_from = request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure())
    return redirect(came_from if safe else otherwise)


def _find(scope: Scope, user: User, keys: dict[str, Any]) -> tuple[Any, Campaign | None]:
    """The thing the address names and its campaign; takes its key out of `keys`. Raises Http404."""
    if scope is Scope.NONE:
        return None, None
    if scope is Scope.CAMPAIGN:
        campaign = _get(visible_campaigns(user), slug=keys.pop("slug"))
        return campaign, campaign
    key = keys.pop("id")
    if scope is Scope.PERSON:
        return _get(User.objects.all(), pk=key), None
    if scope is Scope.SITE:
        return _get(Site.objects.all(), pk=key), None
    if scope is Scope.JOB:
        return _get(visible_jobs(user), pk=key), None
    if scope is Scope.SUBJECT:
        subject = _get(Subject.objects.filter(scans__in=visible_scans(user)).distinct(), pk=key)
        return subject, visible_campaigns(user).filter(campaign_scans__scan__subject=subject).first()
    if scope is Scope.SCAN:
        scan = _get(visible_scans(user).select_related("site"), pk=key)
        return scan, visible_campaigns(user).filter(campaign_scans__scan=scan).first()
    rows: dict[Scope, QuerySet[Any]] = {
        Scope.BATCH: visible_batches(user).select_related("campaign"),
        Scope.ASSIGNMENT: visible_assignments(user),
        Scope.ROUND: visible_rounds(user),
        Scope.ARBITRATION: visible_arbitrations(user),
        Scope.MODEL: visible_models(user),
        Scope.RELEASE: visible_releases(user),
        Scope.EXPORT: visible_exports(user),
    }
    thing = _get(rows[scope], pk=key)
    if scope is Scope.EXPORT:
        return thing, thing.release.campaign
    return thing, thing.annotation.campaign if scope is Scope.ROUND else thing.campaign


def _get(rows: QuerySet[Any], **key: Any) -> Any:
    thing = rows.filter(**key).first()
    if thing is None:
        raise Http404
    return thing


def _refused(request: PageRequest, refusal: Refusal) -> HttpResponse:
    if refusal.kind is Kind.NOT_FOUND:
        raise Http404
    if request.method == "POST":
        messages.error(request, refusal.detail)
        return back(request)
    if refusal.kind is Kind.FORBIDDEN:
        raise PermissionDenied
    answer = render(request, "errors/refused.html", {"detail": refusal.detail, "code": refusal.code}, status=409)
    answer[CODE_HEADER] = refusal.code
    return answer
