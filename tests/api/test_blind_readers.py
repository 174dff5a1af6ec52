"""No response tells a reader which scan others read, too: a plain and an overlapped scan compared field by field."""

import re
from typing import Any

import pytest
from django.test import Client

from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Assignment
from tests.factories.clients import logged_in
from tests.factories.overlap import overlap
from tests.factories.world import World, make_scan, publish

pytestmark = pytest.mark.django_db
OF_THE_SCAN = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\d[T ][0-9:.]+(Z|\+00:00)?|[0-9a-f]{64}")


def responses(client: Client, row: Assignment) -> dict[str, Any]:
    """What a reader gets of a scan, without what differs between any two scans."""
    rows = client.get("/api/v1/assignments/").json()["results"]
    found: dict[str, Any] = {
        "listed": next(one for one in rows if one["id"] == str(row.pk)),
        "opened": client.post(f"/api/v1/assignments/{row.pk}/open", content_type="application/json").json(),
        "context": client.get(f"/api/v1/assignments/{row.pk}/").json(),
        "batches": client.get("/api/v1/batches/").json(),
        "scan": client.get(f"/api/v1/scans/{row.scan_id}/").json(),
        "page": client.get(f"/scans/{row.scan_id}/").status_code,
    }
    return {name: plain(value, row) for name, value in found.items()}


def plain(value: Any, row: Assignment) -> Any:
    """Without ids, times, codes, places in the batch, and the index of the voxels."""
    if isinstance(value, dict):
        left_out = ("position", "next", "previous", "index")
        return {name: plain(one, row) for name, one in value.items() if name not in left_out}
    if isinstance(value, list):
        return [plain(one, row) for one in value]
    return OF_THE_SCAN.sub("…", value.replace(row.scan.code, "CODE")) if isinstance(value, str) else value


def test_an_overlapped_scan_looks_like_any_other_to_its_readers(world: World) -> None:
    overlap(world.campaign, 0.5)
    scans = [make_scan(world, "a", seed=seed) for seed in range(6, 10)]
    batch = create_batch(campaign=world.campaign, actor=world["coordinator"], scan_ids=[scan.pk for scan in scans])
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    client = logged_in(world, "annotator")
    while client.post("/api/v1/assignments/claim", content_type="application/json").status_code == 200:
        pass
    rows = list(batch.assignments.filter(person=world["annotator"]).select_related("scan__site"))
    shared = [row for row in rows if row.is_overlap]
    alone = [row for row in rows if not row.is_overlap]
    assert (len(shared), len(alone)) == (2, 2)
    second = logged_in(world, "annotator2")
    assert (
        second.post("/api/v1/assignments/claim", content_type="application/json").status_code == 200
    )  # the other reader is at work
    seen = [responses(client, row) for row in (*shared, *alone)]
    for name in seen[0]:
        assert [one[name] for one in seen[1:]] == [seen[0][name]] * 3, name
    pages = [client.get(address).content.decode() for address in ("/worklist/", f"/view/{shared[0].pk}/")]
    assert not [word for word in ("overlap", "independent", "another reader") if word in f"{seen} {pages}".lower()]


def test_a_reader_gets_nothing_of_the_other_reading(world: World) -> None:
    overlap(world.campaign)
    batch = publish(world, to=None, size=2)
    mine, theirs = logged_in(world, "annotator"), logged_in(world, "annotator2")
    for client in (mine, theirs):
        assert client.post("/api/v1/assignments/claim", content_type="application/json").status_code == 200
    other = batch.assignments.get(person=world["annotator2"])
    for path in ("/", "/mask?layer=findings"):
        assert mine.get(f"/api/v1/assignments/{other.pk}{path}").status_code == 404
    assert mine.get(f"/view/{other.pk}/").status_code == 404
    assert len(mine.get("/api/v1/assignments/").json()["results"]) == 1
    for address in ("/campaigns/chest-ct/batches/", f"/batches/{batch.pk}/", "/campaigns/chest-ct/agreement/"):
        assert mine.get(address).status_code in (403, 404)
