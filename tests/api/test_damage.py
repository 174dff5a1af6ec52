"""Damaged bytes are never served: a flipped byte anywhere is refused, naming the object."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round
from annotation.scans.models import Scan
from tests.factories.files import file_of
from tests.factories.world import World, build_world, first_of, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.keeping.models import Damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Refusal
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


def body_of(answer: Any) -> Any:
    return answer.getvalue() if answer.streaming else answer.content


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << (at % 8)
    path.write_bytes(data)


def damaged_row(name: bytes, data: bytes | None) -> None:
    """Change rows as a broken disk does, without triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        if data is None:
            cursor.execute("DELETE FROM masks_maskchunk WHERE sha256 = %s", [name])
        else:
            cursor.execute(
                "INSERT INTO masks_maskchunk (sha256, data) VALUES (%s, %s) "
                "ON CONFLICT (sha256) DO UPDATE SET data = excluded.data",
                [name, data],
            )
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize("part", ["pack", "preview"])
@pytest.mark.fault("a flipped byte in a stored object")
def test_a_flipped_byte_is_never_served(kept: Any, client: Client, part: Any) -> None:
    world = build_world(scans=1)
    scan = world.scans[0]
    publish(world)
    client.force_login(world["annotator"])
    key = getattr(scan, f"{part}_key")
    good = kept(key).read_bytes()
    url = f"/api/v1/scans/{scan.pk}/volume/{part}"
    slices = scan.index["pack"]["slices"]
    draw = random.Random(9)
    for _ in range(40):
        at = draw.randrange(len(good))
        kept(key).write_bytes(good)
        flip(kept(key), at)
        start = draw.randrange(len(good))
        end = draw.randrange(start, len(good))
        answer = client.get(url, headers={"Range": f"bytes={start}-{end}"})
        if answer.status_code == 206:
            assert body_of(answer) == good[start : end + 1]
            assert part == "pack"
            assert not start <= at <= end
        else:
            assert answer.status_code == 409
            told = answer.json()
            assert told["code"] == "object_damaged"
            assert told["object"] == key
            if part == "pack":
                [hit] = [n for n, (offset, length) in enumerate(slices) if offset <= at < offset + length]
                assert told["parts"] == [hit]
    mark = Damage.objects.get(thing=key)
    assert (mark.kind, mark.noticed_by, mark.mended_at) == ("damaged", "annotator", None)
    assert AuditEntry.objects.filter(action="object.damaged", object_id=mark.pk).count() == 1


@pytest.mark.fault("a stored object is missing or cut short")
def test_a_missing_or_cut_object_is_said(kept: Any, client: Client, settings: Settings) -> None:
    world = build_world(scans=1)
    scan = world.scans[0]
    publish(world)
    client.force_login(world["annotator"])
    url = f"/api/v1/scans/{scan.pk}/volume/pack"
    good = kept(scan.pack_key).read_bytes()
    kept(scan.pack_key).write_bytes(good[:-1])
    assert client.get(url).json()["code"] == "object_damaged"
    open_store(settings.STORAGE_URL).delete(scan.pack_key)
    answer = client.get(url, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.json()["code"]) == (409, "object_missing")
    assert Damage.objects.get().kind == "missing"


def test_scans_from_before_slices_had_sums_get_them(world: World, client: Client, settings: Settings) -> None:
    """The first read of an old scan checks the whole pack, and keeps the sums of its slices."""
    scan = world.scans[0]
    publish(world)
    whole = dict(scan.index)
    pack = {name: value for name, value in whole["pack"].items() if name != "sums"}
    Scan.objects.filter(pk=scan.pk).update(
        index={name: value for name, value in {**whole, "pack": pack}.items() if name != "seal"}
    )
    client.force_login(world["annotator"])
    url = f"/api/v1/scans/{scan.pk}/volume/pack"
    path = file_of(settings.STORAGE_URL, scan.pack_key)
    flip(path, 5)
    assert client.get(url, headers={"Range": "bytes=900-909"}).json()["code"] == "object_damaged"
    flip(path, 5)
    assert client.get(url, headers={"Range": "bytes=900-909"}).status_code == 206
    scan.refresh_from_db()
    assert scan.index == whole


INDEX_FAULTS: list[Callable[[dict[str, Any]], object]] = [
    lambda index: index["pack"]["slices"].pop(),
    lambda index: index["pack"]["slices"][3].__setitem__(1, index["pack"]["slices"][3][1] + 1),
    lambda index: index["pack"].update(bytes=index["pack"]["bytes"] + 1),
    lambda index: index["pack"].update(sums="!" + index["pack"]["sums"][1:]),
    lambda index: index["pack"].update(sums="AAAA" + index["pack"]["sums"][4:]),
    lambda index: index["preview"].update(hu_lo=-1000),
    lambda index: index["preview"].update(shape_zyx="garbage"),
    lambda index: index.update(spacing_mm_zyx=[2.5, 1.0, 1.1]),
    lambda index: index.update(hu_range=[0]),
    lambda index: index.update(pack=None),
    lambda index: index.clear(),
]


@pytest.mark.fault("an index that does not fit its pack")
def test_an_index_that_does_not_fit_its_pack_is_refused(world: World, client: Client) -> None:
    scan = world.scans[0]
    assignment = publish(world).assignments.get(scan=scan)
    client.force_login(world["annotator"])
    for break_it in INDEX_FAULTS:
        index = json.loads(json.dumps(scan.index))
        break_it(index)
        Scan.objects.filter(pk=scan.pk).update(index=index)
        for url in (
            f"/api/v1/scans/{scan.pk}/volume",
            f"/api/v1/scans/{scan.pk}/volume/pack",
            f"/api/v1/assignments/{assignment.pk}/",
        ):
            answer = client.get(url)
            assert (answer.status_code, answer.json()["code"]) == (409, "index_damaged"), url
            assert answer.json()["object"] == f"indexes/{scan.pk}"
        page = client.get(f"/view/{assignment.pk}/")
        assert page.status_code == 409
        assert "does not match the stored volume" in page.content.decode()


def test_slices_moved_in_an_unsealed_index_are_the_indexs_fault(world: World, client: Client) -> None:
    """In an unsealed index with a consistent table the sums reveal it, and the index is reported, not the pack."""
    scan = world.scans[0]
    publish(world)
    index = {name: value for name, value in scan.index.items() if name != "seal"}
    index["pack"]["slices"][0][1] += 1
    index["pack"]["slices"][1] = [index["pack"]["slices"][1][0] + 1, index["pack"]["slices"][1][1] - 1]
    Scan.objects.filter(pk=scan.pk).update(index=index)
    client.force_login(world["annotator"])
    answer = client.get(f"/api/v1/scans/{scan.pk}/volume/pack", headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer.json()["code"]) == (409, "index_damaged")


@pytest.mark.fault("handing in a damaged scan")
def test_nothing_is_handed_in_while_its_scan_is_damaged(world: World, client: Client, own_state: Path) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    scan = assignment.scan
    path = file_of(f"file://{own_state / 'objects'}", scan.pack_key)
    flip(path, 100)
    client.force_login(world["annotator"])
    assert client.get(f"/api/v1/scans/{scan.pk}/volume/pack").status_code == 409
    submit = f"/api/v1/assignments/{assignment.pk}/submit"
    body = {"acknowledged": ["mask_outside_lung"]}
    refused = client.post(submit, body, content_type="application/json")
    assert refused.status_code == 409
    assert [lock["code"] for lock in refused.json()["interlocks"]] == ["scan_damaged"]
    flip(path, 100)  # the bytes are restored: recorded damage is checked again
    handed = client.post(submit, body, content_type="application/json")
    assert handed.status_code in (200, 201), handed.content
    assert Damage.objects.get().mended_at is not None
    flip(path, 100)
    assert client.get(f"/api/v1/scans/{scan.pk}/volume/pack").status_code == 409
    client.force_login(world["reviewer"])
    round_ = ReviewRound.objects.get()
    assert client.post(f"/api/v1/reviews/{round_.pk}/claim").status_code == 200
    with pytest.raises(Refusal) as told:
        approve_round(round_id=round_.pk, actor=world["reviewer"], signed_at=now())
    assert told.value.code == "object_damaged"
