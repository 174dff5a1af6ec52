"""Copy immutable objects from one store to another, verifying each."""

from collections.abc import Callable, Iterable

from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.directory import BucketDirectory, LocalDirectory, local_copy
from voxloop.storage.objects import Store, sha256_of

Tell = Callable[[int, str], None]  # percent, message


def held_objects(directory: LocalDirectory | BucketDirectory) -> dict[str, int]:
    """Keys of the objects in a directory, with their lengths in bytes."""
    held = {}
    for name, size in directory.names("objects"):
        parts = name.split("/")
        held[f"{parts[1]}/{parts[-1]}"] = size
    return held


def copy_object(key: str, source: Store, target: Store) -> int:
    """Copy one object; returns its length in bytes. Raises NotFound, or Conflict `object_damaged`."""
    prefix, _, digest = key.rpartition("/")
    with local_copy(source, key) as path:
        if sha256_of(path) != digest:
            raise Conflict(f"The object {key} is damaged.", code="object_damaged")
        target.put_file(prefix, path)
        return path.stat().st_size


def is_intact(store: Store, key: str) -> bool:
    """Whether an object exists and matches its key."""
    try:
        with local_copy(store, key) as path:
            return sha256_of(path) == key.rpartition("/")[2]
    except NotFound:
        return False


def with_progress(keys: Iterable[str], total: int, tell: Tell, message: str, start: int, end: int) -> Iterable[str]:
    """Yield the keys, reporting progress between two percentages."""
    for number, key in enumerate(keys):
        tell(start + (end - start) * number // max(1, total), f"{message} ({number} of {total})")
        yield key
