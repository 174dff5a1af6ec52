"""kill -9 of the web server between strokes: no acknowledged save is lost, none is applied twice."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.factories.world import PASSWORD
from tests.product import Product
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, decode_message, encode_message

SEED = """
from tests.factories.world import build_world, publish
world = build_world(scans=1)
batch = publish(world, size=1)
print(batch.assignments.get().pk)
"""
STROKES = 30
SHAPE = (40, 48, 56)


class Client:
    """A client that retries as the viewer does: same key, same body, until it gets a response."""

    def __init__(self, url: str) -> None:
        self.url, self.headers = url, {"Content-Type": "application/json"}
        body = json.dumps({"username": "annotator", "password": PASSWORD}).encode()
        answer = json.loads(self.call("POST", "/api/v1/auth/token", body)[1])
        self.headers["Authorization"] = f"Token {answer['token']}"

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[Any, bytes]:
        request = urllib.request.Request(
            self.url + path, data=body or None, method=method, headers={**self.headers, **headers}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers, answer.read()

    def save(self, pk: str, message: bytes, head: str, seconds: float = 60) -> str:
        headers = {"Content-Type": MEDIA_TYPE, "If-Match": f'"{head}"', "Idempotency-Key": str(uuid4())}
        end = time.monotonic() + seconds
        while True:
            try:
                _, body = self.call("PUT", f"/api/v1/assignments/{pk}/mask?layer=findings", message, **headers)
                return str(json.loads(body)["revision"])
            except urllib.error.HTTPError:
                raise  # an unexpected response of the server
            except (OSError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def restart(product: Product, after_s: float) -> None:
    time.sleep(after_s)
    product.kill("web")
    product.start("web")


@pytest.mark.fault("the web server is killed between strokes")
def test_no_stroke_is_lost_when_the_server_is_killed(product: Product) -> None:
    pk = product.manage("shell", "-v", "0", "-c", SEED).stdout.split()[-1]
    product.start("web")
    client = Client(product.url)
    client.call("POST", f"/api/v1/assignments/{pk}/open", b"{}")
    labels = np.zeros(SHAPE, np.uint8)
    head, revisions = "empty", []
    for stroke in range(STROKES):
        before = labels.copy()
        labels[stroke, stroke : stroke + 9, stroke : stroke + 9] = 1 + stroke % 3
        message = encode_message(
            "findings", SHAPE, changed_chunks(before, labels), [{"id": str(uuid4()), "tool": "sphere"}]
        )
        if stroke % 6 == 3:
            # Between the first byte of the save and its response, or just before or after.
            killer = threading.Thread(target=restart, args=(product, 0.004 * stroke))
            killer.start()
            head = client.save(pk, message, head)
            killer.join()
        else:
            head = client.save(pk, message, head)
        revisions.append(head)
    headers, body = client.call("GET", f"/api/v1/assignments/{pk}/mask?layer=findings", Accept=MEDIA_TYPE)
    assert headers["ETag"] == f'"{head}"'
    assert (decode_message(body).labels() == labels).all()
    count = "from annotation.masks.models import MaskRevision; print(MaskRevision.objects.count())"
    assert int(product.manage("shell", "-v", "0", "-c", count).stdout.split()[-1]) == STROKES == len(set(revisions))
