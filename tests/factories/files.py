"""Paths of stored objects, for tests that damage them."""

from pathlib import Path
from urllib.parse import urlsplit

from voxloop.storage.folder import FolderStore


def file_of(url: str, key: str) -> Path:
    """The file of an object in the folder store at a `file://` address."""
    return FolderStore(Path(urlsplit(url).path)).path_of(key)
