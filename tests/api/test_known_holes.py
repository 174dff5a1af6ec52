"""Holes that systems of this kind have had, one test each, and the rules of the browser.

Held elsewhere: archives and declared sizes (CVE-2026-47682, CVE-2026-5437, CVE-2019-11687) in
`tests/unit/intake/test_hostile.py`, least versions in `tests/architecture/test_minimum_versions.py`, who may do what
on every route in `tests/api/test_permissions.py`.
"""

import ast
import io
import json
import logging
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import URLResolver, get_resolver, reverse

from annotation.learning.models import ModelVersion, PreAnnotation, TrainingRun
from annotation.masks.services import begin, store_prediction
from annotation.pages.templatetags.frame import static_url
from annotation.reviews.comments import add_comment
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import claim_round, return_round, submit_assignment
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from annotation.work.models import Campaign, CampaignScan
from annotation.work.schema import parse_schema
from annotation.work.services import block_assignment
from tests.factories.world import PASSWORD, SHAPE, World, ball, first_of, label, publish
from voxloop.accounts.models import ApiToken, User
from voxloop.accounts.tokens import issue_token
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
BACKEND = "django.contrib.auth.backends.ModelBackend"
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"
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


def logged_in(world: World, name: str, **more: Any) -> Client:
    client = Client(**more)
    client.force_login(world[name], backend=BACKEND)
    return client


# Access to things ----------------------------------------------------------------------------------------------------


def test_cve_2026_23526_an_object_of_another_site_or_batch_is_not_there(world: World) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    round_ = submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])
    revision = round_.masks.get().submitted_id
    paths = [
        f"/api/v1/assignments/{assignment.pk}/",
        f"/api/v1/assignments/{assignment.pk}/mask",
        f"/api/v1/scans/{assignment.scan_id}/",
        f"/api/v1/scans/{assignment.scan_id}/volume/pack",
        f"/api/v1/revisions/{revision}/mask",
        f"/api/v1/reviews/{round_.pk}/",
        f"/view/{assignment.pk}/",
        f"/api/v1/reviews/{round_.pk}/comments",
        f"/batches/{assignment.batch_id}/",
    ]
    client = logged_in(world, "annotator2")
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
    for site in world.sites.values():
        set_site_membership(user=world["reviewer"], site=site, is_member=False, actor=world["admin"])
    client = logged_in(world, "reviewer")
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)


@pytest.mark.parametrize("person", ["annotator", "coordinator", "datamanager"])
def test_cve_2024_47172_nobody_makes_themselves_more_than_they_are(world: World, person: str) -> None:
    client = logged_in(world, person)
    more = {"is_administrator": True, "is_staff": True, "is_superuser": True, "role": "coordinator"}
    for method in ("post", "put", "patch"):
        getattr(client, method)("/api/v1/me/", more, "application/json")
    client.post("/people/me/theme/", {"theme": "dark", **more})
    client.post(f"/people/{world[person].pk}/", more)
    client.post("/people/new/", {"username": "second", "password": "long enough for a test 2", **more})
    client.post("/accounts/signup/", {"username": "second", "password1": PASSWORD, "password2": PASSWORD, **more})
    body = {"username": person, "password": PASSWORD, **more}
    assert client.post("/api/v1/auth/token", body, "application/json").status_code == 200
    user = User.objects.get(username=person)
    assert (user.is_administrator, user.is_staff, user.is_superuser) == (False, False, False)
    assert user.memberships.count() == 1
    assert not User.objects.filter(username="second").exists()


def test_an_administrator_makes_no_staff_either(world: World) -> None:
    client = logged_in(world, "admin")
    form = {"username": "newcomer", "password": "long enough for a test 3", "is_staff": "on", "is_superuser": "on"}
    assert client.post("/people/new/", form).status_code == 302
    made = User.objects.get(username="newcomer")
    assert (made.is_staff, made.is_superuser, made.is_administrator) == (False, False, False)
    assert logged_in(world, "admin").get("/admin/").status_code == 404


def test_cve_2023_47117_filters_reach_no_other_column(world: World) -> None:
    publish(world)
    client = logged_in(world, "coordinator")
    for path in (
        "assignments",
        "scans",
        "batches",
        "reviews",
        "jobs",
        "releases",
        "training-runs",
        "models",
        "campaigns",
    ):
        plain = client.get(f"/api/v1/{path}/").json()
        for query in (
            "person__password__startswith=zzz",
            "assignee__password__startswith=zzz",
            "author__password__regex=zzz",
            "created_by__password__contains=zzz",
            "requested_by__password=zzz",
            "id__in=1",
            "ordering=person__password",
            "search=zzz",
            "members__user__password__startswith=zzz",
        ):
            found = client.get(f"/api/v1/{path}/?{query}").json()
            assert (found["count"], found["results"]) == (plain["count"], plain["results"]), f"{path} {query}"


def test_cve_2026_12473_a_token_in_an_address_opens_nothing(world: World) -> None:
    token = issue_token(user=world["annotator"])[1]
    for name in ("url", "token", "access_token", "key", "Authorization"):
        for path in ("/api/v1/me/", "/api/v1/assignments/", "/worklist/"):
            assert Client().get(f"{path}?{name}={token}").status_code in (401, 302)
    answer = logged_in(world, "annotator").get("/worklist/?url=https://evil.example/x")
    assert not re.search(r"(href|src|action)=.https?:", answer.content.decode())


def test_a_token_that_is_none_is_401(db: None) -> None:
    for header in ("Token x", "Token ", "Token " + "f" * 64, "Bearer x", "Basic YTpi", "Token a b", "\x7f"):
        answer = Client().get("/api/v1/me/", HTTP_AUTHORIZATION=header)
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
        assert answer["WWW-Authenticate"].startswith("Token")


@pytest.mark.fault("a token revoked in the middle")
def test_an_expired_or_revoked_token_is_401(world: World) -> None:
    token = issue_token(user=world["annotator"])[1]
    client = Client(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/me/").status_code == 200
    assert token not in {row.digest for row in ApiToken.objects.all()}
    ApiToken.objects.update(expiry=now() - timedelta(seconds=1))
    assert client.get("/api/v1/me/").status_code == 401
    fresh = Client(HTTP_AUTHORIZATION=f"Token {issue_token(user=world['annotator'])[1]}")
    User.objects.filter(pk=world["annotator"].pk).update(is_active=False)
    assert fresh.get("/api/v1/me/").status_code == 401


# What people type ----------------------------------------------------------------------------------------------------


def test_cve_2026_65986_what_people_type_is_never_markup(world: World) -> None:
    """Comment, description, reason, names and guidelines are escaped on every page, and JSON is JSON."""
    Campaign.objects.filter(pk=world.campaign.pk).update(name=EVIL, guidelines=EVIL)
    Scan.objects.update(description=EVIL, facts={"Manufacturer": EVIL})
    User.objects.filter(pk=world["annotator"].pk).update(username=EVIL)
    world["annotator"].refresh_from_db()
    batch = publish(world, size=3)
    assignment, other = batch.assignments.order_by("position")[:2]
    label(world, assignment)
    round_ = submit_assignment(assignment_id=assignment.pk, actor=world["annotator"])
    add_comment(round_id=round_.pk, actor=world["annotator"], text=EVIL)
    ReviewRound.objects.filter(pk=round_.pk).update(reasons=[EVIL])
    begin(assignment_id=other.pk, actor=world["annotator"])
    block_assignment(assignment_id=other.pk, actor=world["annotator"], reason=EVIL)
    claim_round(round_id=round_.pk, actor=world["reviewer"])
    return_round(round_id=round_.pk, actor=world["reviewer"], comments=[{"text": EVIL}])

    slug = world.campaign.slug
    paths = [reverse(name, args=[slug] if "<slug:slug>" in routes()[name] else []) for name in plain_pages()]
    paths += [
        f"/batches/{batch.pk}/",
        f"/view/{assignment.pk}/",
        f"/view/{other.pk}/",
        f"/scans/{assignment.scan_id}/",
        f"/people/{world['annotator'].pk}/",
        f"/find/?q={EVIL[:8]}",
        "/find/?q=script",
        f"/reviews/?scan={EVIL}",
        f"/worklist/?show={EVIL}",
    ]
    shown = 0
    for person in ("annotator", "reviewer", "coordinator", "datamanager", "admin"):
        client = logged_in(world, person)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code < 500, path
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                body = answer.content.decode()
                assert "<script>alert" not in body, f"{person} {path}"
                assert "<img src=x" not in body, f"{person} {path}"
                shown += "&lt;script&gt;alert" in body
    assert shown > 20
    facts = logged_in(world, "coordinator").get(f"/api/v1/reviews/{round_.pk}/comments")
    assert facts["Content-Type"] == "application/json"
    assert facts["X-Content-Type-Options"] == "nosniff"


def routes() -> dict[str, str]:
    return {
        row.name: str(row.pattern)
        for pattern in get_resolver().url_patterns
        for row in (pattern.url_patterns if isinstance(pattern, URLResolver) else [pattern])
        if getattr(getattr(row, "callback", None), "row", None) is not None
    }


def plain_pages() -> list[str]:
    """Pages that are read and take no key but a campaign's."""
    views = {
        row.name: row.callback.row
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLResolver)
        for row in pattern.url_patterns
        if getattr(getattr(row, "callback", None), "row", None)
    }
    return [
        name
        for name, route in routes().items()
        if "GET" in views[name].methods and re.sub("<slug:slug>", "", route).count("<") == 0
    ]


def test_no_template_lets_markup_through() -> None:
    """Nothing is marked safe but figures whose words were escaped when they were drawn."""
    found = [
        f"{path.name}: {line.strip()[:80]}"
        for path in (ROOT / "annotation").rglob("*.html")
        for line in path.read_text().splitlines()
        if re.search(
            r"\|\s*safe\b|autoescape off|<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son[a-z]+=|javascript:", line
        )
    ]
    assert found == []
    marked = {
        path.relative_to(ROOT).as_posix()
        for folder in ("annotation", "platform")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"mark_safe\(|SafeString\((?!Any)", path.read_text())
    }
    assert {name for name in marked if not name.startswith("annotation/pages/plots/")} <= {
        "annotation/pages/templatetags/frame.py"
    }


# The door ------------------------------------------------------------------------------------------------------------


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
    full.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests of the same run need it, a server must not have it
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
        for answer in (page, script):
            assert answer.status_code == 200
            assert answer["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_fault_tells_nothing_of_the_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = first_of(publish(world))

    def fail(*_: Any) -> None:
        raise TypeError("secret inside")

    monkeypatch.setattr("annotation.work.schema._check", fail)
    client = logged_in(world, "annotator", raise_request_exception=False)
    for path, kind in (
        (f"/api/v1/assignments/{assignment.pk}/", "application/problem+json"),
        ("/campaigns/chest-ct/guidelines/", "text/html"),
    ):
        answer = client.get(path)
        assert answer.status_code == 500
        assert answer["Content-Type"].startswith(kind)
        for inside in ("Traceback", "secret inside", "annotation/", "TypeError", "psycopg", "SELECT"):
            assert inside not in answer.content.decode()


def test_five_wrong_passwords_lock_the_log_in_page_and_the_token_alike(world: World) -> None:
    client = Client()
    for _ in range(5):
        client.post("/accounts/login/", {"login": "annotator", "password": "wrong wrong wrong"})
    locked = client.post("/accounts/login/", {"login": "annotator", "password": PASSWORD})
    assert locked.status_code == 429
    assert "_auth_user_id" not in client.session
    body = {"username": "annotator", "password": PASSWORD}
    token = Client().post("/api/v1/auth/token", body, "application/json")
    assert token.status_code in (403, 429)
    other = Client().post("/accounts/login/", {"login": "reviewer", "password": PASSWORD})
    assert other.status_code == 302


def test_a_session_that_ended_is_told_as_such(world: World) -> None:
    """While saving: a problem document, not the redirect to a page that a script would read as saved."""
    assignment = begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])
    client = logged_in(world, "annotator")
    client.session.flush()
    for method, path in (
        ("put", f"assignments/{assignment.pk}/mask"),
        ("put", f"assignments/{assignment.pk}/answers"),
        ("post", f"assignments/{assignment.pk}/submit"),
        ("post", f"assignments/{assignment.pk}/beat"),
        ("get", f"assignments/{assignment.pk}/"),
    ):
        answer = getattr(client, method)(
            f"/api/v1/{path}", data=b"{}" if method != "get" else None, content_type="application/json"
        )
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_authenticated"


def test_a_password_is_in_no_log_and_no_audit_row(world: World, caplog: pytest.LogCaptureFixture) -> None:
    typed = "a password that was typed"
    caplog.set_level(logging.DEBUG)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        Client().post("/accounts/login/", {"login": "annotator", "password": typed})
        Client().post("/accounts/login/", {"login": typed, "password": PASSWORD})
        Client().post("/api/v1/auth/token", {"username": "annotator", "password": typed}, "application/json")
        Client().post("/api/v1/auth/token", {"username": "annotator", "password": PASSWORD}, "application/json")
        logged_in(world, "admin").post("/people/new/", {"username": "newcomer", "password": typed})
        logged_in(world, "annotator").post("/people/me/tokens/", {"password": PASSWORD})
    finally:
        logging.getLogger().removeHandler(handler)
    written = json.dumps(list(AuditEntry.objects.values("actor_name", "action", "old", "new", "why")), default=str)
    for secret in (typed, PASSWORD):
        assert secret not in written
        assert secret not in stream.getvalue() + caplog.text
    from axes.models import AccessAttempt

    assert AccessAttempt.objects.exists()
    kept = json.dumps(list(AccessAttempt.objects.values()), default=str)
    assert typed not in kept
    assert PASSWORD not in kept


# Addresses and code from elsewhere -----------------------------------------------------------------------------------


def test_cve_2022_36551_no_address_of_a_user_is_opened(world: World) -> None:
    from annotation.datasets.services import create_release, freeze_release
    from tests.factories.world import approve

    assignment = first_of(publish(world))
    label(world, assignment)
    approve(world, assignment)
    release = create_release(campaign=world.campaign, name="2026.1", actor=world["datamanager"])
    freeze_release(release_id=release.pk, actor=world["datamanager"])
    client = logged_in(world, "datamanager")
    for destination in (
        "http://169.254.169.254/latest/meta-data",
        "s3://evil/x?endpoint=http://127.0.0.1:1",
        "file:///etc",
        "/etc",
        "../../etc",
        "gopher://127.0.0.1/",
    ):
        answer = client.post(f"/api/v1/releases/{release.pk}/export", {"destination": destination}, "application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "bad_destination")
        client.post(f"/releases/{release.pk}/export/", {"destination": destination})
    assert not release.exports.exists()


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("annotation", "platform/voxloop", "mlservice"):
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def test_cve_2025_32434_nothing_that_runs_data_as_code_is_used() -> None:
    """No pickle and no torch.load, eval or exec: ruff's S rules are on, and here the imports are read."""
    modules = {"pickle", "cPickle", "_pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "jsonpickle"}
    calls = {
        "eval",
        "exec",
        "torch.load",
        "torch.save",
        "torch.jit.load",
        "np.load",
        "numpy.load",
        "yaml.load",
        "compile",
    }
    found = []
    for path, tree in sources():
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").partition(".")[0]]
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                # numpy refuses pickles by default; the keyword that allows them is what must not be there.
                allows = any(
                    word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords
                )
                if called in calls - {"np.load", "numpy.load"} or allows:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno} {called}")
            found += [f"{path.relative_to(ROOT)}:{node.lineno} {name}" for name in names if name in modules]
    assert found == []
    rules = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'select = \[.*"S"', rules)
    assert not re.search(r"S30[1-7]", rules), "the rules against pickle and eval are not to be switched off"


def test_cve_2025_25297_the_server_asks_no_other_server_but_its_storage() -> None:
    clients = {
        "requests",
        "httpx",
        "aiohttp",
        "urllib3",
        "http.client",
        "urllib.request",
        "ftplib",
        "telnetlib",
        "smtplib",
    }
    users = set()
    for path, tree in sources():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            if clients & set(names):
                users.add(path.relative_to(ROOT).as_posix())
    # `embedded` asks its own web process whether it is up, before Django is there; `interactive` asks the one server
    # that an operator has named in the settings, and follows no redirect (tests/api/test_interactive.py).
    allowed = {"annotation/masks/interactive.py"}
    assert {path for path in users if not path.startswith("platform/voxloop/embedded/")} == allowed


# Blindness -----------------------------------------------------------------------------------------------------------


def test_an_annotator_never_sees_what_the_model_thinks(world: World) -> None:
    """Neither score, uncertainty nor risk, nor the prediction of a scan that starts blank, on any route or page."""
    Campaign.objects.filter(pk=world.campaign.pk).update(blank_share=1.0)
    world.campaign.refresh_from_db()
    batch = publish(world, size=2)
    assignment = first_of(batch)
    run = TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest={}, manifest_hash="0"
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=77, run=run, state="champion", weights_key="weights/0", config={}, metrics={}
    )
    layer = parse_schema(world.campaign.schema.definition).layer("findings")
    guess = store_prediction(
        scan=assignment.scan,
        layer=layer,
        labels_zyx=ball(SHAPE, 12.0).view("uint8"),
        model_id=model.pk,
        model_name="m77",
        probability=(ball(SHAPE, 12.0).view("uint8") * 200, (1, 1, 1)),
    )
    PreAnnotation.objects.create(
        campaign=world.campaign, scan=assignment.scan, model=model, state="ready", revision=guess, uncertainty=0.123456
    )
    CampaignScan.objects.update(score=0.654321, score_model=model.pk)
    begun = begin(assignment_id=assignment.pk, actor=world["annotator"])
    assert begun.starts_from == "blank"
    label(world, begun)
    round_ = submit_assignment(assignment_id=begun.pk, actor=world["annotator"])
    ReviewRound.objects.filter(pk=round_.pk).update(risk=87, reasons=["far from prediction, Dice 0.42"])

    client = logged_in(world, "annotator")
    api = [
        f"/api/v1/{name}/"
        for name in (
            "assignments",
            "scans",
            "batches",
            "reviews",
            "campaigns",
            "jobs",
            "models",
            "training-runs",
            "releases",
            "me",
        )
    ]
    own = [
        f"/api/v1/assignments/{begun.pk}/",
        f"/api/v1/scans/{begun.scan_id}/",
        f"/api/v1/reviews/{round_.pk}/",
        f"/api/v1/assignments/{begun.pk}/mask",
        "/worklist/",
        "/worklist/?show=done",
        "/find/?q=VX",
    ]
    for path in api + own:
        body = client.get(path).content.decode()
        for word in (
            "0.123456",
            "0.654321",
            "Dice 0.42",
            '"risk":87',
            "m77",
            str(guess.pk),
            '"score"',
            '"uncertainty"',
        ):
            assert word not in body, f"{word} in {path}"
    for part in ("mask", "probability"):
        assert client.get(f"/api/v1/revisions/{guess.pk}/{part}").status_code == 404
    # Who judges does see it.
    judge = logged_in(world, "reviewer").get(f"/api/v1/reviews/{round_.pk}/").json()
    assert (judge["risk"], judge["reasons"]) == (87, ["far from prediction, Dice 0.42"])


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
