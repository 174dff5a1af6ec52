"""No response tells an annotator or a reviewer which scan is gold: a plain and a gold one compared field by field."""

from typing import Any

import pytest
from django.test import Client

from annotation.reviews.gold import measure_gold
from annotation.reviews.models import GoldResult
from annotation.work.gold import hide_gold
from annotation.work.models import Assignment
from tests.api.test_blind_readers import plain, responses
from tests.factories.clients import logged_in
from tests.factories.gold import golden, read
from tests.factories.world import PASSWORD, World, make_scan, publish

pytestmark = pytest.mark.django_db
WORDS = ("gold", "certif", "is_overlap", "too_much", "hidden scan")


@pytest.fixture
def mixed(world: World) -> tuple[list[Assignment], list[Assignment]]:
    """A batch of `annotator2`, who knows nothing of them: two gold scans and four plain ones of one site."""
    golden(world, 2)
    scans = [make_scan(world, "a", seed=seed) for seed in range(6, 10)]
    batch = publish(world, to="annotator2", size=6)
    hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=2)
    rows = list(batch.assignments.select_related("scan__site", "campaign").order_by("position"))
    assert len(scans) == 4
    rows = [row for row in rows if row.scan.site.code == "a"]
    return [row for row in rows if row.is_gold], [row for row in rows if not row.is_gold]


def judged(client: Client, rows: list[Assignment]) -> list[dict[str, Any]]:
    """What a reviewer gets of each scan before and after the verdict, without what differs between any two scans."""
    rounds = {row.pk: row.rounds.get() for row in rows}
    listed = {one["id"]: one for one in client.get("/api/v1/reviews/").json()["results"]}
    told: dict[Any, dict[str, Any]] = {row.pk: {"listed": listed[str(rounds[row.pk].pk)]} for row in rows}
    for name, act in (("claimed", "/claim"), ("verdict", "/approve"), ("round", "/")):
        for row in rows:
            found = rounds[row.pk]
            address = f"/api/v1/reviews/{found.pk}{act}"
            if name == "round":
                told[row.pk][name] = client.get(address).json()
            else:
                answer = client.post(address, {"password": PASSWORD}, content_type="application/json")
                told[row.pk][name] = (answer.status_code, sorted(answer.json()))
            found.refresh_from_db()
            told[row.pk][f"{name}, context"] = client.get(f"/api/v1/assignments/{found.review_id}/").json()
    return [{name: plain(value, row) for name, value in told[row.pk].items()} for row in rows]


def test_a_gold_scan_looks_like_any_other_to_its_reader(world: World, mixed: tuple[list[Assignment], ...]) -> None:
    client = logged_in(world, "annotator2")
    gold, others = mixed
    pages = client.get("/worklist/").content.decode()
    seen = [responses(client, row) for row in (*gold, *others)]
    for name in seen[0]:
        assert [one[name] for one in seen[1:]] == [seen[0][name]] * (len(seen) - 1), name
    pages += client.get(f"/view/{gold[0].pk}/").content.decode()
    assert not [word for word in WORDS if word in f"{seen} {pages}".lower().replace('"feedback"', "")]


def test_only_a_coordinator_reads_which_scan_is_gold(world: World, mixed: tuple[list[Assignment], ...]) -> None:
    batch = mixed[0][0].batch_id
    for name, knows in (("coordinator", True), ("datamanager", False)):
        client = logged_in(world, name)
        told = client.get(f"/batches/{batch}/").content.decode()
        told += client.get(f"/api/v1/batches/{batch}/choice").content.decode()
        assert ("measures its reader" in told) is knows


def test_a_gold_scan_looks_like_any_other_to_its_reviewer(world: World, mixed: tuple[list[Assignment], ...]) -> None:
    gold, others = mixed
    for row in (*gold, *others):
        read(world, row, "annotator2")
    client = logged_in(world, "reviewer2")  # who has not judged the first readings
    before = client.get("/reviews/").content.decode()
    seen = judged(client, [*gold, *others])
    assert [one["verdict"][0] for one in seen] == [200] * len(seen)
    for name in seen[0]:
        assert [one[name] for one in seen[1:]] == [seen[0][name]] * (len(seen) - 1), name
    assert measure_gold() == 2
    assert GoldResult.objects.count() == 2
    pages = before + client.get("/reviews/").content.decode()
    assert not [word for word in WORDS if word in f"{seen} {pages}".lower()]
    # What was measured is told to neither side afterwards.
    for name in ("annotator2", "reviewer2"):
        after = logged_in(world, name)
        for address in ("/campaigns/chest-ct/gold/", "/campaigns/chest-ct/gold/readings.csv"):
            assert after.get(address).status_code == 403
    told = logged_in(world, "annotator2").get(f"/api/v1/assignments/{gold[0].pk}/").json()
    assert (told["feedback"], told["overlays"]) == (None, [])
