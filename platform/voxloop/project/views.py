"""Health, metrics, and error responses of the framework."""

import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare
from django.views import defaults
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from annotation.scans.models import Scan
from annotation.work.models import Assignment
from voxloop.jobs.health import Fault, recent_health
from voxloop.jobs.models import Job
from voxloop.kernel.errors import CODE_HEADER
from voxloop.project.away import find_unavailable
from voxloop.project.refusing import asks_machine, refuse

LOCKED = "This name is locked for 15 minutes after 5 wrong passwords; wait, or ask an administrator."


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """200 when everything works, 503 naming what does not; `?live`: 200 while this process responds at all. Public:
    names no host, folder or person, and is computed at most once a second."""
    if "live" in request.GET:
        return JsonResponse({"status": "alive"})
    found = recent_health(seconds=1)

    def told(faults: list[Fault]) -> list[dict[str, str]]:
        return [{"what": fault.what, "code": fault.code, "detail": fault.sentence} for fault in faults]

    body = {
        "status": "ok" if found.is_well else "failing",
        "failing": told(found.faults),
        "warnings": told(found.warnings),
    }
    answer = JsonResponse(body, status=200 if found.is_well else 503)
    answer["Cache-Control"] = "no-store"
    if not found.is_well:
        answer[CODE_HEADER] = found.faults[0].code
    vars(answer)["_has_been_logged"] = True  # polled every few seconds: no error line each time
    return answer


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Counts for Prometheus: to an administrator, or to a scraper with `VOXLOOP_METRICS_TOKEN` as bearer."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_scraper = bool(settings.METRICS_TOKEN) and constant_time_compare(token, settings.METRICS_TOKEN)
    if not is_scraper and not getattr(request.user, "is_administrator", False):
        return problem_document(403, "forbidden", "Only an administrator or the metrics scraper may read this.")
    registry = CollectorRegistry()
    PlatformCollector(registry=registry)
    ProcessCollector(registry=registry)
    for name, words, model in (
        ("voxloop_jobs", "Jobs by state", Job),
        ("voxloop_assignments", "Assignments by state", Assignment),
        ("voxloop_scans", "Scans by state", Scan),
    ):
        gauge = Gauge(name, words, ["state"], registry=registry)
        for row in model.objects.order_by().values("state").annotate(n=Count("pk")):
            gauge.labels(row["state"]).set(row["n"])
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is older than the log-in; replaces Django's bare page."""
    if is_for_api(request):
        return problem_document(
            403, "csrf_failed", "The request has no valid CSRF token; reload the page and try again."
        )
    return render(request, "errors/403_csrf.html", status=403)


def locked_out(request: HttpRequest, response: Any = None, credentials: Any = None, *args: Any) -> HttpResponse:
    """Too many wrong passwords for a name."""
    if is_for_api(request):
        return problem_document(429, "locked_out", LOCKED)
    return render(request, "account/locked.html", {"sentence": LOCKED}, status=429)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be read: a foreign host, a broken form, a NUL in its address."""
    if isinstance(exception, RequestDataTooBig):
        if is_for_api(request):
            return problem_document(413, "too_large", "The body is larger than this server takes.")
        return plain_page(413, "too_large", "This is too large", "The form holds more than this server takes.")
    if is_for_api(request):
        return problem_document(400, "bad_request", "The request cannot be read.")
    return plain_page(400, "bad_request", "This request cannot be read", "Go back, reload the page and try again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page that the role may not see."""
    if is_for_api(request):
        return problem_document(403, "forbidden", "Your role does not allow this.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception | None = None, **_: Any) -> HttpResponse:
    """An unknown address, or a thing that the person may not see."""
    if is_for_api(request):
        return problem_document(404, "not_found", "There is no such thing, or you may not see it.")
    return defaults.page_not_found(request, exception or Http404())


def broken(request: HttpRequest) -> HttpResponse:
    """An unexpected error of a view or of middleware; its details are only in the server's log. An unreachable database
    is reported as such."""
    refusal = find_unavailable(sys.exc_info()[1])
    if refusal:
        return refuse(request, refusal)
    if is_for_api(request):
        return problem_document(
            500, "broken", "The server could not finish this; what was saved before is safe. Try again."
        )
    return defaults.server_error(request)


def plain_page(status: int, code: str, heading: str, text: str) -> HttpResponse:
    """A refusal as a page that needs neither session nor database."""
    body = render_to_string("errors/plain.html", {"code": code, "heading": heading, "text": text})
    return HttpResponse(body, status=status, headers={CODE_HEADER: code})


def is_for_api(request: HttpRequest) -> bool:
    """Whether the request is to the API, which gets problem documents."""
    return asks_machine(request.path)


def problem_document(status: int, code: str, detail: str) -> JsonResponse:
    """A refusal outside the API's views as an RFC 9457 document."""
    body = {"type": "about:blank", "title": "Refused", "status": status, "code": code, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")
