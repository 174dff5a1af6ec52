"""The small interface to object storage, with a folder and S3 behind it."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotReached

from voxloop.kernel.errors import FULL, Conflict, NoSpace, NotFound, StorageAway

BLOCK = 1 << 20
DIGEST = re.compile(r"[0-9a-f]{64}")


class Store(Protocol):
    """Write once, read often. A key is `<prefix>/<sha256>`; the same content is stored once."""

    def put(self, prefix: str, data: bytes) -> str:
        """Store bytes durably; answer the key. Raises NoSpace when the disk is full, leaving nothing behind."""

    def put_file(self, prefix: str, path: Path) -> str:
        """Store a file's content durably; answer the key."""

    def fetch(self, key: str, to: Path) -> None:
        """Write an object to a new file. Raises NotFound."""

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes `start` (inclusive) to `end` (exclusive). Raises NotFound."""

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The same in blocks of at most 1 MiB."""

    def size(self, key: str) -> int:
        """Length in bytes. Raises NotFound."""

    def put_named(self, name: str, path: Path) -> None:
        """Store a file under a readable name (releases); replaces what is there."""

    def delete(self, key: str) -> None:
        """Remove an object; silent when it is not there."""

    def list(self, prefix: str) -> "Iterator[Entry]":
        """Every object whose key is `<prefix>/<sha256>`. Names that are something else are left out."""

    def collect(self, key: str, *, before: datetime) -> bool:
        """Remove an object unless it was stored, or stored again, since `before`; whether it is gone."""

    def restore(self, key: str, data: bytes) -> None:
        """Put bytes in the place of a damaged object's. Raises ValueError when they are not what the key names."""

    def leftovers(self) -> "Iterator[Entry]":
        """What interrupted writing left behind; `key` is a name for `drop_leftover`."""

    def drop_leftover(self, name: str) -> None:
        """Remove what interrupted writing left behind."""


@dataclass(frozen=True)
class Entry:
    """One stored thing in a list: its key, length in bytes and when it was last stored."""

    key: str
    bytes: int
    modified: datetime


def open_store(url: str) -> Store:
    """A store from `file:///folder` or `s3://bucket/prefix?endpoint=https://…&region=…`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if parts.scheme == "s3":
        return _open_bucket(url)
    raise ValueError(f"storage must begin with file:// or s3://, not {parts.scheme or url!r}")


@lru_cache(maxsize=8)
def _open_bucket(url: str) -> "S3Store":
    """Kept, because a client takes long to make and may be shared by threads."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return S3Store(
        parts.netloc,
        parts.path.strip("/"),
        endpoint=query.get("endpoint", [None])[0],
        region=query.get("region", ["us-east-1"])[0],
    )


def sha256_of(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


class FolderStore:
    """Objects as files. Write, fsync, rename, fsync the folder: a crash leaves all or nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, key: str) -> Path:
        prefix, _, digest = key.rpartition("/")
        path = (self.root / prefix / digest[:2] / digest).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise NotFound("There is no such object.", code="object_missing")
        return path

    def put(self, prefix: str, data: bytes) -> str:
        key = f"{prefix}/{hashlib.sha256(data).hexdigest()}"
        if not self._holds(key):
            self._write(self._path(key), iter([data]))
        return key

    def put_file(self, prefix: str, path: Path) -> str:
        key = f"{prefix}/{sha256_of(path)}"
        if not self._holds(key):
            self._write(self._path(key), _blocks(path))
        return key

    def _holds(self, key: str) -> bool:
        """Whether the object is there and whole; then it counts as stored now, and nobody collects it."""
        try:
            os.utime(self._path(key))
            return sha256_of(self._path(key)) == key.rpartition("/")[2]
        except OSError:  # not there, collected in between, or the disk cannot read it: it is written again
            return False

    def put_named(self, name: str, path: Path) -> None:
        target = (self.root / name).resolve()
        if not target.is_relative_to(self.root.resolve()):
            raise NotFound("That name leaves the storage folder.", code="object_missing")
        self._write(target, _blocks(path))

    def _write(self, target: Path, blocks: Iterator[bytes]) -> None:
        temporary = ""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".part-")
            with os.fdopen(descriptor, "wb") as handle:
                for block in blocks:
                    handle.write(block)
                handle.flush()
                os.fsync(handle.fileno())
            os.chmod(temporary, 0o640)
            os.replace(temporary, target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)
            if error.errno in FULL:
                raise NoSpace from error
            raise

    def fetch(self, key: str, to: Path) -> None:
        try:
            os.link(self._path(key), to)  # the same bytes under another name, where the file system can do that
        except FileNotFoundError:
            raise NotFound("The stored object is missing.", code="object_missing") from None
        except OSError:
            shutil.copyfile(self._path(key), to)

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return b"".join(self.stream(key, start, end))

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        left = (self.size(key) if end is None else end) - start
        try:
            handle = self._path(key).open("rb")
        except FileNotFoundError:
            raise NotFound("The stored object is missing.", code="object_missing") from None
        with handle:
            handle.seek(start)
            while left > 0 and (block := handle.read(min(BLOCK, left))):
                left -= len(block)
                yield block

    def size(self, key: str) -> int:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise NotFound("The stored object is missing.", code="object_missing") from None

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[Entry]:
        for folder in sorted((self.root / prefix).glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if DIGEST.fullmatch(path.name) and path.name.startswith(folder.name):
                    yield from _entry(path, f"{prefix}/{path.name}")

    def collect(self, key: str, *, before: datetime) -> bool:
        path = self._path(key)
        aside = path.with_name(f".part-gone-{path.name}")
        try:
            # Aside first, then looked at: whoever stores the same bytes meanwhile does not find them and writes anew.
            path.rename(aside)
            if aside.stat().st_mtime >= before.timestamp():
                os.link(aside, path)
                aside.unlink()
                return False
            aside.unlink()
        except FileNotFoundError:
            return True
        except FileExistsError:  # written anew meanwhile
            aside.unlink(missing_ok=True)
            return False
        return True

    def restore(self, key: str, data: bytes) -> None:
        _must_fit(key, data)
        self._write(self._path(key), iter([data]))

    def leftovers(self) -> Iterator[Entry]:
        for path in sorted(self.root.glob("**/.part-*")):
            yield from _entry(path, path.relative_to(self.root).as_posix())

    def drop_leftover(self, name: str) -> None:
        path = (self.root / name).resolve()
        if path.name.startswith(".part-") and path.is_relative_to(self.root.resolve()):
            path.unlink(missing_ok=True)


class S3Store:
    """Objects in an S3 bucket. Credentials come from the environment, as boto3 reads them."""

    def __init__(
        self, bucket: str, prefix: str = "", *, endpoint: str | None = None, region: str = "us-east-1"
    ) -> None:
        self.bucket, self.prefix = bucket, prefix
        self.client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            config=Config(
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path"},
                # Somebody waits for the answer; a job that meets a store that is away is carried out again later.
                connect_timeout=3,
                read_timeout=20,
                # Most servers that speak S3 but are not Amazon's do not know its newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{key}".lstrip("/")

    def put(self, prefix: str, data: bytes) -> str:
        key = f"{prefix}/{hashlib.sha256(data).hexdigest()}"
        with _told(self.bucket):
            self.client.put_object(Bucket=self.bucket, Key=self._name(key), Body=data)
        return key

    def put_file(self, prefix: str, path: Path) -> str:
        key = f"{prefix}/{sha256_of(path)}"
        self.put_named(key, path)
        return key

    def put_named(self, name: str, path: Path) -> None:
        with _told(self.bucket):
            self.client.upload_file(str(path), self.bucket, self._name(name))

    def fetch(self, key: str, to: Path) -> None:
        with _told(self.bucket):
            self.client.download_file(self.bucket, self._name(key), str(to))

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return b"".join(self.stream(key, start, end))

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        if end is not None and end <= start:
            return
        # An empty object has no range; asked for whole, it needs none.
        extent = {} if (start, end) == (0, None) else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        with _told(self.bucket):
            answer = self.client.get_object(Bucket=self.bucket, Key=self._name(key), **extent)
            yield from answer["Body"].iter_chunks(BLOCK)

    def size(self, key: str) -> int:
        with _told(self.bucket):
            return int(self.client.head_object(Bucket=self.bucket, Key=self._name(key))["ContentLength"])

    def delete(self, key: str) -> None:
        with _told(self.bucket):
            self.client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def list(self, prefix: str) -> Iterator[Entry]:
        pages = self.client.get_paginator("list_objects_v2")
        with _told(self.bucket):
            for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self._name(prefix)}/"):
                for row in page.get("Contents", []):
                    digest = row["Key"].rpartition("/")[2]
                    if row["Key"] == self._name(f"{prefix}/{digest}") and DIGEST.fullmatch(digest):
                        yield Entry(f"{prefix}/{digest}", int(row["Size"]), row["LastModified"])

    def collect(self, key: str, *, before: datetime) -> bool:
        try:
            with _told(self.bucket):
                found = self.client.head_object(Bucket=self.bucket, Key=self._name(key))
        except NotFound:
            return True
        if found["LastModified"] >= before:
            return False
        self.delete(key)
        return True

    def restore(self, key: str, data: bytes) -> None:
        _must_fit(key, data)
        with _told(self.bucket):
            self.client.put_object(Bucket=self.bucket, Key=self._name(key), Body=data)

    def leftovers(self) -> Iterator[Entry]:
        """Uploads in parts that were never ended; a server that cannot list them has none to tell of."""
        try:
            with _told(self.bucket):
                found = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self._name(""))
        except Conflict:
            return
        for row in found.get("Uploads", []):
            yield Entry(f"{row['Key']}?{row['UploadId']}", 0, row["Initiated"])

    def drop_leftover(self, name: str) -> None:
        key, _, upload = name.rpartition("?")
        with suppress(NotFound), _told(self.bucket):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)


@contextmanager
def _told(bucket: str) -> Iterator[None]:
    """Turn what boto3 raises into NotFound, NoSpace, StorageAway, or a Conflict that says what the bucket said."""
    try:
        yield
    except (BotoCoreError, ClientError, S3UploadFailedError) as error:
        # A failed transfer of a file carries its cause only as the exception before it.
        cause = error.__context__ if isinstance(error, S3UploadFailedError) and error.__context__ else error
        code = str(getattr(cause, "response", {}).get("Error", {}).get("Code") or type(cause).__name__)
        if code in {"404", "NoSuchKey", "NotFound"}:
            raise NotFound("The stored object is missing.", code="object_missing") from error
        if code in {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}:
            raise NoSpace(f"The bucket {bucket} is full; nothing was stored.") from error
        answered = getattr(cause, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if answered >= 500 or isinstance(cause, HTTPClientError | NotReached):  # away, cut off, too slow, or ill itself
            raise StorageAway from error
        raise Conflict(
            f"The bucket {bucket} did not do what it was asked for ({code}).", code="storage_failed"
        ) from error


def _must_fit(key: str, data: bytes) -> None:
    if hashlib.sha256(data).hexdigest() != key.rpartition("/")[2]:
        raise ValueError(f"the bytes are not those of {key}")


def _entry(path: Path, key: str) -> Iterator[Entry]:
    """One entry, or none when the file went meanwhile."""
    with suppress(FileNotFoundError):
        found = path.stat()
        yield Entry(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            yield block
