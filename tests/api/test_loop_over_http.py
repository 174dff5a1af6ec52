"""The loop over HTTP: publish, claim, draw, hand in, return, correct, approve."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.reviews.services import submit_assignment
from tests.factories.world import PASSWORD, World, add_role, ball, label, mask_message, publish
from voxloop.volume.labelmap import MEDIA_TYPE, decode_message

pytestmark = pytest.mark.django_db


def log_in(world: World, name: str) -> Client:
    client = Client()
    answer = client.post("/api/v1/auth/token", {"username": name, "password": PASSWORD}, "application/json")
    assert answer.status_code == 200, answer.content
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {answer.json()['token']}"
    return client


def save(client: Client, pk: str, message: bytes, head: str, key: Any = None) -> Any:
    return client.put(
        f"/api/v1/assignments/{pk}/mask?layer=findings",
        message,
        MEDIA_TYPE,
        HTTP_IF_MATCH=f'"{head}"',
        HTTP_IDEMPOTENCY_KEY=str(key or uuid4()),
    )


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(f"/api/v1{path}", body or {}, "application/json")


def test_whole_loop(world: World) -> None:
    publish(world, to=None, size=2)
    annotator, reviewer = log_in(world, "annotator"), log_in(world, "reviewer")
    claimed = post(annotator, "/assignments/claim")
    assert claimed.status_code == 200, claimed.content
    pk = claimed.json()["id"]
    context = annotator.get(f"/api/v1/assignments/{pk}/").json()
    assert context["can"]["edit"]
    assert context["masks"]["findings"]["head"] is None

    volume = annotator.get(context["scan"]["volume"]).json()
    first = volume["pack"]["slices"][0]
    part = annotator.get(volume["pack"]["url"], HTTP_RANGE=f"bytes={first[0]}-{first[0] + first[1] - 1}")
    assert part.status_code == 206
    assert len(part.getvalue()) == first[1]

    key = uuid4()
    saved = save(annotator, pk, mask_message(), "empty", key)
    assert saved.status_code == 201, saved.content
    again = save(annotator, pk, mask_message(), "empty", key)
    assert (again.status_code, again.json()) == (200, saved.json())
    stale = save(annotator, pk, mask_message(segment=2), "empty")
    assert stale.status_code == 412
    assert stale.json()["head"]["revision"] == saved.json()["revision"]

    early = post(annotator, f"/assignments/{pk}/submit", {"answers": {"diagnosis": "no_signs", "quality": "good"}})
    assert early.status_code == 409
    assert early.json()["code"] == "interlocks"
    assert early.json()["interlocks"][0]["code"] == "no_signs_with_mask"
    done = post(annotator, f"/assignments/{pk}/submit", {"answers": {"diagnosis": "covid19", "quality": "good"}})
    assert done.status_code == 200, done.content

    assert save(annotator, pk, mask_message(segment=2), saved.json()["revision"]).status_code == 409
    queue = reviewer.get("/api/v1/reviews/?state=pending").json()["results"]
    round_id = queue[0]["id"]
    review = post(reviewer, f"/reviews/{round_id}/claim").json()["assignment"]
    author = next(o for o in reviewer.get(f"/api/v1/assignments/{review}/").json()["overlays"] if o["key"] == "author")
    body = reviewer.get(author["url"], HTTP_ACCEPT=MEDIA_TYPE)
    assert (decode_message(body.content).labels() == ball()).all()

    assert post(reviewer, f"/reviews/{round_id}/return").json()["code"] == "comment_required"
    comments = {"comments": [{"text": "follow the pleura", "ijk": [20, 20, 20]}]}
    assert post(reviewer, f"/reviews/{round_id}/return", comments).status_code == 200
    back = annotator.get(f"/api/v1/assignments/{pk}/").json()
    assert back["state"] == "returned"
    assert back["comments"][0]["ijk"] == [20, 20, 20]
    assert post(annotator, "/assignments/claim").json()["id"] == pk  # returned work comes first
    fixed = save(annotator, pk, mask_message(radius=10), saved.json()["revision"])
    assert fixed.status_code == 201
    assert post(annotator, f"/assignments/{pk}/submit").status_code == 200

    second = post(reviewer, "/assignments/claim", {"stage": "review"}).json()
    round_2 = reviewer.get(f"/api/v1/assignments/{second['id']}/").json()["review"]["id"]
    unsigned = post(reviewer, f"/reviews/{round_2}/approve")
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "signature_required")
    assert post(reviewer, f"/reviews/{round_2}/approve", {"password": "wrong"}).json()["code"] == "wrong_password"
    assert post(reviewer, f"/reviews/{round_2}/approve", {"password": PASSWORD}).status_code == 200
    assert annotator.get(f"/api/v1/assignments/{pk}/").json()["state"] == "approved"


def test_ones_own_claim_comes_next_before_the_queue_is_empty(world: World) -> None:
    rows = list(publish(world, size=2).assignments.order_by("position"))
    for row in rows:
        label(world, row)
        submit_assignment(assignment_id=row.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    reviewer = log_in(world, "reviewer")
    claims = [post(reviewer, "/assignments/claim", {"stage": "review"}).json() for _ in rows]
    rounds = [reviewer.get(f"/api/v1/assignments/{claim['id']}/").json()["review"]["id"] for claim in claims]
    first, last = (post(reviewer, f"/reviews/{pk}/approve", {"password": PASSWORD}).json() for pk in rounds)
    assert (first["next"], last["next"]) == (f"/view/{claims[1]['id']}/", None)


def test_nobody_reviews_their_own(world: World) -> None:
    publish(world, size=1)
    add_role(world, "annotator", "reviewer")
    annotator = log_in(world, "annotator")
    pk = post(annotator, "/assignments/claim").json()["id"]
    save(annotator, pk, mask_message(), "empty")
    answers = {"answers": {"diagnosis": "covid19", "quality": "good"}}
    round_id = post(annotator, f"/assignments/{pk}/submit", answers).json()["review"]
    assert post(annotator, "/assignments/claim", {"stage": "review"}).status_code == 204
    assert post(annotator, f"/reviews/{round_id}/claim").status_code == 403


def test_locked_out_after_five_failures(world: World) -> None:
    client = Client()

    def attempt(password: str) -> Any:
        credentials = {"username": "annotator", "password": password}
        return client.post("/api/v1/auth/token", credentials, "application/json")

    assert [attempt("no").status_code for _ in range(4)] == [403] * 4
    fifth = attempt("no")
    assert (fifth.status_code, fifth.json()["code"]) == (429, "locked_out")
    assert attempt(PASSWORD).status_code == 429
