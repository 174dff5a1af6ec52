"""Errors become RFC 9457 problem documents, here and nowhere else."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import set_rollback

from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.keeping.services import note_damage
from voxloop.kernel.errors import Damaged, Kind, Refusal
from voxloop.project.away import find_unavailable
from voxloop.project.statuses import STATUS, TITLES


def problem(error: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """Turn an error into an RFC 9457 problem document; None for an unexpected error, which becomes a 500."""
    headers: dict[str, str] = {}
    extra: dict[str, Any] = {}
    error = find_unavailable(error) or error
    if isinstance(error, Damaged):
        user = getattr(context.get("request"), "user", None)
        note_damage(error, noticed_by=user if isinstance(user, User) else SystemActor.NOBODY)
    if isinstance(error, Refusal):
        status, code, detail, extra = STATUS[error.kind], error.code, error.detail, error.extra
        if error.kind is Kind.GONE:
            headers["Clear-Site-Data"] = '"cache"'  # the browser's copies are cleared, too
        if error.again_after_seconds is not None:
            headers["Retry-After"] = str(error.again_after_seconds)
    elif isinstance(error, Http404):
        status, code, detail = 404, "not_found", "There is no such thing, or you may not see it."
    elif isinstance(error, PermissionDenied):
        status, code, detail = 403, "forbidden", "Your role does not allow this."
    elif isinstance(error, RequestDataTooBig):
        status, code, detail = 413, "too_large", "The body is larger than this server takes."
    elif isinstance(error, SuspiciousOperation):
        status, code, detail = 400, "bad_request", "The request cannot be read."
    elif isinstance(error, exceptions.ValidationError):
        status, code, detail = 422, "invalid", "Some fields are not valid."
        extra = {"fields": error.detail}
    elif isinstance(error, exceptions.APIException):
        status, (code, detail) = error.status_code, _told(error)
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
    else:
        return None
    set_rollback()
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
    }
    # Not the view's renderer, which may write HTML, YAML or a mask: a refusal is always a problem document.
    return JsonResponse(
        body, encoder=JSONEncoder, status=status, headers=headers, content_type="application/problem+json"
    )


def _told(error: exceptions.APIException) -> tuple[str, str]:
    """Code and sentence of a framework error, whose `detail` may be a text, a list or a dict of them."""
    detail: Any = error.detail
    while isinstance(detail, dict | list) and detail:
        detail = detail.get("detail", next(iter(detail.values()))) if isinstance(detail, dict) else detail[0]
    code = getattr(detail, "code", None) or error.default_code
    return str(code), str(detail or error.default_detail)
