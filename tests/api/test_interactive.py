"""The interactive segmentation server: a real one that segments, and failing ones."""

import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np
import pytest
from django.test import Client
from scipy import ndimage as ndi

from annotation.masks.services import begin
from annotation.work.models import Assignment
from tests.factories.world import SHAPE, World, ball, first_of, publish
from voxloop.volume.labelmap import MEDIA_TYPE, decode_message

pytestmark = pytest.mark.django_db
MIDDLE = [SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2, 1]


class Segmenter(BaseHTTPRequestHandler):
    """Segments everything above −400 HU that is connected to the first positive point."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        (length,) = struct.unpack("<I", body[:4])
        header = json.loads(body[4 : 4 + length])
        voxels = np.frombuffer(body[4 + length :], "<i2").reshape(header["shape_zyx"])
        server: Any = self.server
        server.seen.append((self.path, header))
        if server.mood == "refuses":
            return self.answer(503, b"")
        if server.mood == "sends elsewhere":
            return self.answer(302, b"", Location=f"http://127.0.0.1:{server.server_port}/other")
        if server.mood == "babbles":
            return self.answer(200, b"x" * (voxels.size + 5))
        if server.mood == "sleeps":
            server.asleep.wait(5)
        parts, _ = ndi.label(voxels > -400)
        found = parts == parts[tuple(header["points"][0]["zyx"])]
        return self.answer(200, found.astype(np.uint8).tobytes())

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(settings: Any) -> Iterator[Any]:
    found: Any = HTTPServer(("127.0.0.1", 0), Segmenter)
    found.seen, found.mood, found.asleep = [], "", threading.Event()
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    settings.INTERACTIVE_URL = f"http://127.0.0.1:{found.server_port}/api/"
    yield found
    found.asleep.set()
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def assignment(world: World) -> Assignment:
    return begin(assignment_id=first_of(publish(world)).pk, actor=world["annotator"])


@pytest.fixture
def client(world: World) -> Client:
    found = Client()
    found.force_login(world["annotator"], backend="django.contrib.auth.backends.ModelBackend")
    return found


def ask(client: Client, assignment: Assignment, **body: Any) -> Any:
    wanted = {"segment": 2, "points": [MIDDLE], **body}
    return client.post(f"/api/v1/assignments/{assignment.pk}/propose", wanted, "application/json")


def test_a_server_segments_and_learns_nothing_but_voxels(client: Client, assignment: Assignment, server: Any) -> None:
    answer = ask(client, assignment)
    assert (answer.status_code, answer["Content-Type"]) == (200, MEDIA_TYPE)
    message = decode_message(answer.content, SHAPE)
    assert message.layer == "findings"
    assert np.array_equal(message.labels() == 2, ball(SHAPE))
    [(path, header)] = server.seen
    assert path == "/api/segment"
    assert set(header) == {"version", "shape_zyx", "spacing_mm_zyx", "points", "box_zyx"}
    assert header["points"] == [{"zyx": MIDDLE[2::-1], "belongs": True}]
    assert assignment.heads.count() == 0, "a proposal stores nothing"


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        ("refuses", "interactive_refused"),
        ("sends elsewhere", "interactive_refused"),
        ("babbles", "interactive_bad_answer"),
        ("sleeps", "interactive_unreachable"),
    ],
)
def test_a_server_that_fails_is_told_in_a_code(
    client: Client, assignment: Assignment, server: Any, settings: Any, mood: str, code: str
) -> None:
    settings.INTERACTIVE_SECONDS = 0.3
    server.mood = mood
    answer = ask(client, assignment)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert [path for path, _ in server.seen] == ["/api/segment"], "a redirect is not followed"


def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    client: Client, assignment: Assignment, server: Any
) -> None:
    x, y, z = SHAPE[::-1]
    bodies: tuple[dict[str, Any], ...] = (
        {"points": []},
        {"points": [[x, 0, 0, 1]]},
        {"points": [MIDDLE] * 41},
        {"points": [], "box": [0, 0, 0, x + 1, y, z]},
        {"points": [], "box": [9, 9, 9, 9, 12, 12]},
        {"segment": 77},
        {"layer": "nothing"},
        {"points": [[1, 2, 3]]},
    )
    for body in bodies:
        assert ask(client, assignment, **body).status_code in (404, 422), body
    assert server.seen == []


def test_it_is_off_unless_it_is_set_up(client: Client, assignment: Assignment, settings: Any) -> None:
    assert client.get(f"/api/v1/assignments/{assignment.pk}/").json()["interactive"] is None
    assert ask(client, assignment).json()["code"] == "interactive_off"
    settings.INTERACTIVE_URL, settings.INTERACTIVE_LICENCE = "http://127.0.0.1:9/", "Weights CC BY-NC-SA 4.0"
    told = client.get(f"/api/v1/assignments/{assignment.pk}/").json()["interactive"]
    assert told["licence"] == "Weights CC BY-NC-SA 4.0"
    assert ask(client, assignment).json()["code"] == "interactive_unreachable"
