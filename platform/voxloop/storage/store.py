"""The small interface to object storage, with a folder and S3 behind it."""

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from voxloop.kernel.errors import FULL, Conflict, NoSpace, NotFound

BLOCK = 1 << 20
UNFINISHED = ".unfinished"


class Store(Protocol):
    """Write once, read often. A key is `<prefix>/<sha256>`; the same content is stored once."""

    def put(self, prefix: str, data: bytes) -> str:
        """Store bytes durably; answer the key. Raises NoSpace when the disk is full, leaving nothing behind."""

    def put_file(self, prefix: str, path: Path) -> str:
        """Store a file's content durably; answer the key."""

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

    def sweep_unfinished(self, older_than_s: float) -> tuple[int, int]:
        """Remove what killed processes began to write so long ago; answer how many and their bytes."""


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
        if not self._path(key).exists():
            self._write(self._path(key), iter([data]))
        return key

    def put_file(self, prefix: str, path: Path) -> str:
        key = f"{prefix}/{sha256_of(path)}"
        if not self._path(key).exists():
            self._write(self._path(key), _blocks(path))
        return key

    def put_named(self, name: str, path: Path) -> None:
        target = (self.root / name).resolve()
        if not target.is_relative_to(self.root.resolve()):
            raise NotFound("That name leaves the storage folder.", code="object_missing")
        self._write(target, _blocks(path))

    def _write(self, target: Path, blocks: Iterator[bytes]) -> None:
        temporary = ""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # All in one place, so that what a killed process left is found without walking every object.
            unfinished = self.root / UNFINISHED
            unfinished.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=unfinished, prefix=".part-")
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

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return b"".join(self.stream(key, start, end))

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        left = (self.size(key) if end is None else end) - start
        with self._path(key).open("rb") as handle:
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

    def sweep_unfinished(self, older_than_s: float) -> tuple[int, int]:
        number = size = 0
        for path in (self.root / UNFINISHED).glob(".part-*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                if time.time() - found.st_mtime > older_than_s:
                    path.unlink()
                    number, size = number + 1, size + found.st_size
        return number, size


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
                retries={"max_attempts": 4, "mode": "standard"},
                s3={"addressing_style": "path"},
                connect_timeout=10,
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

    def sweep_unfinished(self, older_than_s: float) -> tuple[int, int]:
        """A bucket keeps the parts of an upload that never ended, and nobody sees them. Their sizes are not known."""
        number, before = 0, datetime.now(UTC) - timedelta(seconds=older_than_s)
        with _told(self.bucket):
            found = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix)
            for upload in found.get("Uploads", []):
                if upload["Initiated"] < before:
                    self.client.abort_multipart_upload(
                        Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    number += 1
        return number, 0


@contextmanager
def _told(bucket: str) -> Iterator[None]:
    """Turn what boto3 raises into NotFound, NoSpace, or a Conflict that says what the bucket said."""
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
        raise Conflict(
            f"The bucket {bucket} did not do what it was asked for ({code}).", code="storage_failed"
        ) from error


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            yield block
