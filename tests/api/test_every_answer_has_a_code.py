"""Every refusal has a code: former 500s and similar inputs, and refusals by the framework."""

import gzip
import json
import random
import struct
from typing import Any
from uuid import uuid4

import nibabel
import numpy as np
import pytest
from django.test import Client

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.work.models import Assignment
from annotation.work.services import expire_leases, reclaim_assignment
from benchmarks._badinputs import bodies
from tests.factories.clients import logged_in
from tests.factories.world import SHAPE, World, ball
from voxloop.kernel.clock import now
from voxloop.volume.labelmap import MEDIA_TYPE, split_labelmap

pytestmark = pytest.mark.django_db
STROKE = bodies.stroke(random.Random(1))


def message_with(strokes: str) -> bytes:
    """A mask message with the given text as strokes, valid JSON or not."""
    payloads = split_labelmap(ball().astype(np.uint8))
    header = (
        json.dumps(
            {
                "version": 1,
                "layer": "findings",
                "shape_zyx": list(SHAPE),
                "chunks": [[*index, len(payload)] for index, payload in payloads.items()],
                "strokes": "HERE",
            }
        )
        .replace('"HERE"', strokes)
        .encode()
    )
    return gzip.compress(b"VXM1" + struct.pack("<I", len(header)) + header + b"".join(payloads.values()))


def put(client: Client, assignment: Assignment, body: bytes, kind: str = MEDIA_TYPE) -> Any:
    return client.put(
        f"/api/v1/assignments/{assignment.pk}/mask",
        body,
        content_type=kind,
        HTTP_IF_MATCH='"empty"',
        HTTP_IDEMPOTENCY_KEY=str(uuid4()),
    )


def stroke(**fields: Any) -> str:
    return json.dumps([{**STROKE, **fields}])


BAD_STROKES = {
    "a NUL": stroke(params={"a": "x\x00y"}),
    "half a surrogate pair": stroke(params={"a": "HALF"}).replace("HALF", "\\ud800"),
    "1e999": stroke(radius_mm=0).replace('"radius_mm": 0', '"radius_mm": 1e999'),
    "NaN": stroke(radius_mm=0).replace('"radius_mm": 0', '"radius_mm": NaN'),
    "Infinity in params": stroke(params={"a": 0}).replace('"a": 0', '"a": Infinity'),
    "an integer beyond a double": stroke(params={"a": 10**400}),
    "an integer of 5,000 digits": stroke(params={"a": 0}).replace('"a": 0', '"a": ' + "9" * 5000),
    "nested 900 deep": stroke(params=0).replace('"params": 0', '"params": ' + '{"a":' * 900 + "1" + "}" * 900),
    "an id that is none": stroke(id="x"),
    "no id": json.dumps([{"tool": "grow"}]),
    "a tool with spaces": stroke(tool="grow it"),
    "a segment of 256": stroke(segment=256),
    "a segment that is true": stroke(segment=True),
    "two coordinates": stroke(ijk=[1, 2]),
    "text as voxel": stroke(ijk="1,2"),
    "a radius below nothing": stroke(radius_mm=-1),
    "params that are a list": stroke(params=[1]),
    "a count of voxels below nothing": stroke(added=-1),
    "half a voxel": stroke(removed=0.5),
    "a time that is none": stroke(at="yesterday"),
    "a record of 5 kB": stroke(params={"a": "x" * 5000}),
    "a list in a list": "[[]]",
    "no list": "{}",
}


@pytest.mark.parametrize("name", BAD_STROKES)
def test_a_stroke_that_cannot_be_kept_is_refused(world: World, opened: Assignment, name: str) -> None:
    answer = put(logged_in(world, "annotator"), opened, message_with(BAD_STROKES[name]))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_mask"), answer.content
    assert not MaskRevision.objects.filter(assignment=opened).exists()


def test_a_whole_stroke_is_kept_as_it_came(world: World, opened: Assignment) -> None:
    answer = put(logged_in(world, "annotator"), opened, message_with(json.dumps([STROKE])))
    assert answer.status_code == 201, answer.content
    assert MaskRevision.objects.get(assignment=opened).strokes == [STROKE]


def nifti_of(voxels: Any, assignment: Assignment, **header: Any) -> bytes:
    image = nibabel.Nifti1Image(voxels, geometry_of(assignment.scan).ras_from_ijk(), dtype=voxels.dtype)
    for name, value in header.items():
        image.header[name] = value
    return bytes(image.to_bytes())


def bad_niftis(assignment: Assignment) -> dict[str, bytes]:
    labels = np.zeros(SHAPE[::-1], np.uint8)
    good = nifti_of(labels, assignment)
    packed = gzip.compress(good)
    colour = np.zeros(SHAPE[::-1], np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    broken = bytearray(packed)
    broken[10] = 0x07  # a deflate block of an invalid type
    vast = bytearray(good)
    vast[40:48] = struct.pack("<4h", 3, 32767, 32767, 32767)
    below = bytearray(good)
    below[42:44] = struct.pack("<h", -4)
    beyond = bytearray(good)
    beyond[108:112] = struct.pack("<f", 1e30)
    nowhere = bytearray(good)
    nowhere[108:112] = struct.pack("<f", float("nan"))
    with_nan = labels.astype(np.float32)
    with_nan[0, 0, 0] = np.nan
    slope = nifti_of(np.ones(SHAPE[::-1], np.float64), assignment)
    return {
        "colour voxels": gzip.compress(nifti_of(colour, assignment)),
        "complex voxels": gzip.compress(nifti_of(labels.astype(np.complex64), assignment)),
        "a broken deflate block": bytes(broken),
        "cut short": packed[: len(packed) // 2],
        "cut in its header": gzip.compress(good[:200]),
        "without its voxels": gzip.compress(good[:352]),
        "bytes behind it": packed + b"x",
        "a bomb": gzip.compress(good[:352] + bytes(64 << 20)),
        "nothing": b"",
        "dimensions of everything": gzip.compress(bytes(vast)),
        "a dimension below nothing": gzip.compress(bytes(below)),
        "voxels beyond the file": gzip.compress(bytes(beyond)),
        "voxels at NaN": gzip.compress(bytes(nowhere)),
        "NaN as a label": gzip.compress(nifti_of(with_nan, assignment)),
        "labels of 1e300": gzip.compress(slope.replace(struct.pack("<d", 1.0), struct.pack("<d", 1e300))),
        "half a label": gzip.compress(nifti_of(labels.astype(np.float32) + 0.5, assignment)),
        "labels below nothing": gzip.compress(nifti_of(labels.astype(np.int16) - 1, assignment)),
        "erased voxels": gzip.compress(nifti_of(labels + np.uint8(255), assignment)),
        "a header that is no size": gzip.compress(b"\xff\xff\xff\x7f" + good[4:]),
        "another shape": gzip.compress(nifti_of(labels[:-1], assignment)),
    }


def test_a_nifti_that_is_no_mask_is_refused(world: World, opened: Assignment) -> None:
    client = logged_in(world, "annotator")
    told = {}
    for name, body in bad_niftis(opened).items():
        answer = put(client, opened, body, "application/gzip")
        told[name] = (answer.status_code, answer.json()["code"])
    assert {name: found for name, found in told.items() if found != (422, "bad_mask")} == {"a bomb": (413, "too_large")}
    assert not MaskRevision.objects.filter(assignment=opened).exists()


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_nifti_of_either_byte_order_is_read(world: World, opened: Assignment, order: str) -> None:
    labels = np.ascontiguousarray(ball().transpose(2, 1, 0)).astype(np.int16)
    image = nibabel.Nifti1Image(labels, geometry_of(opened.scan).ras_from_ijk())
    whole = nibabel.Nifti1Image(labels, image.affine, image.header.as_byteswapped(order))
    whole.header.set_data_dtype(np.dtype(np.int16))
    body = whole.to_bytes()
    assert body[:4] == struct.pack(f"{order}i", 348)
    answer = put(logged_in(world, "annotator"), opened, gzip.compress(body), "application/gzip")
    assert answer.status_code == 201, answer.content


@pytest.mark.parametrize(
    ("extent", "status"),
    [
        ("bytes=" + "9" * 5000 + "-", 416),
        ("bytes=0-" + "9" * 5000, 206),
        ("bytes=-" + "9" * 5000, 206),
        ("bytes=" + "0" * 5000 + "-0", 206),
        ("bytes=-0", 416),
        ("bytes=9-3", 416),
        ("bytes=-", 200),
        ("bytes=\u0660-\u0663", 200),
    ],
)
def test_a_range_of_any_length_is_answered(world: World, opened: Assignment, extent: str, status: int) -> None:
    client = logged_in(world, "annotator")
    path = f"/api/v1/scans/{opened.scan_id}/volume/pack"
    answer = client.get(path, HTTP_RANGE=extent.encode().decode("latin-1"))
    assert answer.status_code == status
    if status == 416:
        assert answer.json()["code"] == "bad_range"
        assert answer["Cache-Control"] == "no-store"
    head = client.head(path, HTTP_RANGE=extent.encode().decode("latin-1"))
    assert (head.status_code, head.content) == (status, b"")


def test_options_and_other_methods_have_a_code_on_every_route(world: World, opened: Assignment) -> None:
    client = logged_in(world, "annotator")
    for path in ("/api/v1/docs/", "/api/v1/schema/", "/api/v1/me/", f"/api/v1/assignments/{opened.pk}/mask"):
        for method in ("OPTIONS", "TRACE", "BREW", "DELETE"):
            answer = client.generic(method, path)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), (method, path)
            assert "GET" in answer["Allow"]
        refused = client.get(path, HTTP_ACCEPT="image/png")
        assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable"), path
    assert client.get("/api/v1/docs/?script").status_code == 200
    assert client.get("/api/v1/schema/?version=%0d%0aX-Evil:1").status_code == 200


@pytest.mark.parametrize("anonymous", ["/api/v1/docs/", "/api/v1/schema/", "/api/v1/me/"])
def test_a_refusal_is_a_document_whatever_the_view_renders(client: Client, db: None, anonymous: str) -> None:
    answer = client.get(anonymous)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "1" + "0" * 400, "9" * 5000])
@pytest.mark.parametrize("route", ["answers", "settings", "submit"])
def test_a_number_beyond_a_double_is_refused_in_any_document(
    world: World, opened: Assignment, number: str, route: str
) -> None:
    client = logged_in(world, "annotator")
    method, path = {
        "answers": ("PUT", f"/api/v1/assignments/{opened.pk}/answers"),
        "settings": ("PATCH", "/api/v1/me/settings"),
        "submit": ("POST", f"/api/v1/assignments/{opened.pk}/submit"),
    }[route]
    key = "answers" if route == "submit" else "values"
    body = f'{{"{key}": {{"radiusMm": {number}}}}}'
    answer = client.generic(method, path, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error"), answer.content


def test_codes_of_the_framework_are_single_words(world: World) -> None:
    client = logged_in(world, "annotator")
    bad = client.get("/api/v1/me/", HTTP_AUTHORIZATION="Token \xff nothing")
    assert (bad.status_code, bad.json()["code"]) == (401, "authentication_failed")
    for answer in (
        client.post("/api/v1/auth/token", b"x", content_type="text/plain"),
        client.get("/api/v1/assignments/?page=x"),
        client.get("/api/v1/assignments/?campaign=x"),
        client.post("/api/v1/auth/token", b"{", "application/json"),
    ):
        assert answer.json()["code"].replace("_", "").isalpha(), answer.content


# Work that is no longer one's own ------------------------------------------------------------------------------------


def test_a_save_after_the_lease_says_so(world: World, opened: Assignment) -> None:
    client = logged_in(world, "annotator")
    Assignment.objects.filter(pk=opened.pk).update(lease_until=now().replace(year=2020))
    assert expire_leases() == 1
    check_lost(client, opened)


def test_a_save_after_the_scan_was_taken_back_says_so(world: World, opened: Assignment) -> None:
    reclaim_assignment(assignment_id=opened.pk, actor=world["coordinator"], why="away")
    client = logged_in(world, "annotator")
    check_lost(client, opened)
    for path in ("open", "submit", "release"):
        told = client.post(f"/api/v1/assignments/{opened.pk}/{path}", {}, "application/json")
        assert (told.status_code, told.json()["code"]) == (409, "lease_lost"), path
    for path in ("skip", "block"):
        told = client.post(f"/api/v1/assignments/{opened.pk}/{path}", {"reason": "x"}, "application/json")
        assert (told.status_code, told.json()["code"]) == (409, "lease_lost"), path
    # Anybody else gets a 404.
    assert put(logged_in(world, "annotator2"), opened, message_with("[]")).status_code == 404


# Pages ---------------------------------------------------------------------------------------------------------------


# What a browser may keep ---------------------------------------------------------------------------------------------


def check_lost(client: Client, assignment: Assignment) -> None:
    base = f"/api/v1/assignments/{assignment.pk}"
    answers = [
        put(client, assignment, message_with("[]")),
        client.put(f"{base}/answers", {"values": {}}, "application/json"),
        client.patch(f"{base}/answers", {"values": {}}, "application/json"),
        client.post(f"{base}/beat", {"active_seconds": 1}, "application/json"),
        client.post(f"{base}/propose", {"segment": 1}, "application/json"),
    ]
    assert [(told.status_code, told.json()["code"]) for told in answers] == [(409, "lease_lost")] * len(answers)
    assert not MaskRevision.objects.filter(assignment=assignment).exists()
