"""Browser security: cookies, policies, isolation, redirects after log-in."""

import os
import secrets
import subprocess
import sys
from contextlib import closing
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client, override_settings

from annotation.pages.templatetags.frame import static_url
from tests.api.test_known_holes import ROOT
from tests.factories.clients import logged_in
from tests.factories.world import PASSWORD, World, first_of, label, publish

pytestmark = pytest.mark.django_db


CSP = {
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def test_no_open_redirect_at_log_in(world: World) -> None:
    for target in (
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.x",
    ):
        answer = Client().post("/accounts/login/", {"login": "annotator", "password": PASSWORD, "next": target})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        back = logged_in(world, "annotator").post("/people/me/theme/", {"theme": "dark"}, HTTP_REFERER=target)
        assert "evil" not in back["Location"]


def test_a_foreign_host_is_refused(world: World) -> None:
    for path in ("/accounts/login/", "/api/v1/me/", "/healthz"):
        answer = Client(raise_request_exception=False).get(path, HTTP_HOST="evil.example")
        assert answer.status_code == 400
        assert b"evil.example" not in answer.content


def test_writing_in_a_session_needs_a_csrf_token(world: World) -> None:
    client = logged_in(world, "annotator", enforce_csrf_checks=True)
    api = client.post("/api/v1/assignments/claim", {}, "application/json")
    assert (api.status_code, api["Content-Type"]) == (403, "application/problem+json")
    page = client.post("/people/me/theme/", {"theme": "dark"})
    assert page.status_code == 403
    assert client.post("/accounts/logout/").status_code == 403
    token = client.get("/people/me/").cookies["csrftoken"].value
    assert client.post("/people/me/theme/", {"theme": "dark"}, HTTP_X_CSRFTOKEN=token).status_code == 302
    assert client.get("/accounts/logout/").status_code in (200, 405)
    assert client.get("/api/v1/me/").status_code == 200


def test_cookies_are_closed(world: World) -> None:
    client = Client()
    client.get("/accounts/login/")
    answer = client.post("/accounts/login/", {"login": "annotator", "password": PASSWORD})
    assert answer.status_code == 302
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name


def in_another_process(code: str, **environment: str) -> str:
    path = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    full = os.environ | {"PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "voxloop.project.settings", **environment}
    full.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # set for browser tests of the same run; a server must not have it
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=full, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_with_https_cookies_are_secure_and_the_deployment_check_is_clean() -> None:
    code = """
import django
from django.conf import settings
from django.core.management import call_command
django.setup()
call_command("check", "--deploy", "--fail-level", "WARNING")
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT, settings.DEBUG)
"""
    keys = {name: secrets.token_urlsafe(60) for name in ("VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY")}
    said = in_another_process(code, VOXLOOP_HTTPS="1", VOXLOOP_PROXIES="1", VOXLOOP_DEBUG="0", **keys)
    assert said.split()[-4:] == ["True", "True", "True", "False"]


def test_every_kind_of_answer_has_the_policy(world: World) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    client = logged_in(world, "annotator", raise_request_exception=False)
    answers = {
        "page": client.get("/worklist/"),
        "log-in": Client().get("/accounts/login/"),
        "redirect": Client().get("/worklist/"),
        "missing page": client.get("/nothing/"),
        "missing route": client.get("/api/v1/nothing"),
        "api": client.get("/api/v1/me/"),
        "refusal": Client().get("/api/v1/me/"),
        "bytes": client.get(f"/api/v1/scans/{assignment.scan_id}/volume/pack"),
        "mask": client.get(f"/api/v1/assignments/{assignment.pk}/mask", HTTP_ACCEPT="application/gzip"),
        "docs": client.get("/api/v1/docs/"),
        "health": client.get("/healthz?live"),
        "wrong method": client.delete("/worklist/"),
        "forbidden": client.get("/people/"),
        "foreign host": client.get("/healthz", HTTP_HOST="evil.example"),
    }
    assert {kind: answer.status_code for kind, answer in answers.items()} == {
        "page": 200,
        "log-in": 200,
        "redirect": 302,
        "missing page": 404,
        "missing route": 404,
        "api": 200,
        "refusal": 401,
        "bytes": 200,
        "mask": 200,
        "docs": 200,
        "health": 200,
        "wrong method": 405,
        "forbidden": 403,
        "foreign host": 400,
    }
    for kind, answer in answers.items():
        policy = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
        assert policy == CSP, kind
        assert answer["X-Content-Type-Options"] == "nosniff", kind
        if kind != "foreign host":  # refused before anything that frames could show
            assert answer["X-Frame-Options"] == "DENY", kind
        assert answer["Referrer-Policy"] == "same-origin", kind
    assert answers["mask"]["Content-Disposition"].startswith("attachment")


def test_the_viewer_is_isolated_and_so_are_its_workers(world: World) -> None:
    assignment = first_of(publish(world))
    client = logged_in(world, "annotator")
    page = client.get(f"/view/{assignment.pk}/")
    worker = next((settings.VITE_DIST / "assets").glob("editor.worker-*.js")).name
    with closing(client.get(static_url(f"assets/{worker}"))) as script:
        assert (page.status_code, script.status_code) == (200, 200)
        known = client.get(static_url(f"assets/{worker}"), headers={"If-None-Match": script["ETag"]})
        assert known.status_code == 304  # WebKit goes by this answer, whatever the one in its cache said
        for answer in (page, script, known):
            assert answer["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


@override_settings(DEBUG=False)
def test_odd_addresses_of_pages_are_no_faults(world: World) -> None:
    client = logged_in(world, "coordinator", raise_request_exception=False)
    slug = world.campaign.slug
    for path in (
        "/worklist/",
        "/find/",
        f"/campaigns/{slug}/scans/",
        f"/campaigns/{slug}/batches/",
        "/jobs/",
        "/people/",
        f"/campaigns/{slug}/",
        f"/campaigns/{slug}/models/",
        f"/campaigns/{slug}/releases/",
        "/reviews/",
    ):
        for query in (
            "page=-1",
            "page=99999999999999999999",
            "page=%00",
            "site=%00",
            "state=%00",
            "q=%00",
            "scan=%00",
            "show=%00",
            "kind=%00",
            "q=%ff%fe",
            "site=" + "x" * 3000,
            "scan=1",
            "assignee=x",
        ):
            assert client.get(f"{path}?{query}").status_code < 500, f"{path}?{query}"
    for body, kind in (
        (b"--x", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"reason=%00", "application/x-www-form-urlencoded"),
        (b"\xff", "text/plain; charset=nonsense"),
        (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
    ):
        for path in (
            "/people/me/theme/",
            f"/campaigns/{slug}/batches/new/",
            "/scans/upload/",
            f"/batches/{uuid4()}/close/",
        ):
            assert client.generic("POST", path, body, kind).status_code < 500, f"{path} {kind}"
