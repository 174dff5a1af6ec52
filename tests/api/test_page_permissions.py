"""Every page × person gets what its permission row says: the page, a 403 for the role, a 404 for what is not theirs."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, reverse

from annotation.datasets.models import Export
from annotation.datasets.services import create_release
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.pages.permissions import ADMINISTRATOR, ANYBODY, ROWS, Row, Scope
from annotation.pages.urls import urlpatterns
from annotation.reviews.models import Arbitration, GoldScan
from annotation.reviews.services import submit_assignment
from tests.factories.evidence import case_of
from tests.factories.world import World, label, make_scan, publish
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job

pytestmark = pytest.mark.django_db

ROLES: dict[str, set[str]] = {
    "outsider": set(),
    "annotator": {Role.ANNOTATOR},
    "annotator2": {Role.ANNOTATOR},
    "reviewer": {Role.REVIEWER},
    "coordinator": {Role.COORDINATOR},
    "datamanager": {Role.DATA_MANAGER},
    "admin": {ADMINISTRATOR},
}
MEMBERS = set(ROLES) - {"outsider"}
OVERSEERS = {"coordinator", "datamanager", "admin"}
# Who sees the one object of each kind in the test data; everybody else gets a 404.
SEES: dict[Scope, set[str]] = {
    Scope.NONE: set(ROLES),
    Scope.CAMPAIGN: MEMBERS,
    Scope.BATCH: OVERSEERS | {"annotator"},
    Scope.ASSIGNMENT: OVERSEERS | {"annotator"},
    Scope.ROUND: OVERSEERS | {"annotator", "reviewer"},
    Scope.ARBITRATION: OVERSEERS | {"reviewer"},
    Scope.SCAN: OVERSEERS | {"annotator", "reviewer"},
    Scope.MODEL: OVERSEERS,
    Scope.RELEASE: OVERSEERS,
    Scope.EXPORT: OVERSEERS,
    Scope.JOB: {"datamanager", "admin"},  # who asked for it, and an administrator
    Scope.PERSON: set(ROLES),
    Scope.SITE: set(ROLES),
    Scope.SUBJECT: OVERSEERS | {"annotator", "reviewer"},
}
BODIES: dict[str, dict[str, Any]] = {
    "skip": {"reason": "motion"},
    "block": {"reason": "wrong series"},
    "assignment_reclaim": {"reason": "away for two weeks"},
    "theme": {"theme": "dark"},
    "scan_withdraw": {"reason": "consent taken back"},
    "person_deactivate": {"reason": "left the clinic"},
    "reject": {"reason": "it marks vessels"},
    "promote": {"reason": "it helps"},
    "campaign_pause": {"reason": "holiday"},
    "batch_pause": {"reason": "the scanner is checked"},
    "member_pause": {"reason": "holiday"},
    "arbitration_cancel": {"reason": "everybody knows it"},
    "member_let_work": {"reason": "made the references"},
    "gold_change": {"change": "retire"},
}


@pytest.fixture
def subjects(world: World) -> dict[Scope, Any]:
    """One thing of each kind; the work is annotator's, at site a."""
    make_scan(world, "b", seed=50)  # one more, in no batch
    batch = publish(world, size=2)
    first, second = batch.assignments.order_by("position")
    label(world, first)
    found = submit_assignment(assignment_id=first.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    run = TrainingRun.objects.create(
        campaign=world.campaign,
        number=1,
        state="candidate",
        profile="demo",
        seed=1,
        manifest={},
        manifest_hash="0" * 64,
        results={"cases": [case_of(first.scan)]},
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=1, run=run, weights_key="weights/1", config={}, metrics={}
    )
    GoldScan.objects.create(campaign=world.campaign, scan=first.scan, origin="approved", made_by=world["coordinator"])
    job = Job.objects.create(kind=Job.Kind.IMPORT_SCANS, key="a job", requested_by=world["datamanager"])
    release = create_release(campaign=world.campaign, name="r1", actor=world["datamanager"])
    return {
        Scope.CAMPAIGN: world.campaign,
        Scope.BATCH: batch,
        Scope.ASSIGNMENT: second,
        Scope.ROUND: found,
        Scope.ARBITRATION: Arbitration.objects.create(
            campaign=world.campaign,
            scan=first.scan,
            round=found,
            first_reader=world["annotator"],
            second_reader=world["annotator2"],
            dice=0.5,
        ),
        Scope.SCAN: first.scan,
        Scope.MODEL: model,
        Scope.RELEASE: release,
        Scope.EXPORT: Export.objects.create(release=release, destination="file:///releases"),
        Scope.JOB: job,
        Scope.PERSON: world["annotator2"],
        Scope.SITE: world.sites["b"],
        Scope.SUBJECT: first.scan.subject,
    }


def addresses(pattern: URLPattern, row: Row, thing: Any) -> str:
    keys: dict[str, Any] = {}
    if row.scope is Scope.CAMPAIGN:
        keys["slug"] = thing.slug
    elif row.scope is not Scope.NONE:
        keys["id"] = thing.pk
    words: dict[str, Any] = {
        "name": {"dashboard_csv": "burn-up", "agreement_csv": "readers"}.get(pattern.name, "curve"),
        "what": "author",
        "form": "md",
        "plane": "axial",
        "do": "pick",
        "number": 1,
    }
    if "scan" in pattern.pattern.converters:
        words["scan"] = thing.run.results["cases"][0]["scan"] if hasattr(thing, "run") else str(uuid4())
    if "person" in pattern.pattern.converters:
        words["person"] = thing.members.filter(role=Role.ANNOTATOR).first().user_id
    if "gold" in pattern.pattern.converters:
        words["gold"] = thing.gold_scans.get().pk
    for more, value in words.items():
        if more in pattern.pattern.converters:
            keys[more] = value
    return reverse(pattern.name, kwargs=keys)


def expected(row: Row, person: str) -> str:
    """`yes`, `forbidden` or `hidden`."""
    if person not in SEES[row.scope]:
        return "hidden"
    return "yes" if row.roles == ANYBODY or row.roles & ROLES[person] else "forbidden"


def said(status: int) -> str:
    return {403: "forbidden", 404: "hidden"}.get(status, "yes" if status < 500 else f"fault {status}")


def requests(subjects: dict[Scope, Any]) -> Iterator[tuple[str, Row, str, str]]:
    for pattern in urlpatterns:
        row = ROWS[pattern.name]
        for method in row.methods:
            yield pattern.name, row, method, addresses(pattern, row, subjects.get(row.scope))


def test_every_page_has_a_row_and_every_row_a_page() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(ROWS)
    for pattern in urlpatterns:
        assert vars(pattern.callback)["row"] == ROWS[pattern.name]


@pytest.mark.parametrize("person", ROLES)
def test_pages_answer_as_their_rows_say(world: World, subjects: dict[Scope, Any], person: str) -> None:
    client = Client()
    client.force_login(world[person])
    wrong = []
    for name, row, method, path in requests(subjects):
        with transaction.atomic():
            answer = client.get(path) if method == "GET" else client.post(path, BODIES.get(name, {}))
            if said(answer.status_code) != expected(row, person):
                wrong.append(f"{method} {path} as {person}: {answer.status_code}, not {expected(row, person)}")
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def test_nobody_gets_in_without_logging_in(world: World, subjects: dict[Scope, Any]) -> None:
    client = Client()
    for _, _, method, path in requests(subjects):
        answer = client.get(path) if method == "GET" else client.post(path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("person", ["annotator", "coordinator", "admin"])
def test_head_and_options_of_pages(world: World, subjects: dict[Scope, Any], person: str) -> None:
    """HEAD behaves like GET; OPTIONS is not allowed."""
    client = Client()
    client.force_login(world[person])
    for name, row, _method, path in requests(subjects):
        head = client.head(path)
        expect = expected(row, person) if "GET" in row.methods else "yes"
        assert said(head.status_code) == expect, f"HEAD {path}: {head.status_code}, not {expect}"
        assert (head.status_code == 405) == ("GET" not in row.methods), name
        assert client.options(path).status_code == 405, path
        assert Client().head(path).status_code == 302


def test_changes_are_post_only(world: World, subjects: dict[Scope, Any]) -> None:
    client = Client()
    client.force_login(world["coordinator"])
    for pattern in urlpatterns:
        row = ROWS[pattern.name]
        path = addresses(pattern, row, subjects.get(row.scope))
        if "GET" not in row.methods:
            assert client.get(path).status_code == 405, path
        if "POST" not in row.methods:
            assert client.post(path).status_code == 405, path


def test_a_form_without_its_token_changes_nothing(world: World, subjects: dict[Scope, Any]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world["coordinator"])
    answer = client.post(reverse("batch_close", args=[subjects[Scope.BATCH].pk]))
    assert answer.status_code == 403
    assert b"older than your log-in" in answer.content
    subjects[Scope.BATCH].refresh_from_db()
    assert subjects[Scope.BATCH].state == "in_progress"


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope not in (Scope.NONE, Scope.CAMPAIGN)])
def test_what_does_not_exist_is_not_found(world: World, scope: Scope) -> None:
    client = Client()
    client.force_login(world["coordinator"])
    pattern = next(pattern for pattern in urlpatterns if ROWS[pattern.name].scope is scope)
    row = ROWS[pattern.name]
    thing = type("Nothing", (), {"pk": uuid4()})
    path = addresses(pattern, row, thing)
    assert (client.get(path) if "GET" in row.methods else client.post(path)).status_code == 404
