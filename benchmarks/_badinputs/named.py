"""Named bad inputs: each has broken some system of this kind."""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterator
from uuid import UUID

from benchmarks._badinputs import bodies
from benchmarks._badinputs.lists import DOCUMENTS, GETS, HEADERS, JSON, QUERIES, TYPES
from benchmarks._badinputs.world import Asked, Targets


def _gz(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


def list_named(targets: Targets) -> list[Asked]:
    """More than 300 requests, always the same for the same targets."""
    found = [
        *_queries(targets),
        *_headers(targets),
        *_documents(targets),
        *_methods(targets),
        *_masks(targets),
        *_niftis(targets),
    ]
    return [*found, *_saves(targets), *_uploads(targets), *_pages(targets)]


def _queries(targets: Targets) -> Iterator[Asked]:
    for number, query in enumerate(QUERIES):
        for route in GETS[number % 3 :: 3]:
            yield Asked(f"query {query[:30]}", "GET", f"/api/v1/{route}?{query}", "coordinator")
    base = f"/api/v1/assignments/{targets.ids['assignments']}"
    for ijk in (
        "",
        "1",
        "1,2",
        "1,2,3,4",
        "-1,0,0",
        "9999999,0,0",
        "a,b,c",
        "%00,0,0",
        "1e9,0,0",
        "0.5,0,0",
        "%D9%A0,0,0",
    ):
        yield Asked(f"voxel {ijk}", "GET", f"{base}/voxel?ijk={ijk}")
    for layer in ("", "%00", "../..", "x" * 3000, "anatomy", "%ED%A0%80"):
        yield Asked(f"layer {layer[:9]}", "GET", f"{base}/mask?layer={layer}")
        yield Asked(f"history of layer {layer[:9]}", "GET", f"{base}/history?layer={layer}")
    for bad in ("x", "0", "%00", "1e9", "../me", "00000000-0000-0000-0000-000000000000", "%ff", "{}"):
        for kind in ("scans", "assignments", "reviews", "jobs"):
            yield Asked(f"id {bad} of {kind}", "GET", f"/api/v1/{kind}/{bad}/")


def _headers(targets: Targets) -> Iterator[Asked]:
    scan = f"/api/v1/scans/{targets.ids['scans']}"
    for name, values in HEADERS.items():
        for value in values:
            for path in (f"{scan}/volume/pack", targets.mask):
                yield Asked(f"{name} {value[:20]!r}", "GET", path, headers={name: value})


def _documents(targets: Targets) -> Iterator[Asked]:
    assignment = f"/api/v1/assignments/{targets.ids['assignments']}"
    comments = f"/api/v1/reviews/{targets.ids['reviews']}/comments"
    routes = [
        ("PUT", f"{assignment}/answers"),
        ("PATCH", "/api/v1/me/settings"),
        ("POST", "/api/v1/auth/token"),
        ("POST", f"{assignment}/beat"),
        ("POST", comments),
    ]
    for number, (method, path) in enumerate(routes):
        for body in DOCUMENTS:
            yield Asked(f"document {body[:12]!r}", method, path, headers={"Content-Type": JSON}, body=body)
        for kind in TYPES[number % 2 :: 2]:
            yield Asked(f"type {kind[:30]!r}", method, path, headers={"Content-Type": kind}, body=b'{"values": {}}')
    for written in bodies.ODD:
        body = f'{{"values": {{"diagnosis": {written}}}}}'.encode("utf-8", "surrogatepass")
        yield Asked(f"answer {written[:12]}", "PUT", routes[0][1], headers={"Content-Type": JSON}, body=body)
        yield Asked(
            f"setting {written[:12]}",
            "PATCH",
            routes[1][1],
            headers={"Content-Type": JSON},
            body=body.replace(b"diagnosis", b"radiusMm"),
        )


def _methods(targets: Targets) -> Iterator[Asked]:
    paths = [
        "/api/v1/docs/",
        "/api/v1/schema/",
        "/api/v1/me/",
        "/api/v1/auth/token",
        targets.mask,
        "/worklist/",
        "/offline.js",
        f"/view/{targets.ids['assignments']}/",
        "/api/v1/nothing",
        "/nothing",
    ]
    for path in paths:
        for method in ("OPTIONS", "TRACE", "BREW", "PATCH", "DELETE", "HEAD", "PROPFIND"):
            yield Asked(f"{method} on {path[:20]}", method, path)


def _put(name: str, targets: Targets, body: bytes, kind: str = bodies.MASK, **headers: str) -> Asked:
    key = str(UUID(int=random.Random(name).getrandbits(128), version=4))
    sent = {"Content-Type": kind, "If-Match": '"empty"', "Idempotency-Key": key}
    sent |= {header.replace("_", "-"): value for header, value in headers.items()}
    return Asked(name, "PUT", targets.mask, headers=sent, body=body)


def _masks(targets: Targets) -> Iterator[Asked]:
    head = bodies.header(targets.shape_zyx, random.Random(1))
    for where in bodies.HEADER_PLACES:
        for written in bodies.ODD[:: 3 if where[0] != "strokes" else 2]:
            name = f"{'.'.join(map(str, where))} = {written[:12]}"
            yield _put(f"mask with {name}", targets, bodies.packed(bodies.with_value(head, where, written)))
    good = bodies.packed(json.dumps(head))
    whole = {
        "nothing": b"",
        "one byte": b"\x1f",
        "half": good[: len(good) // 2],
        "without its end": good[:-1],
        "twice": good * 2,
        "bytes behind": good + b"x",
        "another magic": bodies.packed(json.dumps(head), magic=b"VXM2"),
        "a header of 4 GiB": bodies.packed(json.dumps(head), length=0xFFFFFFFF),
        "a bomb": _gz(b"VXM1\xff\xff\x3f\x00" + bytes(32 << 20)),
        "no gzip": b"VXM1" + bytes(99),
        "a header that is no UTF-8": bodies.packed(b"\xff\xfe{}"),
        "a header that is a list": bodies.packed(b"[]"),
        "900 strokes in one another": bodies.packed(bodies.with_value(head, ["strokes"], "[" * 900 + "]" * 900)),
        "no header": bodies.packed(b""),
        "no payload": bodies.packed(json.dumps(head), b""),
    }
    for name, body in whole.items():
        yield _put(f"mask: {name}", targets, body)


def _niftis(targets: Targets) -> Iterator[Asked]:
    nifti = bodies.whole_nifti(targets.shape_zyx)
    for number, (offset, _, values) in enumerate(bodies.NIFTI_FIELDS):
        for value in values:
            body = _gz(bodies.with_field(nifti, number, value))
            yield _put(f"NIfTI byte {offset} = {value!r}", targets, body, "application/gzip")
    for name, body in {
        "empty": b"",
        "not packed": nifti,
        "a bomb": _gz(nifti[:352] + bytes(32 << 20)),
    }.items():
        yield _put(f"NIfTI {name}", targets, body, "application/gzip")


def _saves(targets: Targets) -> Iterator[Asked]:
    good = bodies.packed(json.dumps(bodies.header(targets.shape_zyx, random.Random(2))))
    for match in ("", '"', "W/", "*", "\xff", '"' + "x" * 4000 + '"', "empty,empty", '"\x01"'):
        yield _put(f"If-Match {match[:9]!r}", targets, good, If_Match=match)
    for key in ("", "x", "\xff", "0" * 3000, "{}", "urn:uuid:x", "123"):
        yield _put(f"Idempotency-Key {key[:9]!r}", targets, good, Idempotency_Key=key, If_Match='"x"')
    for kind in TYPES:
        yield _put(f"mask as {kind[:20]!r}", targets, good, kind, If_Match='"x"')


def upload(name: str, file: str, content: bytes, targets: Targets, *, site: str = "", campaign: str = "") -> Asked:
    """A multipart upload by the data manager."""
    parts = {"site": site or targets.site, "campaign": campaign or targets.campaign}
    body = b"".join(
        f'--q\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in parts.items()
    )
    body += (
        f'--q\r\nContent-Disposition: form-data; name="file"; filename="{file}"\r\n\r\n'.encode()
        + content
        + b"\r\n--q--\r\n"
    )
    return Asked(
        name, "POST", "/api/v1/scans/upload", "datamanager", {"Content-Type": "multipart/form-data; boundary=q"}, body
    )


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _uploads(targets: Targets) -> Iterator[Asked]:
    files = {
        "a.zip": b"",
        "b.zip": b"PK\x05\x06" + bytes(18),
        "c.zip": _zip({"../../x": b"x"}),
        "d.zip": _zip({"a": bytes(8 << 20)}),
        "e.nii.gz": _gz(bytes(10)),
        "f.nii": bodies.whole_nifti(targets.shape_zyx),
        "g.nii.gz": b"\x1f\x8b",
        "h.exe": b"MZ",
        "i": b"x",
        "../../j.zip": b"x",
        "k\x00.zip": b"x",
        "l.zip": _zip({"scan.dcm": bytes(128) + b"DICM" + b"\xff" * 99}),
        "m" * 400 + ".zip": b"x",
        "n.nii.gz": _gz(bodies.with_field(bodies.whole_nifti(targets.shape_zyx), 6, 128)),
    }
    for name, content in files.items():
        yield upload(f"upload {name[:12]!r}", name, content, targets)
    yield upload("upload to no site", "a.zip", b"x", targets, site="nope")
    yield upload("upload to no campaign", "a.zip", b"x", targets, campaign="%00")
    for body in (b"", b"--q", b"--q--", b"--q\r\n\r\n", b"x" * 5000):
        yield Asked(
            f"form {body[:6]!r}",
            "POST",
            "/api/v1/scans/upload",
            "datamanager",
            {"Content-Type": "multipart/form-data; boundary=q"},
            body,
        )


def _pages(targets: Targets) -> Iterator[Asked]:
    for path in (
        "/%00",
        "/view/x/",
        f"/view/{targets.ids['assignments']}/%00",
        "/worklist/?campaign=%00",
        "/scans/x/",
        "/accounts/signup/",
        "/accounts/login/?next=//evil",
        "/static/../manage.py",
        "/static/%00",
        "/" + "a" * 3000,
        "/%ff",
        "/find/?q=%00",
    ):
        yield Asked(f"page {path[:20]}", "GET", path, None)
        yield Asked(
            f"form to {path[:20]}",
            "POST",
            path,
            None,
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"a=%00&a=\xff",
        )
