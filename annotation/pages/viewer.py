"""The page around the browser viewer, and what it needs to open without a network."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.masks.services import begin
from annotation.pages.templatetags.frame import manifest, static_url
from annotation.reviews.context import viewer_context
from annotation.work.selectors import visible_assignments
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.keeping.services import note_damage
from voxloop.kernel.errors import CODE_HEADER, Damaged, Refusal


@require_GET
def view_assignment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The viewer on one assignment; opening one's own work takes the lease."""
    assignment = visible_assignments(request.user).filter(pk=pk).first()  # type: ignore[arg-type]
    if assignment is None:
        raise Http404
    try:
        check_not_withdrawn(assignment.scan)
    except Refusal as refusal:
        return _refused(request, refusal)
    if assignment.person_id == request.user.pk and assignment.state in ("queued", "returned", "open"):
        try:
            begin(assignment_id=pk, actor=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            if refusal.code != "paused":  # a paused campaign can still be looked at
                raise Http404 from refusal
        assignment = visible_assignments(request.user).get(pk=pk)  # type: ignore[arg-type]
    try:
        context = viewer_context(assignment, request.user)  # type: ignore[arg-type]
    except Damaged as found:
        note_damage(found, noticed_by=str(request.user))
        return _refused(request, found)
    answer = render(request, "viewer.html", {"context": context})
    answer["Cache-Control"] = "no-store"
    # Only an isolated page may share the memory of the voxels with its workers (with the opener policy of all pages).
    answer["Cross-Origin-Embedder-Policy"] = "require-corp"
    return answer


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    told = {"detail": refusal.detail, "code": refusal.code}
    answer = render(request, "errors/refused.html", told, status=409)
    answer[CODE_HEADER] = refusal.code
    return answer


@login_not_required
@require_GET
def offline_worker(request: HttpRequest) -> HttpResponse:
    """The service worker. It stands at the root, because its place in the address is how far it may reach."""
    built = manifest().get("src/offline/worker.ts")
    if built is None or settings.OFFLINE_DAYS <= 0:
        raise Http404
    script = (settings.VITE_DIST / built["file"]).read_bytes()
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(script, content_type="text/javascript; charset=utf-8", headers=headers)


@require_GET
def offline_files(request: HttpRequest) -> HttpResponse:
    """Addresses of every built script, style and worker."""
    folder = settings.VITE_DIST / "assets"
    names = sorted(path.name for path in folder.iterdir() if path.suffix not in (".br", ".gz", ".map"))
    return JsonResponse({"files": [static_url(f"assets/{name}") for name in names]})
