"""The whole demonstration on a small file system that is filled up and freed again."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.journeys.test_demo_command import Demo
from tests.product import wait_for
from voxloop.kernel.room import MB

SIZE_MB = 640
LIMITS = {"VOXLOOP_LOW_DISK_MB": "200", "VOXLOOP_KEPT_DISK_MB": "120", "VOXLOOP_LAST_DISK_MB": "64"}


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    state = Path(tempfile.mkdtemp(prefix="voxloop-full-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=0711", "voxloop", str(state)], check=True)
    demo = None
    try:
        # As after an earlier start: a first start requires more space than this test wants to fill.
        (state / "demo.json").write_text(json.dumps({"demonstration": "to be created"}))
        demo = Demo(state, LIMITS | {"VOXLOOP_PULSE_SECONDS": "2"})
        yield demo
    finally:
        if demo is not None and demo.process.poll() is None:
            demo.stop()
        subprocess.run(["umount", "--lazy", str(state)], check=True)
        shutil.rmtree(state, ignore_errors=True)


def call(demo: Demo, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{demo.port}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def fill(state: Path, leave: int) -> None:
    """Fill the disk, leaving `leave` bytes."""
    with (state / "filling").open("ab", buffering=0) as file:
        file.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError):
            os.posix_fallocate(file.fileno(), file.tell(), max(1, shutil.disk_usage(state).free - leave))
        with contextlib.suppress(OSError):
            while not leave:
                file.write(bytes(4096))


def write_ahead(demo: Demo) -> None:
    """Make PostgreSQL write to its write-ahead log."""
    access = json.loads((demo.state / "postgres" / "access.json").read_text())
    url = f"postgresql://voxloop:{access['password']}@127.0.0.1:{access['port']}/voxloop"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(200):
            connection.execute("SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000))")


@pytest.mark.timeout(900)
@pytest.mark.fault("the disk runs full under everything")
def test_a_disk_that_runs_full_stops_nothing_for_good(demo: Demo) -> None:
    card = demo.wait(lambda card: card.get("running") and card.get("demonstration") == "complete", 200)
    account = next(account for account in card["accounts"] if account["username"] == "annotator1")
    status, answer = call(
        demo, "POST", "/api/v1/auth/token", {"username": account["username"], "password": account["password"]}
    )
    assert status == 200, answer
    token = answer["token"]

    def save() -> tuple[int, Any]:
        return call(demo, "PATCH", "/api/v1/me/settings", {"values": {}}, token)

    kept = call(demo, "GET", "/api/v1/me/settings", token=token)
    assert kept[0] == 200
    assert save()[0] == 200, save()
    wait_for("all to be well", lambda: call(demo, "GET", "/healthz")[0] == 200)
    wait_for("the ballast", (demo.state / "postgres" / "ballast").exists)

    fill(demo.state, leave=40 * MB)
    refused = wait_for("a refusal", lambda: (found := save())[0] == 507 and found)
    assert refused[1]["code"] == "no_space"
    assert call(demo, "GET", "/api/v1/me/settings", token=token)[0] == 200
    told = wait_for("healthz to say it", lambda: (found := call(demo, "GET", "/healthz"))[0] == 503 and found[1])
    assert [fault["code"] for fault in told["failing"]] == ["no_space"]

    fill(demo.state, leave=0)
    with pytest.raises(psycopg.OperationalError):
        write_ahead(demo)
    assert save()[0] in {503, 507}  # the first while the database is down
    # It recovers in the reserved space and answers reads; nothing more is written.
    wait_for("PostgreSQL to be back", lambda: call(demo, "GET", "/api/v1/me/settings", token=token)[0] == 200, 120)
    assert not (demo.state / "postgres" / "ballast").exists()
    assert save()[0] == 507
    assert demo.process.poll() is None

    (demo.state / "filling").unlink()
    wait_for("a save", lambda: save()[0] == 200, 120)
    wait_for("all to be well", lambda: call(demo, "GET", "/healthz")[0] == 200, 120)
    wait_for("the ballast", (demo.state / "postgres" / "ballast").exists)
    _, _, said = demo.stop()
    assert "is full: nothing can be saved until there is room" in said
    assert "has room again: everything goes on" in said
    assert "Traceback" not in said
