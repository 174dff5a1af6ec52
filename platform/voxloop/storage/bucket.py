"""An object store in an S3 bucket."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotReached

from voxloop.kernel.errors import Conflict, NoSpace, NotFound, StorageAway
from voxloop.storage.objects import BLOCK, DIGEST, Entry, must_fit, sha256_of


class S3Store:
    """Objects in an S3 bucket. Credentials come from the environment, as boto3 reads them."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str | None = None,
        region: str = "us-east-1",
        public: str | None = None,
    ) -> None:
        self.bucket, self.prefix = bucket, prefix
        self.public = public or endpoint  # where people reach it, when that is another address than the server's
        self.client = self._connect(endpoint, region)
        self._signer = self._connect(public, region) if public else self.client

    @staticmethod
    def _connect(endpoint: str | None, region: str) -> Any:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            config=Config(
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                # Short timeouts, because somebody waits; a job that finds the store unreachable is retried later.
                connect_timeout=3,
                read_timeout=20,
                # Most S3-compatible servers do not support Amazon's newer checksums.
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
        # A range request for an empty object fails.
        extent = {} if (start, end) == (0, None) else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        with _told(self.bucket):
            answer = self.client.get_object(Bucket=self.bucket, Key=self._name(key), **extent)
            yield from answer["Body"].iter_chunks(BLOCK)

    def link(self, name: str, seconds: int) -> str:
        """An address from which anybody may read a file for so many seconds, without a log-in."""
        with _told(self.bucket):
            wanted = {"Bucket": self.bucket, "Key": self._name(name)}
            return str(self._signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds))

    def address(self, name: str) -> str:
        """`s3://bucket/…` of a name, as S3's own tools take it."""
        return f"s3://{self.bucket}/{self._name(name)}"

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
        must_fit(key, data)
        with _told(self.bucket):
            self.client.put_object(Bucket=self.bucket, Key=self._name(key), Body=data)

    def leftovers(self) -> Iterator[Entry]:
        """Incomplete multipart uploads; none where the server cannot list them."""
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
    """Turn what boto3 raises into NotFound, NoSpace, StorageAway, or a Conflict with the bucket's error code."""
    try:
        yield
    except (BotoCoreError, ClientError, S3UploadFailedError) as error:
        # A failed file transfer has its cause only as __cause__ or __context__.
        cause = error.__context__ if isinstance(error, S3UploadFailedError) and error.__context__ else error
        code = str(getattr(cause, "response", {}).get("Error", {}).get("Code") or type(cause).__name__)
        if code in {"404", "NoSuchKey", "NotFound"}:
            raise NotFound("The stored object is missing.", code="object_missing") from error
        if code in {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}:
            raise NoSpace(f"The bucket {bucket} is full; nothing was stored.") from error
        answered = getattr(cause, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if answered >= 500 or isinstance(
            cause, HTTPClientError | NotReached
        ):  # unreachable, disconnected, too slow, or failing itself
            raise StorageAway from error
        raise Conflict(f"The bucket {bucket} refused the request ({code}).", code="storage_failed") from error
