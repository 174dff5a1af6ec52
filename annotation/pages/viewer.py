"""The page around the browser viewer."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.masks.services import begin
from annotation.reviews.context import viewer_context
from annotation.work.selectors import visible_assignments
from voxloop.kernel.errors import Refusal


@require_GET
def view_assignment(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The viewer on one assignment; opening one's own work takes the lease."""
    assignment = visible_assignments(request.user).filter(pk=pk).first()  # type: ignore[arg-type]
    if assignment is None:
        raise Http404
    if assignment.person_id == request.user.pk and assignment.state in ("queued", "returned", "open"):
        try:
            begin(assignment_id=pk, actor=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            if refusal.code == "scan_withdrawn":
                return render(request, "errors/refused.html", {"detail": refusal.detail}, status=409)
            if refusal.code != "paused":  # a paused campaign can still be looked at
                raise Http404 from refusal
        assignment = visible_assignments(request.user).get(pk=pk)  # type: ignore[arg-type]
    answer = render(request, "viewer.html", {"context": viewer_context(assignment, request.user)})  # type: ignore[arg-type]
    answer["Cache-Control"] = "no-store"
    return answer
