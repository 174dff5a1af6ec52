"""Disaster recovery: people save while a back-up runs, everything is destroyed, and the restore is complete."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from tests.factories.s3 import s3_server
from tests.factories.world import PASSWORD
from tests.journeys.test_killed_web import Client
from tests.product import Product, new_database
from voxloop.embedded.processes import free_port
from voxloop.embedded.state import StateFolder
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, decode_message, encode_message

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a passphrase of the drill"
pytestmark = pytest.mark.timeout(900)  # a dozen sequential processes
SHAPE = (40, 48, 56)
SEED = """
import json
from django.contrib.sessions.backends.db import SessionStore
from tests.factories.world import approve, build_world, first_of, label, publish
from voxloop.jobs.models import Job
from voxloop.jobs.running import claim
world = build_world(scans=4)
done = publish(world, size=1)
label(world, first_of(done))
batches = [publish(world, to=name, size=1) for name in ("annotator", "annotator2")]
session = SessionStore()
session["kept"] = "before the back-up"
session.save()
job = Job.objects.create(kind="import_scans", key="drill", payload={"path": "/none", "is_upload": True})
claim(job.pk)
print(json.dumps([str(batch.assignments.get().pk) for batch in batches]))
"""
FACTS = """
import json
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from knox.models import get_token_model
from annotation.masks.models import MaskRevision
from annotation.work.models import Assignment
from voxloop.accounts.models import User
from voxloop.audit.models import AuditEntry
from voxloop.audit.verify import verify
from voxloop.jobs.models import Job
job = Job.objects.get(key="drill")
print(json.dumps({
    "revisions": [str(pk) for pk in MaskRevision.objects.values_list("pk", flat=True)],
    "sessions": Session.objects.count(), "tokens": get_token_model().objects.count(),
    "job": job.state, "people": User.objects.count(),
    "leases": [bool(a.lease_until) for a in Assignment.objects.filter(state="open")],
    "audit": verify()[1] and verify()[1].sentence,
    "restored": AuditEntry.objects.filter(action="backup.restored").count(),
}))
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def clean(more: dict[str, str]) -> dict[str, str]:
    """The environment without the tests' settings, plus `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VOXLOOP_", "DJANGO_"))}
    return kept | {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"} | more


def manage(*arguments: str, **environment: Any) -> subprocess.CompletedProcess[str]:
    check = environment.pop("check", True)
    done = subprocess.run(
        command(*arguments), cwd=ROOT, env=clean(environment), capture_output=True, text=True, timeout=240
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the database's user can access."""
    folder = Path(tempfile.mkdtemp(prefix="voxloop-drill-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Saver(threading.Thread):
    """One annotator who draws and saves until told to stop; every acknowledged revision is kept with its time."""

    def __init__(self, product: Product, name: str, pk: str) -> None:
        super().__init__()
        self.client, self.pk = sign_in(product, name), pk
        self.stop_now = threading.Event()
        self.acknowledged: list[tuple[float, str]] = []
        self.labels = np.zeros(SHAPE, np.uint8)

    def run(self) -> None:
        self.client.call("POST", f"/api/v1/assignments/{self.pk}/open", b"{}")
        head = "empty"
        while not self.stop_now.is_set():
            before, at = self.labels.copy(), len(self.acknowledged) % 30
            self.labels[at, at : at + 9, at : at + 9] = 1 + len(self.acknowledged) % 3
            message = encode_message(
                "findings", SHAPE, changed_chunks(before, self.labels), [{"id": str(uuid4()), "tool": "sphere"}]
            )
            head = self.client.save(self.pk, message, head)
            self.acknowledged.append((time.time(), head))
            self.stop_now.wait(0.05)


def sign_in(product: Product, name: str) -> Client:
    """A client with a token of its own."""
    client = Client.__new__(Client)
    client.url, client.headers = product.url, {"Content-Type": "application/json"}
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    client.headers["Authorization"] = f"Token {json.loads(client.call('POST', '/api/v1/auth/token', body)[1])['token']}"
    return client


def facts(product: Product) -> dict[str, Any]:
    return dict(json.loads(product.manage("shell", "-v", "0", "-c", FACTS).stdout.splitlines()[-1]))


def told(product: Product, *arguments: str) -> dict[str, Any]:
    """The JSON that a command printed; it must have succeeded."""
    done = product.manage(*arguments, "--json", check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def installation(folder: Path) -> Iterator[Product]:
    """An empty product with a database of its own, and no tables."""
    folder.mkdir()
    with new_database() as database:
        product = Product(folder, database)
        product.environment |= {"VOXLOOP_AUDIT_KEY": "audit-" + uuid4().hex, "VOXLOOP_BACKUP_PASSPHRASE": PASSPHRASE}
        try:
            yield product
        finally:
            product.stop()


@pytest.mark.parametrize("kind", ["folder", "bucket"])
@pytest.mark.fault("everything is destroyed and restored")
def test_nothing_acknowledged_is_missing_after_destruction(
    tmp_path: Path, django_db_blocker: object, kind: str
) -> None:
    """Restored into another, empty installation; with a bucket the objects of both lie in S3, too."""
    with s3_server(tmp_path / "s3", bucket="voxloop") as bucket, installation(tmp_path / "first") as first:
        root, _, options = bucket.partition("?")
        to = str(tmp_path / "backups") if kind == "folder" else f"{root}/backups?{options}"
        if kind == "bucket":
            first.environment["VOXLOOP_STORAGE"] = f"{root}/live?{options}"
        first.manage("prepare_installation")
        pks = json.loads(first.manage("shell", "-v", "0", "-c", SEED).stdout.splitlines()[-1])
        first.start("web")
        savers = [Saver(first, name, pk) for name, pk in zip(("annotator", "annotator2"), pks, strict=True)]
        for saver in savers:
            saver.start()
        made = told(first, "backup", to)
        assert made["faults"] == []
        assert made["objects"]["copied"] == made["objects"]["count"] > 0
        last_begun = time.time()
        newest = told(first, "backup", to, "--keep", "1")  # all objects are there already
        assert newest["objects"]["copied"] == 0
        for saver in savers:
            saver.stop_now.set()
            saver.join()
        acknowledged = {head for saver in savers for at, head in saver.acknowledged if at < last_begun}
        assert len(acknowledged) > 4
        assert told(first, "backup", to, "--verify") == {"name": newest["name"], "faults": []}
        first.stop()
        shutil.rmtree(tmp_path / "first")  # its keys, its objects, its anchor
        with installation(tmp_path / "second") as second:
            if kind == "bucket":
                shutil.rmtree(tmp_path / "s3" / "voxloop" / "live")
                second.environment["VOXLOOP_STORAGE"] = f"{root}/again?{options}"
            restored = told(second, "restore", to)
            assert restored["name"] == newest["name"]
            keys = json.loads(Path(restored["keys"]).read_text())
            assert keys["VOXLOOP_AUDIT_KEY"] == first.environment["VOXLOOP_AUDIT_KEY"]
            second.environment |= keys
            found = facts(second)
            assert acknowledged <= set(found["revisions"])
            assert (found["sessions"], found["tokens"], found["job"], found["restored"]) == (0, 0, "queued", 1)
            assert found["audit"] is None
            second.start("web")
            with pytest.raises(urllib.error.HTTPError, match="401"):  # an older token has ended
                urllib.request.urlopen(
                    urllib.request.Request(f"{second.url}/api/v1/me/", headers=savers[0].client.headers), timeout=10
                )
            # The log-in works, the lease is still held, and the person continues from the state of the back-up.
            client = sign_in(second, "annotator")
            path = f"/api/v1/assignments/{pks[0]}/mask?layer=findings"
            headers, body = client.call("GET", path, Accept=MEDIA_TYPE)
            before = decode_message(body).labels()
            after = before.copy()
            after[0, 0, 0] = 1
            message = encode_message(
                "findings", SHAPE, changed_chunks(before, after), [{"id": str(uuid4()), "tool": "sphere"}]
            )
            client.save(pks[0], message, headers["ETag"].strip('"'))


def test_a_state_folder_is_backed_up_and_restored_elsewhere(open_folder: Path) -> None:
    """`--state`: the database is started for the command; the restored folder has its keys and is complete."""
    first = StateFolder(open_folder / "first")
    first.path.mkdir(mode=0o711)
    first.keep_keys()
    accounts = [{"username": "a", "role": "annotator", "password": "p"}]
    first.write_card({"demonstration": "complete", "accounts": accounts})
    environment: dict[str, Any] = {"VOXLOOP_BACKUP_PASSPHRASE": PASSPHRASE}
    with first.postgres:
        manage("prepare_installation", **first.owner_environment())
        manage(
            "shell",
            "-v",
            "0",
            "-c",
            "from tests.factories.world import build_world; build_world(scans=1)",
            **first.environment(),
        )
    to = str(open_folder / "backups")
    made = json.loads(manage("backup", to, "--state", str(first.path), "--json", **environment).stdout)
    shutil.rmtree(first.path)
    second = open_folder / "second"
    # After a kill it is not started as if complete, and the same command completes it.
    killed = subprocess.Popen(command("restore", to, "--state", str(second)), env=clean(environment), cwd=ROOT)
    wait_until(lambda: (second / "postgres" / "data" / "PG_VERSION").exists() or killed.poll() is not None)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    started = manage("demo", "--no-browser", "--state", str(second), "--port", str(free_port()), check=False)
    assert "has not finished: run the same manage.py restore again." in started.stderr
    restored = json.loads(manage("restore", to, "--state", str(second), "--json", **environment).stdout)
    assert (restored["name"], restored["objects"]) == (made["name"], made["objects"]["count"])
    folder = StateFolder(second)
    assert folder.check_whole()
    assert folder.read_card()["accounts"] == accounts
    with folder.postgres as server:
        manage("prepare_installation", **folder.owner_environment())
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM scans_scan").fetchone() == (1,)
    changed = manage("change_secret_key", "--state", str(second), "--json")
    assert json.loads(changed.stdout) == {"sessions_ended": 0}
    with folder.postgres:
        manage("prepare_installation", **folder.owner_environment())
