"""`--state FOLDER`: any command of Django, `backup`, `restore` and `doctor` among them, on one machine's state folder.

Its database is used where it runs, and started for the command where it does not.
"""

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voxloop.embedded.identity import keep_identity
from voxloop.embedded.messages import StartError
from voxloop.embedded.private import write_private
from voxloop.embedded.processes import lock_folder
from voxloop.embedded.state import KEYS, UNFINISHED, StateFolder


def take_state(arguments: list[str]) -> Path | None:
    """Remove `--state FOLDER` from the arguments and return the folder; None when it is not among them."""
    for number, argument in enumerate(arguments):
        if argument == "--state" and number + 1 < len(arguments):
            folder = arguments[number + 1]
            del arguments[number : number + 2]
            return Path(folder).resolve()
        if argument.startswith("--state="):
            del arguments[number]
            return Path(argument.partition("=")[2]).resolve()
    return None


@contextmanager
def state_for(command: str, path: Path) -> Iterator[None]:
    """The environment of the folder, with its database running, while the command runs."""
    if command == "restore":
        with _being_restored(path):
            yield
        return
    if not path.is_dir():
        raise StartError(f"There is no state folder {path}.")
    folder = StateFolder(path)
    if not folder.check_whole():
        raise StartError(f"{path} is not a state folder with a database.")
    if command == "change_secret_key":
        with lock_folder(path, "A demonstration"), _running(folder):
            kept = folder.keys()
            # The old key is kept for data that it sealed.
            changed = {**kept, "secret": secrets.token_urlsafe(48), "old": [kept["secret"], *kept.get("old", [])]}
            os.environ["VOXLOOP_SECRET_KEY"] = changed["secret"]
            os.environ["VOXLOOP_OLD_SECRET_KEYS"] = " ".join(changed["old"])
            yield
            write_private(path / KEYS, json.dumps(changed))
    else:
        with _running(folder):
            yield


@contextmanager
def _running(folder: StateFolder) -> Iterator[None]:
    """Use the running database, or start it and stop it afterwards."""
    if folder.postgres.join():
        os.environ.update(folder.environment())
        yield
        return
    folder.postgres.prepare(must_exist=True)
    with folder.postgres:
        os.environ.update(folder.environment() | {"VOXLOOP_IS_STOPPED": "1"})
        yield


@contextmanager
def _being_restored(path: Path) -> Iterator[None]:
    """A new folder with an empty database; marked as incomplete until the command succeeds."""
    if path.exists() and not (path / UNFINISHED).exists() and set(os.listdir(path)) - {"lock"}:
        raise StartError(f"{path} is not empty: restore into a new folder.")
    path.mkdir(parents=True, exist_ok=True, mode=0o711)
    with lock_folder(path, "A restore or a demonstration"):
        write_private(path / UNFINISHED, json.dumps({"arguments": sys.argv[1:]}))
        keep_identity(path)
        folder = StateFolder(path)
        with folder.postgres as server:
            os.environ |= {
                "VOXLOOP_DATABASE": server.url,
                "VOXLOOP_OWNER_DATABASE": server.owner_url,
                "VOXLOOP_STATE": str(path),
                "VOXLOOP_STORAGE": f"file://{path / 'objects'}",
                "VOXLOOP_RESTORE_INTO": str(path),
            }
            yield
        (path / UNFINISHED).unlink()
