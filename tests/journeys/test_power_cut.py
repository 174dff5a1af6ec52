"""A power cut while people save: only synced data survives, which includes everything acknowledged."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from annotation.demonstration.dicom import SCANNERS, write_ct_series
from tests.forgetful import after_power_cut
from tests.journeys.test_killed_web import SEED, SHAPE, Client
from tests.product import ROOT, Product
from voxloop.embedded.postgres import EmbeddedPostgres
from voxloop.volume.labelmap import MEDIA_TYPE, changed_chunks, decode_message, encode_message
from voxloop.volume.phantom import PROFILES, make_phantom

STROKES = 12
WHOLE = """
from django.conf import settings
from annotation.masks.models import MaskRevision
from annotation.scans.models import Scan
from voxloop.storage.store import open_store
import hashlib
store = open_store(settings.STORAGE_URL)
scans = Scan.objects.filter(state="ready")
broken = [s.code for s in scans if hashlib.sha256(store.get(s.pack_key)).hexdigest() != s.pack_key.rpartition("/")[2]]
print("broken", broken)
print("scans", scans.count(), "revisions", MaskRevision.objects.count())
"""


@contextmanager
def mounted(live: Path, kept: Path, at: Path) -> Iterator[None]:
    """The forgetful file system at `at`, until the block ends."""
    at.mkdir()
    command = [sys.executable, "-m", "tests.forgetful", str(live), str(kept), str(at)]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        end = time.monotonic() + 30
        while not at.is_mount():
            assert server.poll() is None, "the file system did not come up: it needs libfuse3-3 and /dev/fuse"
            assert time.monotonic() < end
            time.sleep(0.05)
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=False)
        server.kill()
        server.wait(10)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's user can access."""
    path = Path(tempfile.mkdtemp(prefix="voxloop-power-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.timeout(600)
@pytest.mark.fault("the power goes, and the disk forgets what was not synced")
def test_what_was_acknowledged_is_on_the_disk_when_the_power_goes(folder: Path) -> None:
    live, kept, at, before = (folder / name for name in ("live", "kept", "at", "before"))
    live.mkdir(mode=0o711)
    with EmbeddedPostgres(live / "postgres") as first:
        product = Product(live, first.url)
        product.manage("prepare_broker", "--migrate", VOXLOOP_OWNER_DATABASE=first.owner_url)
        pk = product.manage("shell", "-v", "0", "-c", SEED).stdout.split()[-1]
    secrets = {name: product.environment[name] for name in ("VOXLOOP_SECRET_KEY",)}

    acknowledged: list[np.ndarray] = []
    with mounted(live, kept, at):
        server = EmbeddedPostgres(at / "postgres")
        server.start(within=120)
        pid = server.pid
        assert pid is not None
        product = Product(at, server.url)
        product.environment |= secrets
        product.start("web")
        series = folder / "series"
        series.mkdir()
        phantom = make_phantom(1000, PROFILES["A"], shape_zyx=(40, 112, 112))
        hu = np.clip(phantom.hu_zyx, -1024, 3071)
        write_ct_series(series, hu, phantom.geometry, subject="A1000", scanner=SCANNERS["a"])
        product.manage("import_dicom", str(series), "--site", "a", "--campaign", "chest-ct", "--user", "datamanager")
        draw_until_the_end(Client(product.url), pk, acknowledged, (kept / "cut").touch)
        product.kill("web")
        os.killpg(pid, signal.SIGKILL)
        server.stop()
    assert len(acknowledged) >= STROKES

    live.rename(before)
    assert after_power_cut(before, kept, live) > 0  # some data really was not synced yet
    with EmbeddedPostgres(live / "postgres") as second:
        product = Product(live, second.url)
        product.environment |= secrets
        product.start("web")
        try:
            _, body = Client(product.url).call(
                "GET", f"/api/v1/assignments/{pk}/mask?layer=findings", Accept=MEDIA_TYPE
            )
            found = decode_message(body).labels()
            # The last save may be on the disk although its response was lost.
            assert (
                any((found == labels).all() for labels in acknowledged[-1:]) or (found != acknowledged[-1]).sum() == 81
            )
            told = product.manage("shell", "-v", "0", "-c", WHOLE).stdout
            assert "broken []" in told
            assert "scans 2" in told
            assert product.manage("verify_audit").returncode == 0
        finally:
            product.stop()


def draw_until_the_end(client: Client, pk: str, acknowledged: list[np.ndarray], cut: Callable[[], None]) -> None:
    """Draw strokes, each saved before the next, until the power cut in the middle of one."""
    client.call("POST", f"/api/v1/assignments/{pk}/open", b"{}")
    labels, head = np.zeros(SHAPE, np.uint8), "empty"
    for stroke in range(10_000):
        before = labels.copy()
        labels[stroke % 40, stroke % 31 : stroke % 31 + 9, 9 * (stroke // 40) : 9 * (stroke // 40) + 9] = 1
        facts = [{"id": str(uuid4()), "tool": "sphere", "segment": 1}]
        message = encode_message("findings", SHAPE, changed_chunks(before, labels), facts)
        try:
            head = client.save(pk, message, head, seconds=3)
        except OSError:
            return
        acknowledged.append(labels.copy())
        if len(acknowledged) == STROKES:
            threading.Timer(0.02, cut).start()
