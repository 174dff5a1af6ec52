"""Every API route × method × person. A route without a row here fails the build."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.datasets.models import Export
from annotation.datasets.services import create_release
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.masks.services import store_prediction
from annotation.reporting.models import ReportSet
from annotation.reviews.comments import add_comment, add_reply
from annotation.reviews.models import Comment
from annotation.reviews.services import submit_assignment
from annotation.scans.services import set_site_membership
from annotation.work.people import invite_person
from annotation.work.schema import parse_schema
from annotation.work.services import claim_assignment
from tests.api.permission_rows import LOGIN, NONE, NOT_IN_THIS_WORLD, PEOPLE, ROWS, YES
from tests.factories.kept_world import again
from tests.factories.phantoms import store_measurement
from tests.factories.world import PASSWORD, SHAPE, World, build_world, first_of, label, make_scan, mask_message, publish
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job
from voxloop.volume.labelmap import MEDIA_TYPE

pytestmark = pytest.mark.django_db


def api_routes() -> Iterator[tuple[str, str]]:
    """Every (name, method) under /api/."""

    def walk(patterns: list[Any], prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route, pattern.namespace or namespace)
            elif isinstance(pattern, URLPattern) and route.startswith("api/"):
                view = vars(pattern.callback)["view_class"]
                for method in ("get", "post", "put", "patch", "delete"):
                    if hasattr(view, method):
                        yield f"{namespace}:{pattern.name}", method

    return walk(get_resolver().url_patterns, "", "")


def test_every_route_has_a_row() -> None:
    assert set(api_routes()) == set(ROWS) | NOT_IN_THIS_WORLD


def _one_of_each_kind() -> tuple[World, dict[str, Any]]:
    world = build_world()
    make_scan(world, "b", seed=50)  # one more, in no batch
    invite_person(
        username="elsewhere",
        password=PASSWORD,
        actor=world["admin"],
        roles=[(world.campaign, Role.COORDINATOR), (world.campaign, Role.REVIEWER), (world.campaign, Role.ANNOTATOR)],
    )
    batch = publish(world, size=2)
    scan = first_of(batch).scan
    findings = parse_schema(world.campaign.schema.definition).layer("findings")
    prediction = store_prediction(
        scan=scan,
        layer=findings,
        labels_zyx=np.zeros(SHAPE, np.uint8),
        model_id=uuid4(),
        model_name="m1",
        probability=(np.zeros((SHAPE[0], SHAPE[1] // 2, SHAPE[2] // 2), np.uint8), (1, 2, 2)),
    )
    submitted = claim_assignment(actor=world["annotator"])
    assert submitted is not None
    label(world, submitted)
    round_ = submit_assignment(assignment_id=submitted.pk, actor=world["annotator"])
    comment = add_comment(round_id=round_.pk, actor=world["annotator"], text="unsure here")
    reply = add_reply(comment_id=comment.pk, actor=world["annotator"], text="it is the fissure")
    assignment = claim_assignment(actor=world["annotator"])
    assert assignment is not None
    release = create_release(campaign=world.campaign, name="2026.1", actor=world["datamanager"])
    export = Export.objects.create(release=release, destination="file:///releases")
    run = TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest={}, manifest_hash="0"
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=1, run=run, weights_key="weights/0", config={}, metrics={}
    )
    job = Job.objects.create(kind="import_scans", key="x", requested_by=world["datamanager"])
    subjects = {
        "batch": batch.pk,
        "assignment": assignment.pk,
        "scan": submitted.scan_id,
        "review": round_.pk,
        "comment": comment.pk,
        "reply": reply.pk,
        "revision": round_.masks.get().submitted_id,
        "prediction": prediction.pk,
        "job": job.pk,
        "campaign": world.campaign.pk,
        "release": release.pk,
        "export": export.pk,
        "run": run.pk,
        "model": model.pk,
        "quantities": store_measurement(round_).pk,
        "report-set": ReportSet.objects.create(batch=batch, created_by=world["coordinator"]).pk,
        "person": world["annotator2"].pk,
        "subject": submitted.scan.subject_id,
    }
    return world, subjects


@pytest.fixture
def one_of_each(db: None) -> tuple[World, dict[str, Any]]:
    return again(_one_of_each_kind)


@pytest.fixture
def world(one_of_each: tuple[World, dict[str, Any]]) -> World:
    """The campaign of `subjects`."""
    return one_of_each[0]


@pytest.fixture
def subjects(one_of_each: tuple[World, dict[str, Any]]) -> dict[str, Any]:
    """One thing of each kind; the work is annotator's, at site a."""
    return one_of_each[1]


def pk_of(name: str, subjects: dict[str, Any]) -> Any:
    for prefix, kind in (
        ("api:revision-probability", "prediction"),
        ("api:batch-", "batch"),
        ("api:campaign-", "campaign"),
        ("api:member-", "campaign"),
        ("api:assignment", "assignment"),
        ("api:scan", "scan"),
        ("api:volume", "scan"),
        ("api:review-", "review"),
        ("api:review", "review"),
        ("api:comment", "comment"),
        ("api:reply", "reply"),
        ("api:revision", "revision"),
        ("api:job", "job"),
        ("api:report-set", "report-set"),
        ("api:report-", "quantities"),
        ("api:release", "release"),
        ("api:export", "export"),
        ("api:training-run", "run"),
        ("api:model", "model"),
        ("api:person", "person"),
        ("api:subject", "subject"),
    ):
        if name.startswith(prefix):
            return subjects[kind]
    raise AssertionError(name)


def body_of(name: str, subjects: dict[str, Any]) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {
        "api:token": {"username": "annotator", "password": PASSWORD},
        "api:me-settings": {"values": {"smooth": False}},
        "api:batches": {"campaign": str(subjects["campaign"]), "size": 1},
        "api:batch-assign": {"assignee": None},
        "api:batch-pause": {"reason": "the scanner is checked"},
        "api:campaign-pause": {"reason": "holidays"},
        "api:member-pause": {"reason": "on leave"},
        "api:batch-offline": {"days": 2},
        "api:assignment-beat": {"active_seconds": 5},
        "api:assignment-answers": {"values": {}},
        "api:assignment-marks": {"values": {}},
        "api:assignment-propose": {"segment": 1, "points": [[1, 1, 1, 1]]},
        "api:assignment-skip": {"reason": "wrong series"},
        "api:assignment-block": {"reason": "artefact"},
        "api:assignment-reclaim": {"reason": "on leave"},
        "api:model-reject": {"reason": "worse at one site"},
        "api:model-roll-back": {"reason": "marks vessels"},
        "api:review-checks": {"values": {"prediction added 1 2 3 4 0 0": True}},
        "api:review-approve": {"password": PASSWORD},
        "api:review-correct": {"password": PASSWORD},
        "api:review-comments": {"text": "look here"},
        "api:review-comments-seen": {"until": "2026-11-21T10:00:00Z"},
        "api:comment": {"text": "look there"},
        "api:comment-replies": {"text": "seen"},
        "api:reply": {"text": "it is a vessel"},
        "api:releases": {"campaign": str(subjects["campaign"]), "name": "2026.2"},
        "api:training-runs": {"campaign": str(subjects["campaign"])},
        "api:release-yank": {"reason": "wrong split"},
        "api:subject-erasure": {"reason": "asked for", "confirmation": "not it"},
        "api:scan-withdraw": {"reason": "consent taken back"},
        "api:person-deactivate": {"reason": "left the clinic"},
        "api:report-send": {"destination": "PACS"},
        "api:release-export": {"destination": "out"},
    }
    return bodies.get(name, {})


def ask(client: Client, name: str, method: str, subjects: dict[str, Any]) -> Any:
    takes_pk = name not in {
        "api:token",
        "api:me",
        "api:me-settings",
        "api:sites",
        "api:scans",
        "api:campaigns",
        "api:batches",
        "api:assignments",
        "api:claim",
        "api:scan-upload",
        "api:reviews",
        "api:jobs",
        "api:schema",
        "api:docs",
        "api:releases",
        "api:training-runs",
        "api:models",
        "api:model-bring",
        "api:efforts",
        "api:quantities",
    }
    args = [subjects["campaign"], subjects["person"]] if name.startswith("api:member-") else []
    path = reverse(name, args=args or ([pk_of(name, subjects)] if takes_pk else []))
    if (name, method) == ("api:assignment-mask", "put"):
        return client.put(path, mask_message(), MEDIA_TYPE, HTTP_IF_MATCH='"empty"', HTTP_IDEMPOTENCY_KEY=str(uuid4()))
    if (name, method) == ("api:scan-upload", "post"):
        return client.post(path, {"site": "a", "campaign": "chest-ct", "file": BytesIO(b"no scan")})
    if (name, method) == ("api:scan-masks", "post"):
        return client.post(path, {"campaign": "chest-ct", "file": BytesIO(b"no mask")})
    if (name, method) == ("api:model-bring", "post"):
        return client.post(path, {"campaign": "chest-ct", "file": BytesIO(b"no model")})
    if method in {"get", "head", "options"}:
        return getattr(client, method)(path)
    send: Callable[..., Any] = getattr(client, method)
    return send(path, body_of(name, subjects), "application/json")


@pytest.mark.parametrize(("name", "method"), sorted(ROWS), ids=lambda value: value)
def test_row(world: World, subjects: dict[str, Any], name: str, method: str) -> None:
    for person, expected in ROWS[name, method].items():
        client = Client()
        if person != "anonymous":
            client.force_login(User.objects.get(username=person), backend="django.contrib.auth.backends.ModelBackend")
        with transaction.atomic():
            answer = ask(client, name, method, subjects)
            transaction.set_rollback(True)
        told = f"{person} got {answer.status_code} from {method.upper()} {name}"
        if expected == YES:
            # A refusal of the content (409, 412, 422 …) is fine: the person was admitted.
            assert answer.status_code not in (401, 403, 404, 500), told
        else:
            assert answer.status_code == expected, told


@pytest.mark.parametrize("name", sorted({name for name, _ in ROWS}))
def test_head_and_options_tell_no_more_than_the_row(world: World, subjects: dict[str, Any], name: str) -> None:
    """HEAD behaves like GET without body; OPTIONS is not allowed on any route, and requires a log-in first."""
    for person in PEOPLE:
        client = Client()
        if person != "anonymous":
            client.force_login(User.objects.get(username=person), backend="django.contrib.auth.backends.ModelBackend")
        with transaction.atomic():
            head, options = ask(client, name, "head", subjects), ask(client, name, "options", subjects)
            transaction.set_rollback(True)
        told = f"{person} got HEAD {head.status_code}, OPTIONS {options.status_code} from {name}"
        expected = ROWS.get((name, "get"), dict.fromkeys(PEOPLE, 405) | ({} if name == "api:token" else NONE))[person]
        if expected == YES:
            assert head.status_code not in (401, 403, 404, 405, 500), told
        else:
            assert head.status_code == expected, told
        assert head.content == b"", told
        assert options.status_code == (LOGIN if person == "anonymous" and name != "api:token" else 405), told


def test_no_membership_of_the_site_hides_the_work(world: World, subjects: dict[str, Any]) -> None:
    for site in world.sites.values():
        set_site_membership(user=world["annotator"], site=site, is_member=False, actor=world["admin"])
    client = Client()
    client.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("api:assignment", args=[subjects["assignment"]])).status_code == 404
    assert client.get(reverse("api:volume-pack", args=[subjects["scan"]])).status_code == 404
    assert client.get(reverse("api:assignments")).json()["results"] == []
    assert Comment.objects.count() == 1
