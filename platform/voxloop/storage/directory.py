"""A directory of named files, in a local folder or a bucket: holds back-ups and their object store."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from voxloop.kernel.errors import NotFound
from voxloop.storage.bucket import S3Store, _told
from voxloop.storage.folder import FolderStore
from voxloop.storage.objects import Store
from voxloop.storage.store import open_store

OBJECTS = "objects"


class Directory(Protocol):
    """Named files. A name is a relative path with `/`."""

    objects: FolderStore | S3Store  # the object store under `objects/`

    def names(self, under: str = "") -> Iterator[tuple[str, int]]:
        """Names that begin with the folder `under`, with their length in bytes, in order."""

    def read(self, name: str) -> bytes:
        """A small file's content. Raises NotFound."""

    def fetch(self, name: str, path: Path) -> None:
        """Copy a file to `path` on this machine. Raises NotFound."""

    def write(self, name: str, path: Path) -> None:
        """Store a file from `scratch` durably under a name; it may be moved. Raises NoSpace."""

    def delete(self, name: str) -> None:
        """Remove a file; silent when it is not there."""

    def scratch(self) -> "tempfile.TemporaryDirectory[str]":
        """A local folder for files that are to be passed to `write`."""


def open_directory(address: str) -> "LocalDirectory | BucketDirectory":
    """Open a folder's path, `file:///folder` or `s3://bucket/prefix?endpoint=…`."""
    if address.startswith("s3://"):
        root, _, options = address.partition("?")
        store = open_store(address)
        objects = open_store(f"{root.rstrip('/')}/{OBJECTS}" + (f"?{options}" if options else ""))
        if not isinstance(store, S3Store) or not isinstance(objects, S3Store):
            raise TypeError(address)
        return BucketDirectory(store, objects)
    return LocalDirectory(Path(address.removeprefix("file://")).expanduser().resolve())


class LocalDirectory:
    """Files under a folder, readable by this user only."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = FolderStore(root / OBJECTS)
        self._store = FolderStore(root)

    def names(self, under: str = "") -> Iterator[tuple[str, int]]:
        for path in sorted((self.root / under).rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
                yield name, path.stat().st_size

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no {name} in {self.root}.", code="file_missing") from None

    def fetch(self, name: str, path: Path) -> None:
        with path.open("wb") as target, self.open(name) as source:
            while block := source.read(1 << 20):
                target.write(block)

    def open(self, name: str) -> BinaryIO:
        try:
            return (self.root / name).open("rb")
        except FileNotFoundError:
            raise NotFound(f"There is no {name} in {self.root}.", code="file_missing") from None

    def write(self, name: str, path: Path) -> None:
        self._store.put_named(name, path)
        (self.root / name).chmod(0o600)

    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        parent = (self.root / name).parent
        if parent != self.root and parent.exists() and not any(parent.iterdir()):
            parent.rmdir()

    def scratch(self) -> "tempfile.TemporaryDirectory[str]":
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return tempfile.TemporaryDirectory(dir=self.root, prefix=".part-")


class BucketDirectory:
    """Files under a prefix of a bucket."""

    def __init__(self, store: S3Store, objects: S3Store) -> None:
        self._store, self.objects = store, objects

    def names(self, under: str = "") -> Iterator[tuple[str, int]]:
        start = self._store._name(f"{under}/" if under else "")
        cut = len(f"{self._store.prefix}/") if self._store.prefix else 0
        pages = self._store.client.get_paginator("list_objects_v2")
        with _told(self._store.bucket):
            for page in pages.paginate(Bucket=self._store.bucket, Prefix=start):
                for row in page.get("Contents", []):
                    yield row["Key"][cut:], int(row["Size"])

    def read(self, name: str) -> bytes:
        return self._store.get(name)

    def fetch(self, name: str, path: Path) -> None:
        with path.open("wb") as target:
            for block in self._store.stream(name):
                target.write(block)

    def write(self, name: str, path: Path) -> None:
        self._store.put_named(name, path)

    def delete(self, name: str) -> None:
        self._store.delete(name)

    def scratch(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="voxloop-")


@contextmanager
def local_copy(store: Store, key: str) -> Iterator[Path]:
    """An object as a local file: the stored file itself for a folder, a copy for a bucket."""
    if isinstance(store, FolderStore):
        store.size(key)
        yield store.path_of(key)
        return
    descriptor, name = tempfile.mkstemp(prefix="voxloop-")
    try:
        with os.fdopen(descriptor, "wb") as target:
            for block in store.stream(key):
                target.write(block)
        yield Path(name)
    finally:
        Path(name).unlink()
