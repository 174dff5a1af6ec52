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

from annotation.datasets.services import create_release
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.masks.services import store_prediction
from annotation.reviews.comments import add_comment, add_reply
from annotation.reviews.models import Comment
from annotation.reviews.services import submit_assignment
from annotation.scans.services import set_site_membership
from annotation.work.people import invite_person
from annotation.work.schema import parse_schema
from annotation.work.services import claim_assignment
from tests.factories.world import PASSWORD, SHAPE, World, first_of, label, make_scan, mask_message, publish
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.jobs.models import Job
from voxloop.volume.labelmap import MEDIA_TYPE

pytestmark = pytest.mark.django_db

PEOPLE = (
    "anonymous",
    "outsider",
    "elsewhere",
    "annotator",
    "annotator2",
    "reviewer",
    "coordinator",
    "datamanager",
    "admin",
)
YES, FORBIDDEN, HIDDEN, LOGIN = "yes", 403, 404, 401
NONE = {"anonymous": LOGIN}


def row(default: Any, **people: Any) -> dict[str, Any]:
    """What each person gets: `YES` (anything but a refusal of the person), or the refusal."""
    return {name: people.get(name, default) for name in PEOPLE} | NONE


EVERYONE = row(YES)
SEERS_OF_SCAN = row(YES, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN)
SEERS_OF_WORK = row(HIDDEN, annotator=YES, coordinator=YES, datamanager=YES, admin=YES)
OWNER = row(HIDDEN, annotator=YES, coordinator=FORBIDDEN, datamanager=FORBIDDEN, admin=FORBIDDEN)
COORDINATOR_OF_BATCH = row(HIDDEN, annotator=FORBIDDEN, coordinator=YES, datamanager=FORBIDDEN, admin=FORBIDDEN)
SEERS_OF_BATCH = row(HIDDEN, annotator=YES, coordinator=YES, elsewhere=YES, datamanager=YES, admin=YES)
SEERS_OF_ROUND = row(HIDDEN, annotator=YES, reviewer=YES, coordinator=YES, datamanager=YES, admin=YES)
WRITER = SEERS_OF_ROUND | dict.fromkeys(("reviewer", "coordinator", "datamanager", "admin"), FORBIDDEN)
JUDGE = row(HIDDEN, annotator=FORBIDDEN, reviewer=YES, coordinator=FORBIDDEN, datamanager=FORBIDDEN, admin=FORBIDDEN)
KEEPERS_OF_RELEASE = row(HIDDEN, elsewhere=YES, coordinator=YES, datamanager=YES, admin=YES)
DATA_MANAGER = row(HIDDEN, elsewhere=FORBIDDEN, coordinator=FORBIDDEN, datamanager=YES, admin=FORBIDDEN)
COORDINATOR_OF_RUN = row(HIDDEN, elsewhere=YES, coordinator=YES, datamanager=FORBIDDEN, admin=FORBIDDEN)
ERASER = row(FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN, datamanager=YES, admin=YES)

ROWS: dict[tuple[str, str], dict[str, Any]] = {
    ("api:token", "post"): dict.fromkeys(PEOPLE, YES),
    ("api:me", "get"): EVERYONE,
    ("api:me-settings", "get"): EVERYONE,
    ("api:me-settings", "patch"): EVERYONE,
    ("api:sites", "get"): EVERYONE,
    ("api:scans", "get"): EVERYONE,
    ("api:scan-upload", "post"): row(FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, coordinator=YES, datamanager=YES),
    ("api:scan", "get"): SEERS_OF_SCAN,
    ("api:scan-withdraw", "post"): row(
        FORBIDDEN, outsider=HIDDEN, elsewhere=HIDDEN, annotator2=HIDDEN, coordinator=YES, datamanager=YES
    ),
    ("api:subject-erasure", "get"): ERASER,
    ("api:subject-erasure", "post"): ERASER,
    ("api:person-deactivate", "post"): row(FORBIDDEN, admin=YES),
    ("api:person-reactivate", "post"): row(FORBIDDEN, admin=YES),
    ("api:volume", "get"): SEERS_OF_SCAN,
    ("api:volume-pack", "get"): SEERS_OF_SCAN,
    ("api:volume-preview", "get"): SEERS_OF_SCAN,
    ("api:campaigns", "get"): EVERYONE,
    ("api:batches", "get"): EVERYONE,
    ("api:batches", "post"): row(FORBIDDEN, outsider=HIDDEN, coordinator=YES, elsewhere=YES),
    ("api:batch-publish", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-close", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-cancel", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-assign", "post"): COORDINATOR_OF_BATCH | {"elsewhere": YES},
    ("api:batch-offline", "get"): SEERS_OF_BATCH,
    ("api:batch-offline", "post"): SEERS_OF_BATCH,
    ("api:batch-offline", "delete"): SEERS_OF_BATCH,
    ("api:assignments", "get"): EVERYONE,
    ("api:claim", "post"): EVERYONE,
    ("api:assignment", "get"): SEERS_OF_WORK,
    ("api:assignment-open", "post"): OWNER,
    ("api:assignment-beat", "post"): OWNER,
    ("api:assignment-mask", "get"): SEERS_OF_WORK,
    ("api:assignment-mask", "put"): OWNER,
    ("api:assignment-history", "get"): SEERS_OF_WORK,
    ("api:assignment-voxel", "get"): SEERS_OF_WORK,
    ("api:assignment-answers", "put"): OWNER,
    ("api:assignment-answers", "patch"): OWNER,
    ("api:assignment-propose", "post"): OWNER,
    ("api:assignment-submit", "post"): OWNER,
    ("api:assignment-skip", "post"): OWNER,
    ("api:assignment-block", "post"): OWNER,
    ("api:assignment-unblock", "post"): row(HIDDEN, annotator=YES, coordinator=YES, datamanager=YES, admin=FORBIDDEN),
    ("api:assignment-release", "post"): OWNER,
    ("api:assignment-reclaim", "post"): row(FORBIDDEN, coordinator=YES, elsewhere=HIDDEN),
    ("api:revision-mask", "get"): SEERS_OF_SCAN,
    ("api:revision-probability", "get"): SEERS_OF_SCAN,
    ("api:reviews", "get"): EVERYONE,
    ("api:review", "get"): SEERS_OF_ROUND,
    ("api:review-claim", "post"): JUDGE,
    ("api:review-give-back", "post"): JUDGE,
    ("api:review-checks", "patch"): JUDGE,
    ("api:review-approve", "post"): JUDGE,
    ("api:review-correct", "post"): JUDGE,
    ("api:review-return", "post"): JUDGE,
    ("api:review-comments", "get"): SEERS_OF_ROUND,
    ("api:review-comments", "post"): SEERS_OF_ROUND | {"datamanager": FORBIDDEN, "admin": FORBIDDEN},
    ("api:review-comments-seen", "post"): SEERS_OF_ROUND,
    ("api:comment", "patch"): WRITER,
    ("api:comment-replies", "post"): SEERS_OF_ROUND | {"datamanager": FORBIDDEN, "admin": FORBIDDEN},
    ("api:reply", "patch"): WRITER,
    ("api:comment-resolve", "post"): SEERS_OF_ROUND,
    ("api:comment-reopen", "post"): SEERS_OF_ROUND,
    ("api:jobs", "get"): EVERYONE,
    ("api:job", "get"): row(HIDDEN, datamanager=YES, admin=YES),
    ("api:job-cancel", "post"): row(HIDDEN, datamanager=YES, admin=YES),
    ("api:schema", "get"): EVERYONE,
    ("api:docs", "get"): EVERYONE,
    ("api:training-runs", "get"): EVERYONE,
    ("api:training-runs", "post"): row(FORBIDDEN, outsider=HIDDEN, coordinator=YES, elsewhere=YES),
    ("api:training-run", "get"): KEEPERS_OF_RELEASE,
    ("api:training-run-cancel", "post"): COORDINATOR_OF_RUN,
    ("api:models", "get"): EVERYONE,
    ("api:model-promote", "post"): COORDINATOR_OF_RUN,
    ("api:releases", "get"): EVERYONE,
    ("api:releases", "post"): row(FORBIDDEN, outsider=HIDDEN, datamanager=YES),
    ("api:release", "get"): KEEPERS_OF_RELEASE,
    ("api:release-freeze", "post"): DATA_MANAGER,
    ("api:release-publish", "post"): DATA_MANAGER,
    ("api:release-yank", "post"): DATA_MANAGER,
    ("api:release-export", "post"): DATA_MANAGER,
}
# Small noise volumes have no lungs, so there is no limit to serve; its view is the pack's with another field.
NOT_IN_THIS_WORLD = {("api:volume-limit", "get")}


def api_routes() -> Iterator[tuple[str, str]]:
    """Every (name, method) under /api/."""

    def walk(patterns: list[Any], prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route, pattern.namespace or namespace)
            elif isinstance(pattern, URLPattern) and route.startswith("api/"):
                view = pattern.callback.view_class
                for method in ("get", "post", "put", "patch", "delete"):
                    if hasattr(view, method):
                        yield f"{namespace}:{pattern.name}", method

    return walk(get_resolver().url_patterns, "", "")


def test_every_route_has_a_row() -> None:
    assert set(api_routes()) == set(ROWS) | NOT_IN_THIS_WORLD


@pytest.fixture
def subjects(world: World) -> dict[str, Any]:
    """One thing of each kind; the work is annotator's, at site a."""
    make_scan(world, "b", seed=50)  # one more that is in no batch
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
    run = TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest={}, manifest_hash="0"
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign, number=1, run=run, weights_key="weights/0", config={}, metrics={}
    )
    job = Job.objects.create(kind="import_scans", key="x", requested_by=world["datamanager"])
    return {
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
        "run": run.pk,
        "model": model.pk,
        "person": world["annotator2"].pk,
        "subject": submitted.scan.subject_id,
    }


def pk_of(name: str, subjects: dict[str, Any]) -> Any:
    for prefix, kind in (
        ("api:revision-probability", "prediction"),
        ("api:batch-", "batch"),
        ("api:assignment", "assignment"),
        ("api:scan", "scan"),
        ("api:volume", "scan"),
        ("api:review-", "review"),
        ("api:review", "review"),
        ("api:comment", "comment"),
        ("api:reply", "reply"),
        ("api:revision", "revision"),
        ("api:job", "job"),
        ("api:release", "release"),
        ("api:training-run", "run"),
        ("api:model", "model"),
        ("api:person", "person"),
        ("api:subject", "subject"),
    ):
        if name.startswith(prefix):
            return subjects[kind]
    raise AssertionError(name)


def body_of(name: str, subjects: dict[str, Any]) -> dict[str, Any]:
    return {
        "api:token": {"username": "annotator", "password": PASSWORD},
        "api:me-settings": {"values": {"smooth": False}},
        "api:batches": {"campaign": str(subjects["campaign"]), "size": 1},
        "api:batch-assign": {"assignee": None},
        "api:batch-offline": {"days": 2},
        "api:assignment-beat": {"active_seconds": 5},
        "api:assignment-answers": {"values": {}},
        "api:assignment-propose": {"segment": 1, "points": [[1, 1, 1, 1]]},
        "api:assignment-skip": {"reason": "wrong series"},
        "api:assignment-block": {"reason": "artefact"},
        "api:assignment-reclaim": {"reason": "on leave"},
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
        "api:release-export": {"destination": "out"},
    }.get(name, {})


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
    }
    path = reverse(name, args=[pk_of(name, subjects)] if takes_pk else [])
    if (name, method) == ("api:assignment-mask", "put"):
        return client.put(path, mask_message(), MEDIA_TYPE, HTTP_IF_MATCH='"empty"', HTTP_IDEMPOTENCY_KEY=str(uuid4()))
    if (name, method) == ("api:scan-upload", "post"):
        return client.post(path, {"site": "a", "campaign": "chest-ct", "file": BytesIO(b"no scan")})
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
            # A refusal of what is asked (409, 412, 422 …) is fine: the person was let in.
            assert answer.status_code not in (401, 403, 404, 500), told
        else:
            assert answer.status_code == expected, told


@pytest.mark.parametrize("name", sorted({name for name, _ in ROWS}))
def test_head_and_options_tell_no_more_than_the_row(world: World, subjects: dict[str, Any], name: str) -> None:
    """HEAD is what GET is, without its body; OPTIONS is no method of any route, and asks for the log-in first."""
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
