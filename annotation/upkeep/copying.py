"""Copy immutable objects from one store to another, each checked against its name."""

from collections.abc import Callable, Iterable

from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.place import FolderPlace, S3Place, local_copy
from voxloop.storage.store import FolderStore, S3Store, sha256_of

Tell = Callable[[int, str], None]  # percent, message


def held_objects(place: FolderPlace | S3Place) -> dict[str, int]:
    """Keys of the objects that a place has, with their bytes."""
    held = {}
    for name, size in place.names("objects"):
        parts = name.split("/")
        held[f"{parts[1]}/{parts[-1]}"] = size
    return held


def copy_object(key: str, source: FolderStore | S3Store, target: FolderStore | S3Store) -> int:
    """Copy one object; answer its bytes. Raises NotFound, or Conflict `object_damaged`: not what it is named."""
    prefix, _, digest = key.rpartition("/")
    with local_copy(source, key) as path:
        if sha256_of(path) != digest:
            raise Conflict(f"The object {key} is damaged.", code="object_damaged")
        target.put_file(prefix, path)
        return path.stat().st_size


def is_intact(store: FolderStore | S3Store, key: str) -> bool:
    """Whether an object is there and is what its name says."""
    try:
        with local_copy(store, key) as path:
            return sha256_of(path) == key.rpartition("/")[2]
    except NotFound:
        return False


def with_progress(keys: Iterable[str], total: int, tell: Tell, message: str, start: int, end: int) -> Iterable[str]:
    """The keys one after the other, telling how far it is between two percentages."""
    for number, key in enumerate(keys):
        tell(start + (end - start) * number // max(1, total), f"{message} ({number} of {total})")
        yield key
