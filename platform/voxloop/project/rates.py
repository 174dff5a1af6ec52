"""Rate limits by address and by person, counted in PostgreSQL for all processes. Only anonymous and expensive routes
are counted; drawing, saving and viewing are not. An address may be a whole department behind a hospital's proxy, so its
limits are high; a person's are low."""

import ipaddress
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from knox.crypto import hash_token
from rest_framework.permissions import AllowAny

from voxloop.accounts.models import ApiToken
from voxloop.kernel.errors import TooMany
from voxloop.project.away import find_unavailable
from voxloop.project.front.limits import CREDENTIALS
from voxloop.project.models import RequestCount
from voxloop.project.refusing import refuse

WINDOW_SECONDS = 60
FORGET_WINDOWS = 10
UPSERT = """
INSERT INTO project_requestcount AS kept ("key", "window", "count") VALUES {rows}
ON CONFLICT ("key") DO UPDATE SET
  "count" = CASE WHEN kept."window" = excluded."window" THEN kept."count" + 1 ELSE 1 END, "window" = excluded."window"
RETURNING "key", "count"
"""


@dataclass(frozen=True)
class Rate:
    """The most requests per minute to these routes (URL names), per address and per person."""

    routes: frozenset[str]
    address: int
    person: int
    methods: frozenset[str] = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _rate(routes: str, *, address: int, person: int, methods: str = "POST") -> Rate:
    return Rate(frozenset(routes.split()), address, person, frozenset(methods.split()))


RATES = [
    _rate(
        "api:token account_login mfa_authenticate account_reauthenticate mfa_reauthenticate password_link",
        address=300,
        person=20,
    ),
    _rate("api:scan-upload upload dicomweb:dicom-studies dicomweb:dicom-study", address=600, person=120),
    _rate("api:scan-masks mask_bring", address=120, person=30),
    _rate("api:assignment-propose", address=1200, person=240),
    _rate(
        "api:releases api:release-freeze api:release-export release_new release_freeze release_export train",
        address=120,
        person=20,
    ),
    _rate("api:training-runs api:model-promote promote", address=120, person=20),
    _rate("api:schema api:docs", address=300, person=60, methods="GET HEAD"),
]
# Health is cached and must respond while the database hangs.
UNCOUNTED = frozenset({"health"})
# All other routes without a log-in: log-in pages, metrics, what a browser fetches by itself.
ANONYMOUS = Rate(frozenset(), address=1200, person=1200, methods=frozenset({"GET", "HEAD", "POST", "OPTIONS"}))


def find_rate(name: str, method: str, *, is_anonymous: bool) -> Rate | None:
    """The limit of a route; None where nothing is counted."""
    for rate in RATES:
        if name in rate.routes and method in rate.methods:
            return rate
    return ANONYMOUS if is_anonymous and name not in UNCOUNTED else None


class Rates:
    """Middleware, after authentication: refuses excess requests, with `Retry-After`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Count, and refuse."""
        match = request.resolver_match
        name = match.view_name if match else ""
        rate = find_rate(name, request.method or "", is_anonymous=asks_for_no_log_in(view))
        if rate is None or not settings.RATE_FACTOR:
            return None
        limits = {f"{name} a {address_of(request)}": rate.address}
        if person := person_of(request):
            limits[f"{name} p {person}"] = rate.person
        try:
            with transaction.atomic():
                wait_seconds = spend(limits)
        except Error as error:
            if find_unavailable(error) is None:
                raise
            return None  # the view reports an unreachable database better
        return refuse(request, TooMany(wait_seconds)) if wait_seconds else None


def asks_for_no_log_in(view: Callable[..., Any]) -> bool:
    """Whether a view needs no log-in. API views declare it by their permissions."""
    kind = getattr(view, "cls", None)
    if kind is not None:
        return AllowAny in getattr(kind, "permission_classes", [])
    return getattr(view, "login_required", True) is False


def address_of(request: HttpRequest) -> str:
    """The client's address; for IPv6 its /64 network. IPv4 as a server listening on both writes it is IPv4."""
    text: str = request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return text
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def person_of(request: HttpRequest) -> str:
    """The person by session or token, or the typed name (as keyed hash: it may be a mistyped password)."""
    if request.user.is_authenticated:
        return str(request.user.pk)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Token" and token:
        owner = ApiToken.objects.filter(digest=hash_token(token)).values_list("user_id", flat=True).first()
        return str(owner or "")
    typed = _typed_name(request)
    # Raw, because a lone surrogate cannot be encoded; the view refuses it.
    return salted_hmac("voxloop.project.rates", typed.encode("utf-8", "surrogatepass")).hexdigest() if typed else ""


def _typed_name(request: HttpRequest) -> str:
    length: str = request.META.get("CONTENT_LENGTH") or ""
    if request.method != "POST" or (length.isdecimal() and int(length) > CREDENTIALS):
        return ""
    if request.content_type == "application/json":
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            return ""
        typed = body.get("username") if isinstance(body, dict) else None
    else:
        typed = request.POST.get("username") or request.POST.get("login")
    return typed.casefold() if isinstance(typed, str) else ""


def spend(limits: dict[str, int]) -> int:
    """Count one request for each key; returns the seconds to wait when a key exceeds its limit in this window, else
    0."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    keys = sorted(limits)  # a fixed order: concurrent requests cannot deadlock
    rows = ", ".join(["(%s, %s, 1)"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(UPSERT.format(rows=rows), [part for key in keys for part in (key[:200], window)])
        counts = dict(cursor.fetchall())
    if 1 in counts.values() and random.random() < 0.02:  # noqa: S311 - when to tidy is no secret
        RequestCount.objects.filter(window__lt=window - FORGET_WINDOWS).delete()
    is_over = any(counts[key[:200]] > limits[key] * settings.RATE_FACTOR for key in keys)
    return int((window + 1) * WINDOW_SECONDS - now) + 1 if is_over else 0
