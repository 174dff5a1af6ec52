"""An object store in a folder."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from voxloop.kernel.errors import FULL, NoSpace, NotFound
from voxloop.storage.objects import BLOCK, DIGEST, Entry, blocks_of, entry_of, make_private, must_fit, sha256_of


class FolderStore:
    """Objects as files. Write, fsync, rename, fsync the folder: a crash leaves all or nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, key: str) -> Path:
        prefix, _, digest = key.rpartition("/")
        path = (self.root / prefix / digest[:2] / digest).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise NotFound("There is no such object.", code="object_missing")
        return path

    def put(self, prefix: str, data: bytes) -> str:
        key = f"{prefix}/{hashlib.sha256(data).hexdigest()}"
        if not self._holds(key):
            self._write(self.path_of(key), iter([data]))
        return key

    def put_file(self, prefix: str, path: Path) -> str:
        key = f"{prefix}/{sha256_of(path)}"
        if not self._holds(key):
            self._write(self.path_of(key), blocks_of(path))
        return key

    def _holds(self, key: str) -> bool:
        """Whether the object is there and whole; updates its time of storage, so that it is not collected."""
        try:
            os.utime(self.path_of(key))
            return sha256_of(self.path_of(key)) == key.rpartition("/")[2]
        except OSError:  # missing, collected meanwhile, or unreadable: it is written again
            return False

    def put_named(self, name: str, path: Path) -> None:
        target = (self.root / name).resolve()
        if not target.is_relative_to(self.root.resolve()):
            raise NotFound("That name is outside the storage folder.", code="object_missing")
        self._write(target, blocks_of(path))

    def _write(self, target: Path, blocks: Iterator[bytes]) -> None:
        temporary = ""
        try:
            make_private(target.parent)
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
            os.link(self.path_of(key), to)  # a hard link, where the file system supports it
        except FileNotFoundError:
            raise NotFound("The stored object is missing.", code="object_missing") from None
        except OSError:
            shutil.copyfile(self.path_of(key), to)

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return b"".join(self.stream(key, start, end))

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        left = (self.size(key) if end is None else end) - start
        try:
            handle = self.path_of(key).open("rb")
        except FileNotFoundError:
            raise NotFound("The stored object is missing.", code="object_missing") from None
        with handle:
            handle.seek(start)
            while left > 0 and (block := handle.read(min(BLOCK, left))):
                left -= len(block)
                yield block

    def size(self, key: str) -> int:
        try:
            return self.path_of(key).stat().st_size
        except FileNotFoundError:
            raise NotFound("The stored object is missing.", code="object_missing") from None

    def delete(self, key: str) -> None:
        self.path_of(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[Entry]:
        for folder in sorted((self.root / prefix).glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if DIGEST.fullmatch(path.name) and path.name.startswith(folder.name):
                    yield from entry_of(path, f"{prefix}/{path.name}")

    def collect(self, key: str, *, before: datetime) -> bool:
        path = self.path_of(key)
        aside = path.with_name(f".part-gone-{path.name}")
        try:
            # Renamed before it is examined: a concurrent put of the same bytes does not find it and writes it again.
            path.rename(aside)
            if aside.stat().st_mtime >= before.timestamp():
                os.link(aside, path)
                aside.unlink()
                return False
            aside.unlink()
        except FileNotFoundError:
            return True
        except FileExistsError:  # written again meanwhile
            aside.unlink(missing_ok=True)
            return False
        return True

    def restore(self, key: str, data: bytes) -> None:
        must_fit(key, data)
        self._write(self.path_of(key), iter([data]))

    def leftovers(self) -> Iterator[Entry]:
        for path in sorted(self.root.glob("**/.part-*")):
            yield from entry_of(path, path.relative_to(self.root).as_posix())

    def drop_leftover(self, name: str) -> None:
        path = (self.root / name).resolve()
        if path.name.startswith(".part-") and path.is_relative_to(self.root.resolve()):
            path.unlink(missing_ok=True)
