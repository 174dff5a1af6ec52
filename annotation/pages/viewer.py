"""The viewer's page, and the files it needs to open offline."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.masks.services import begin
from annotation.pages.requests import PageRequest
from annotation.pages.templatetags.frame import manifest, static_url
from annotation.reviews.context import viewer_context
from annotation.work.selectors import visible_assignments
from annotation.work.states import AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.keeping.services import note_damage
from voxloop.kernel.errors import CODE_HEADER, Damaged, Refusal
from voxloop.kernel.facts import plain


@require_GET
def view_assignment(request: PageRequest, pk: UUID) -> HttpResponse:
    """The viewer on one assignment; opening one's own work takes the lease."""
    assignment = visible_assignments(request.user).filter(pk=pk).first()
    if assignment is None:
        raise Http404
    try:
        check_not_withdrawn(assignment.scan)
    except Refusal as refusal:
        return _refused(request, refusal)
    if assignment.person_id == request.user.pk and assignment.state in (
        AssignmentState.QUEUED,
        AssignmentState.RETURNED,
        AssignmentState.OPEN,
    ):
        try:
            begin(assignment_id=pk, actor=request.user)
        except Refusal as refusal:
            if refusal.code != "paused":  # a paused campaign can still be looked at
                raise Http404 from refusal
        assignment = visible_assignments(request.user).get(pk=pk)
    try:
        context = plain(viewer_context(assignment, request.user))
    except Damaged as found:
        note_damage(found, noticed_by=request.user)
        return _refused(request, found)
    answer = render(request, "viewer.html", {"context": context})
    answer["Cache-Control"] = "no-store"
    # SharedArrayBuffer for the voxels needs a cross-origin isolated page (together with the opener policy of all
    # pages).
    answer["Cross-Origin-Embedder-Policy"] = "require-corp"
    return answer


def _refused(request: PageRequest, refusal: Refusal) -> HttpResponse:
    told = {"detail": refusal.detail, "code": refusal.code}
    answer = render(request, "errors/refused.html", told, status=409)
    answer[CODE_HEADER] = refusal.code
    return answer


@login_not_required
@require_GET
def offline_worker(request: PageRequest) -> HttpResponse:
    """The service worker; served at the root, because its path limits its scope."""
    built = manifest().get("src/offline/worker.ts")
    if built is None or settings.OFFLINE_DAYS <= 0:
        raise Http404
    script = (settings.VITE_DIST / built["file"]).read_bytes()
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(script, content_type="text/javascript; charset=utf-8", headers=headers)


@require_GET
def offline_files(request: PageRequest) -> HttpResponse:
    """Addresses of every built script, style and worker."""
    folder = settings.VITE_DIST / "assets"
    names = sorted(path.name for path in folder.iterdir() if path.suffix not in (".br", ".gz", ".map"))
    return JsonResponse({"files": [static_url(f"assets/{name}") for name in names]})
