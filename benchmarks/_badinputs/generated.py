"""Bad inputs generated from a seed: mutations of valid ones, and what the API's schema allows or nearly allows."""

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

from benchmarks._badinputs import bodies
from benchmarks._badinputs.lists import HEADERS, QUERIES
from benchmarks._badinputs.named import upload
from benchmarks._badinputs.world import Asked, Targets

# Routes with a body that do not advance the open assignment, after which saves would be refused unread; other routes
# get unknown ids.
STAYS = {"answers", "beat", "propose", "comments", "seen", "checks"}
UPLOAD_SHARE = 0.004  # each starts an import in a child process


def generate(targets: Targets, schema: dict[str, Any], seed: int, count: int) -> Iterator[Asked]:
    """`count` requests; equal arguments give equal requests. `schema` is the OpenAPI document of the product."""
    dice = random.Random(seed)
    writes, reads = list(_routes(schema, targets, with_body=True)), list(_routes(schema, targets, with_body=False))
    for number in range(count):
        share = dice.random()
        if share < UPLOAD_SHARE:
            name, content = dice.choice(
                [("x.nii.gz", bodies.broken_nifti(targets.shape_zyx, dice)), ("x.zip", dice.randbytes(99))]
            )
            yield upload(f"upload {number}", name, content, targets)
        elif share < 0.45:
            yield _save(number, targets, bodies.broken_message(targets.shape_zyx, dice), bodies.MASK, dice)
        elif share < 0.6:
            yield _save(number, targets, bodies.broken_nifti(targets.shape_zyx, dice), "application/gzip", dice)
        elif share < 0.85:
            yield _document(number, dice.choice(writes), dice)
        else:
            yield _reading(number, dice.choice(reads), dice)


def _save(number: int, targets: Targets, body: bytes, kind: str, dice: random.Random) -> Asked:
    headers = {
        "Content-Type": kind,
        "If-Match": dice.choice(['"empty"', '"empty"', '"x"', "*", ""]),
        "Idempotency-Key": str(UUID(int=dice.getrandbits(128), version=4)),
    }
    return Asked(f"save {number}", "PUT", targets.mask, headers=headers, body=body)


def _routes(schema: dict[str, Any], targets: Targets, *, with_body: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and fields of every operation. Changing routes without a body get unknown ids."""
    for path, methods in schema["paths"].items():
        kind = path.removeprefix("/api/v1/").split("/")[0]
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if method not in ("get", "post", "put", "patch", "delete") or bool(content) != with_body:
                continue
            stays = path.rstrip("/").rpartition("/")[2] in STAYS
            known = targets.ids.get(kind) if method == "get" or (content and stays) else None
            whole = path.replace("{id}", known or "00000000-0000-4000-8000-000000000000")
            if method != "get" and "{" not in path and not content:
                continue  # claiming the next assignment is valid
            reference = (content or {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
            yield method.upper(), whole, schema["components"]["schemas"].get(reference, {}).get("properties", {})


def _document(number: int, route: tuple[str, str, dict[str, Any]], dice: random.Random) -> Asked:
    method, path, fields = route
    names = [*fields, "values", "x", "\\u0000", "__proto__"]
    # One field is always invalid, so that no request succeeds by chance.
    written = ", ".join(f'"{dice.choice(names)}": {_value(dice, 3)}' for _ in range(dice.randint(0, 4)))
    odd = f'"{dice.choice(list(fields) or names)}": {dice.choice(bodies.ODD)}'
    body = f"{{{written}{', ' if written else ''}{odd}}}".encode("utf-8", "surrogatepass")
    if dice.random() < 0.2:
        body = bodies.flipped(body, dice)
    person = dice.choice(["annotator", "reviewer", "coordinator", "datamanager"])
    if path.endswith("/auth/token"):
        body = body.replace(b"annotator", b"nobody")
    kind = (
        "application/json"
        if dice.random() < 0.9
        else dice.choice(["text/plain", "application/json; charset=utf-16", "x"])
    )
    return Asked(f"document {number}", method, path, person, {"Content-Type": kind}, body)


def _value(dice: random.Random, deepest: int) -> str:
    kind = dice.randrange(6 if deepest else 4)
    if kind < 3:
        return dice.choice(bodies.ODD[:-1])
    if kind == 3:
        return json.dumps(dice.choice([1, "annotation", "2026-11-28", True, "covid19", 5]))
    if kind == 4:
        return "[" + ", ".join(_value(dice, deepest - 1) for _ in range(dice.randrange(4))) + "]"
    return (
        "{" + ", ".join(f'"{dice.choice("abc")}": {_value(dice, deepest - 1)}' for _ in range(dice.randrange(4))) + "}"
    )


def _reading(number: int, route: tuple[str, str, dict[str, Any]], dice: random.Random) -> Asked:
    method, path, _ = route
    parts = [dice.choice(QUERIES)] if dice.random() < 0.5 else []
    parts += [f"{dice.choice(['page', 'layer', 'ijk', 'state', 'v'])}={quote(dice.randbytes(dice.randint(0, 9)))}"]
    headers = {}
    if dice.random() < 0.6:
        name = dice.choice(list(HEADERS))
        headers[name] = dice.choice(HEADERS[name])
        if name == "Range" and dice.random() < 0.5:
            headers[name] = "bytes=" + "".join(dice.choice("0123456789-,eE +") for _ in range(dice.randint(1, 40)))
    if method == "GET" and dice.random() < 0.2:
        method = dice.choice(["HEAD", "OPTIONS", "TRACE"])
    return Asked(
        f"reading {number}",
        method,
        f"{path}?{'&'.join(parts)}",
        dice.choice(["annotator", "coordinator", None]),
        headers,
    )
