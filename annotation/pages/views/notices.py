"""One's own notices: the list, reading them, and which kinds come where."""

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotation.notices.kinds import Channel, NoticeKind
from annotation.notices.selectors import find_notices
from annotation.notices.services import choose, mark_read, switched_off
from annotation.pages.requests import PageRequest
from voxloop.kernel.errors import CODE_HEADER, Invalid, NotFound, Refusal

A_PAGE = 50


def notices(request: PageRequest) -> HttpResponse:
    """The list; `show=unread` narrows it."""
    off = switched_off(request.user)
    return _page(request, {f"{kind}:{channel}" for kind in NoticeKind for channel in Channel} - off)


def _page(request: PageRequest, wanted: Collection[str], refused: Refusal | None = None) -> HttpResponse:
    """With what is `wanted` ticked; a refused choice stays as it was typed."""
    rows = find_notices(request.user)
    unread_only = request.GET.get("show") == "unread"
    if unread_only:
        rows = rows.filter(read_at__isnull=True)
    kinds = [(kind, [(channel, f"{kind}:{channel}" in wanted) for channel in Channel]) for kind in NoticeKind]
    context = {
        "page": Paginator(rows, A_PAGE).get_page(request.GET.get("page")),
        "unread_only": unread_only,
        "kinds": kinds,
        "channels": Channel,
        "mail_is_set": settings.MAIL_IS_SET,
        "refused": refused,
        "email": request.POST.get("email", "") if refused else request.user.email,
    }
    answer = render(request, "notices.html", context, status=422 if refused else 200)
    if refused:
        answer[CODE_HEADER] = refused.code
    return answer


def notices_read(request: PageRequest) -> HttpResponse:
    """Mark one read and go where it leads, or mark all read."""
    named = request.POST.get("notice")
    if named is None:
        mark_read(person=request.user)
        return redirect("notices")
    try:
        only = UUID(named)
    except ValueError:
        raise NotFound from None
    found = mark_read(person=request.user, only=only)
    return redirect(found.url if found else "notices")


def notices_choose(request: PageRequest) -> HttpResponse:
    """Keep what one wants to be told, and where."""
    wanted = request.POST.getlist("wanted")
    try:
        choose(person=request.user, wanted=wanted, email=request.POST.get("email", ""))
    except Invalid as refusal:
        return _page(request, wanted, refusal)
    messages.success(request, "Your choice is kept. It counts for what happens from now on.")
    return redirect("notices")
