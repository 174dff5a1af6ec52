"""No response tells a reviewer which reading is planted, or anybody else that there is one; and it changes nothing."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from annotation.datasets.models import Release
from annotation.datasets.selectors import list_candidates
from annotation.learning.effort import measure_when_due
from annotation.learning.manifest import approved_rounds
from annotation.learning.models import Effort
from annotation.notices.gathering import gather
from annotation.notices.models import Notice
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.claims import claim_round
from annotation.reviews.models import PlantedFault, ReviewRound
from annotation.work.models import Assignment
from tests.api.test_blind_readers import plain
from tests.factories.clients import logged_in
from tests.factories.planted import planted
from tests.factories.world import PASSWORD, World
from voxloop.volume.faults import Fault

pytestmark = pytest.mark.django_db
WORDS = ("planted", "fault", *(one.value for one in Fault))
JSON = "application/json"
# What differs between any two readings: what is marked, and where the scan comes from.
FIGURES = ("site", "counts", "voxel_counts", "change", "content_hash", "chunks", "amount", "bytes")


def without_figures(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_figures(one) for name, one in value.items() if name not in FIGURES}
    return [without_figures(one) for one in value] if isinstance(value, list) else value


def told(client: Client, found: ReviewRound) -> dict[str, Any]:
    """Everything that a reviewer gets of a reading before the verdict."""
    listed = client.get("/api/v1/reviews/").json()["results"]
    answers: dict[str, Any] = {"listed": next(one for one in listed if one["id"] == str(found.pk))}
    answers["pictures"] = [
        [one.status_code, one["Content-Type"], one.get("Cache-Control")]
        for one in (client.get(f"/reviews/{found.pk}/{what}.png") for what in ("author", "prediction", "difference"))
    ]
    answers["claimed"] = client.post(f"/api/v1/reviews/{found.pk}/claim", content_type=JSON).json()
    found = ReviewRound.with_planted.get(pk=found.pk)
    desk = f"/api/v1/assignments/{found.review_id}"
    context = client.get(f"{desk}/").json()
    answers["context"] = context
    own = client.get("/api/v1/assignments/").json()["results"]
    answers["own work"] = next(one for one in own if one["id"] == str(found.review_id))
    for name in ("mask?layer=findings", "history?layer=findings", "marks", "answers"):
        answer = client.get(f"{desk}/{name}")
        is_json = answer["Content-Type"].startswith(JSON)
        answers[name] = [answer.status_code, sorted(answer.headers), answer.json() if is_json else None]
    for overlay in context["overlays"]:
        answer = client.get(overlay["url"])
        answers[f"overlay {overlay['key']}"] = [answer.status_code, sorted(answer.headers)]
    return {name: without_figures(plain(value, found.annotation)) for name, value in answers.items()}


def same(seen: list[dict[str, Any]]) -> None:
    for name in seen[0]:
        assert [one[name] for one in seen[1:]] == [seen[0][name]] * (len(seen) - 1), name


def test_a_planted_reading_looks_like_any_other_to_its_reviewer(world: World) -> None:
    made, rounds = planted(world)
    client = logged_in(world, "reviewer2")
    page = client.get("/reviews/").content.decode()
    assert made.round.annotation.scan.code in page
    everyone = [*rounds, made.round]
    seen = [told(client, one) for one in everyone]
    same(seen)
    after: list[dict[str, Any]] = []
    for one in everyone:
        answer = client.post(f"/api/v1/reviews/{one.pk}/approve", {"password": PASSWORD}, content_type=JSON)
        desk = ReviewRound.with_planted.get(pk=one.pk).review_id
        kept = {
            "verdict": (answer.status_code, sorted(answer.json())),
            "round": client.get(f"/api/v1/reviews/{one.pk}/").json(),
            "context": client.get(f"/api/v1/assignments/{desk}/").json(),
        }
        after.append({name: without_figures(plain(value, one.annotation)) for name, value in kept.items()})
    assert [one["verdict"][0] for one in after] == [200] * 4
    same(after)
    pages = page + "".join(client.get(address).content.decode() for address in ("/reviews/", "/", "/notices/"))
    for word in WORDS:
        assert word not in f"{seen} {after} {pages}".lower().replace("default", ""), word
    # The scan is listed once to its reviewer: the earlier verdict of another one is not beside it.
    codes = [one["scan"] for one in client.get("/api/v1/reviews/").json()["results"]]
    assert codes.count(made.round.annotation.scan.code) == 1
    # Nor do the size and the state of its batch tell that it is none of its scans.
    assert client.get("/api/v1/batches/").json()["results"] == []
    assert client.get(f"/api/v1/batches/{made.round.annotation.batch_id}/").status_code == 404
    for address in ("reviewers/", "reviewers/readings.csv"):
        assert client.get(f"/campaigns/chest-ct/{address}").status_code == 403


def test_nobody_else_learns_of_it(world: World) -> None:
    made, _ = planted(world)
    desk = Assignment.objects.get(pk=made.round.annotation_id)
    for name in ("annotator", "annotator2", "reviewer", "coordinator", "datamanager", "admin"):
        client = logged_in(world, name)
        assert client.get(f"/api/v1/reviews/{made.round_id}/").status_code == 404, name
        assert client.get(f"/api/v1/assignments/{desk.pk}/").status_code == 404, name
        listed = client.get("/api/v1/reviews/").content + client.get("/api/v1/assignments/?page_size=200").content
        assert str(made.round_id).encode() not in listed
        assert b'"planted"' not in listed


def counts(world: World) -> dict[str, Any]:
    """What must not move by the verdict on a planted reading."""
    coordinator, author = logged_in(world, "coordinator"), logged_in(world, "annotator")
    pages = {
        address: coordinator.get(address).content.decode().count("VX-")
        for address in ("/campaigns/chest-ct/batches/", "/campaigns/chest-ct/agreement/")
    }
    figures = {
        name: coordinator.get(f"/campaigns/chest-ct/data/{name}.csv").content.decode()
        for name in ("burn-up", "first-pass", "time-per-scan", "queue-age", "coverage")
    }
    release = Release(campaign=world.campaign, filters={})
    tables: tuple[type[Model], ...] = (Effort, Notice)
    return {
        "pages": pages,
        "figures": figures,
        "work list": [one["state"] for one in author.get("/api/v1/assignments/").json()["results"]],
        "training": sorted(one.pk for one in approved_rounds(world.campaign)),
        "release": sorted(one.pk for one in list_candidates(release)),
        "batches": sorted(row["state"] for row in coordinator.get("/api/v1/batches/").json()["results"]),
        "tables": [one._default_manager.count() for one in tables],
        "pairs": measure_pairs(),
    }


@pytest.mark.parametrize("verdict", ["approve", "return", "correct"])
def test_no_verdict_on_it_changes_anything(world: World, verdict: str) -> None:
    made, rounds = planted(world)
    # A review of the batch has begun: each verdict takes the next one that waits.
    claim_round(round_id=rounds[0].pk, actor=world["reviewer"])
    measure_when_due()
    gather()
    before = counts(world)
    client = logged_in(world, "reviewer2")
    client.post(f"/api/v1/reviews/{made.round_id}/claim", content_type=JSON)
    body: dict[str, Any] = {"password": PASSWORD}
    if verdict == "return":
        body = {"comments": [{"text": "this is not where it is"}]}
    if verdict == "correct":
        desk = ReviewRound.with_planted.get(pk=made.round_id).review_id
        answers = {"diagnosis": "covid19", "quality": "limited"}
        sent = client.put(f"/api/v1/assignments/{desk}/answers", {"values": answers}, content_type=JSON)
        assert sent.status_code == 200, sent.content
    answer = client.post(f"/api/v1/reviews/{made.round_id}/{verdict}", body, content_type=JSON)
    assert answer.status_code == 200, answer.content
    measure_when_due()
    gather()
    assert counts(world) == before
    # It can be taken back as any other, and then ends without a trace.
    undone = client.post(f"/api/v1/reviews/{made.round_id}/take-back", content_type=JSON)
    assert undone.status_code == 200, undone.content
    assert counts(world) == before
    assert PlantedFault.objects.get().round.state == "claimed"
