"""Known vulnerabilities of similar systems, one test each. Tested elsewhere: archives and declared sizes
(CVE-2026-47682, CVE-2026-5437, CVE-2019-11687) in `tests/unit/intake/test_hostile.py`, least versions in
`tests/architecture/test_minimum_versions.py`, who may do what on every route in `tests/api/test_permissions.py`."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from annotation.masks.services import begin
from annotation.reviews.claims import claim_round
from annotation.reviews.comments import add_comment
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import return_round, submit_assignment
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from annotation.work.models import Campaign
from annotation.work.services import block_assignment
from tests.factories.clients import logged_in
from tests.factories.world import PASSWORD, World, first_of, label, publish
from voxloop.accounts.models import ApiToken, User
from voxloop.accounts.tokens import issue_token
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"


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
    paths = [
        reverse(name, args=[slug] if "<slug:slug>" in {name: route for name, route, _ in guarded()}[name] else [])
        for name in plain_pages()
    ]
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


def guarded() -> Iterator[tuple[str, str, Any]]:
    """Name, URL and permission row of every guarded page."""
    for pattern in get_resolver().url_patterns:
        for page in getattr(pattern, "url_patterns", [pattern]):
            row = vars(page.callback).get("row") if isinstance(page, URLPattern) else None
            if row is not None:
                yield str(page.name), str(page.pattern), row


def plain_pages() -> list[str]:
    """Pages for GET without parameters except a campaign's."""
    return [
        name
        for name, route, row in guarded()
        if "GET" in row.methods and re.sub("<slug:slug>", "", route).count("<") == 0
    ]


def test_no_template_lets_markup_through() -> None:
    """Only figures, guidelines and papers are marked safe: each is escaped when it is drawn."""
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
        "annotation/pages/templatetags/frame.py",
        "annotation/pages/markdown.py",
        "annotation/pages/views/paper.py",
    }


# Log-in --------------------------------------------------------------------------------------------------------------


# Addresses and code from elsewhere -----------------------------------------------------------------------------------


# Blindness -----------------------------------------------------------------------------------------------------------
