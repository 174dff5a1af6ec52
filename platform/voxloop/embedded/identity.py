"""Identity of a state folder, and where its database lies. `identity.json` identifies the state folder; `owner.json` in
the database's folder names its owner. With both, a moved folder finds its database, and a copied one is recognised as a
copy. Never creates an empty database for a folder that had one."""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from voxloop.embedded.messages import StartError
from voxloop.embedded.private import write_private
from voxloop.embedded.processes import is_open_to_others

IDENTITY, OWNER, WHERE = "identity.json", "owner.json", "WHERE"
SHELTER = Path("/var/lib/voxloop")
HOW_TO_COPY = (
    "to have it twice, make a back-up of that one and restore it elsewhere (manage.py backup, manage.py restore)"
)


class NotWhole(StartError):  # noqa: N818 - an answer, not a fault
    """The folder and its database do not belong together, or one of them is missing."""


@dataclass(frozen=True)
class Identity:
    """Identity of a state folder: a random name, its path when last used, whether it has a database."""

    id: str
    folder: str
    has_database: bool = False


def read_identity(folder: Path) -> Identity | None:
    """The content of `identity.json`; None where there is none. Raises `NotWhole` for an unreadable file."""
    path = folder / IDENTITY
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text())
        return Identity(str(kept["id"]), str(kept["folder"]), bool(kept["has_database"]))
    except (ValueError, KeyError, TypeError) as error:
        raise NotWhole(f"{path} cannot be read: restore it from a back-up of the folder.") from error


def keep_identity(folder: Path, *, came_from: str | None = None) -> Identity:
    """The folder's identity, created if missing; `came_from`: the folder's path as an older version recorded it."""
    found = read_identity(folder)
    if found is None:
        found = Identity(secrets.token_hex(16), came_from or str(folder.resolve()))
        write_private(folder / IDENTITY, json.dumps(asdict(found)) + "\n")
    return found


def note_database(owner: Path, folder: Path, home: Path) -> None:
    """Record that `owner` has its database in `home`, accessed as `folder`."""
    identity = replace(keep_identity(owner), folder=str(owner.resolve()), has_database=True)
    _write_if_changed(home / OWNER, {"id": identity.id, "folder": str(folder.resolve())})
    _write_if_changed(owner / IDENTITY, asdict(identity))


def choose_home(folder: Path, *, owner: Path, as_root: bool, must_exist: bool = False, shelter: Path = SHELTER) -> Path:
    """Where the database of `folder` lies or is to be created: there, or as root under `/var/lib/voxloop`. `owner` is
    the state folder; `must_exist`: its content shows that there was a database. Raises `NotWhole` when the database is
    missing, belongs to another folder, or cannot be accessed."""
    identity = keep_identity(owner)
    must_exist = must_exist or identity.has_database
    where = folder / WHERE
    if has_cluster(folder):
        home = folder
        if as_root and not is_open_to_others(folder / "data"):
            raise NotWhole(
                f"The database in {folder} runs as another user, who cannot access it: let others through every "
                "folder above it (chmod o+x), or move the state folder to where they are."
            )
    elif where.exists():
        home = Path(where.read_text().strip())
        must_exist = must_exist or not home.exists()
        if has_cluster(home) and not as_root:
            raise NotWhole(f"The database of {owner} lies in {home} and was made by root: start it as root.")
    elif as_root and not is_open_to_others(folder / "data"):
        home = shelter / identity.id[:16]
    else:
        home = folder
    if has_cluster(home):
        _check_owner(folder, owner, home, identity)
    elif must_exist:
        raise NotWhole(
            f"The database of {owner} is missing (it was in {home}): put it back, restore a back-up to another folder "
            "(manage.py restore), or start over with --reset."
        )
    return home


def has_cluster(home: Path) -> bool:
    """Whether there is a database."""
    return (home / "data" / "PG_VERSION").exists()


def _check_owner(folder: Path, owner: Path, home: Path, identity: Identity) -> None:
    """Raise `NotWhole` unless the database in `home` is this folder's and no other folder uses it."""
    try:
        kept = json.loads((home / OWNER).read_text())
    except (OSError, ValueError):
        kept = {}
    if kept and kept["id"] != identity.id:
        if identity.has_database or kept["folder"] != str(folder.resolve()):
            raise NotWhole(
                f"The database in {home} is not that of {owner}: put the folder back as it was, restore a back-up "
                "(manage.py restore), or start over with --reset."
            )
        # Only the folder's identity was lost: the database still has it.
        write_private(owner / IDENTITY, json.dumps(asdict(replace(identity, id=kept["id"]))) + "\n")
    before = Path(kept.get("folder") or Path(identity.folder) / folder.resolve().relative_to(owner.resolve()))
    if before == folder.resolve():
        return
    if home != folder and _points_to(before, home):
        raise NotWhole(f"{owner} is a copy of {before.parent}, whose database it would share: {HOW_TO_COPY}.")
    if home == folder and has_cluster(before) and _was_running(home):
        raise NotWhole(
            f"{owner} was copied from {before.parent} while its database ran, so the copy is inconsistent: "
            f"{HOW_TO_COPY}, or stop that one and copy it again."
        )


def _points_to(folder: Path, home: Path) -> bool:
    try:
        return Path((folder / WHERE).read_text().strip()) == home
    except OSError:
        return False


def _was_running(home: Path) -> bool:
    """Whether the cluster holds the lock file of a server that ran elsewhere."""
    try:
        return (home / "data" / "postmaster.pid").read_text().splitlines()[1] != str(home / "data")
    except (OSError, IndexError):
        return False


def _write_if_changed(path: Path, body: dict[str, object]) -> None:
    text = json.dumps(body) + "\n"
    if not path.exists() or path.read_text() != text:
        write_private(path, text)
