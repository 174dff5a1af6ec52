"""Open an object store in a folder or S3."""

from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from voxloop.storage.bucket import S3Store
from voxloop.storage.folder import FolderStore
from voxloop.storage.objects import Store


def open_store(url: str) -> Store:
    """A store from `file:///folder` or `s3://bucket/prefix?endpoint=https://…&region=…&public=https://…`.

    `public` is the address of the same server for people's links, where it is another than the product's own."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if parts.scheme == "s3":
        return _open_bucket(url)
    raise ValueError(f"storage must begin with file:// or s3://, not {parts.scheme or url!r}")


@lru_cache(maxsize=8)
def _open_bucket(url: str) -> "S3Store":
    """Cached: a client is slow to create and may be shared by threads."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return S3Store(
        parts.netloc,
        parts.path.strip("/"),
        endpoint=query.get("endpoint", [None])[0],
        region=query.get("region", ["us-east-1"])[0],
        public=query.get("public", [None])[0],
    )
