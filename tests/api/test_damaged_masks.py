"""A damaged mask is reported on every route; a save elsewhere in it is kept, and a save over the damage repairs it."""

import gzip
import json
import random
import zlib
from typing import Any
from uuid import uuid4

import nibabel
import numpy as np
import pytest
from django.db import connection
from django.test import Client

from annotation.masks.models import MaskChunk, MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.services import save_message
from annotation.masks.store import count_values
from annotation.scans.models import Scan
from tests.api.test_damage import body_of, damaged_row
from tests.factories.world import World, add_role, approve, first_of, label, mask_message, publish
from voxloop.keeping.models import Damage
from voxloop.volume.labelmap import MEDIA_TYPE, encode_message, split_labelmap

pytestmark = pytest.mark.django_db


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
def test_a_damaged_chunk_is_told_on_every_door(world: World, client: Client) -> None:
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
        assert (mark.thing, mark.kind) == (f"chunks/{name}", "missing" if row is None else "damaged")
    assert MaskRevision.objects.count() == 1


def nifti(scan: Scan) -> bytes:
    z, y, x = scan.shape_zyx
    image = nibabel.Nifti1Image(np.zeros((x, y, z), np.uint8), geometry_of(scan).ras_from_ijk())
    return gzip.compress(image.to_bytes())


@pytest.mark.fault("a damaged list of chunks")
def test_a_damaged_list_of_chunks_is_told(world: World, client: Client) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    revision = MaskRevision.objects.get(assignment=assignment)
    client.force_login(world["annotator"])
    lists: tuple[Any, ...] = ({"0,0,0": "zz"}, {"nowhere": "00" * 32}, {"0,0,0": 5}, {"9,9,9": "00" * 32}, [], {})
    for broken in lists:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE masks_maskrevision SET chunks = %s WHERE id = %s", [json.dumps(broken), revision.pk])
            cursor.execute("SET session_replication_role = DEFAULT")
        for kind in (MEDIA_TYPE, "application/gzip"):
            answer = client.get(f"/api/v1/assignments/{assignment.pk}/mask", headers={"Accept": kind})
            assert (answer.status_code, json.loads(body_of(answer))["code"]) == (409, "mask_damaged"), broken
        assert Damage.objects.get().thing == f"revisions/{revision.pk}"


@pytest.mark.fault("a save beside and over a damaged chunk")
def test_a_save_beside_a_damaged_chunk_is_kept_and_one_over_it_mends(world: World, client: Client) -> None:
    """Strokes are not lost because another part of the mask is damaged."""
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
    # The viewer still has the voxels and saves them again, which repairs the stored bytes.
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


def corner_message(shape: tuple[int, int, int]) -> bytes:
    labels = np.zeros(shape, np.uint8)
    labels[-3:, -3:, -3:] = 2
    return encode_message("findings", shape, split_labelmap(labels), [])


def test_a_release_or_a_training_of_a_damaged_mask_is_refused(world: World, client: Client) -> None:
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
