"""The state folder of one machine: its card (`demo.json`), keys and database, and whether they belong together."""

import json
import secrets
from pathlib import Path
from typing import Any

from voxloop.embedded.identity import WHERE, Identity, has_cluster, keep_identity
from voxloop.embedded.messages import StartError
from voxloop.embedded.postgres import EmbeddedPostgres
from voxloop.embedded.private import write_private

CARD, KEYS = "demo.json", "secrets.json"
KEY_NAMES = ("secret", "audit")
UNFINISHED = "restore.json"  # lies in the folder while it is being restored
PUT_BACK = "put the file back (manage.py restore brings it from a back-up)"


class StateFolder:
    """One folder with `demo.json`, `secrets.json`, `postgres/`, `objects/` and `log/`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = EmbeddedPostgres(path / "postgres", owner=path)

    def check_whole(self) -> bool:
        """Whether its database must exist; raises `StartError` when a part of the folder is missing."""
        card = self.read_card()
        if (self.path / UNFINISHED).exists():
            raise StartError(f"A restore into {self.path} has not finished: run the same manage.py restore again.")
        identity = self.identify()
        must_exist = identity.has_database or is_complete(card)
        folder = self.postgres.folder
        if must_exist or has_cluster(folder) or (folder / WHERE).exists():
            for name, what in ((CARD, "its log-ins"), (KEYS, "the keys that sign and seal what it holds")):
                if not (self.path / name).exists():
                    raise StartError(
                        f"{self.path / name} is gone, and with it {what}, but the database was made with it: "
                        f"{PUT_BACK}, or start over with --reset."
                    )
        return must_exist

    def identify(self) -> Identity:
        """The folder's identity; older versions recorded only the folder's path, in the card."""
        return keep_identity(self.path, came_from=self.read_card().get("state"))

    def read_card(self) -> dict[str, Any]:
        """The content of `demo.json`; empty where there is none."""
        path = self.path / CARD
        try:
            return dict(json.loads(path.read_text())) if path.exists() else {}
        except (ValueError, TypeError) as error:
            raise StartError(f"{path} cannot be read: {PUT_BACK}.") from error

    def write_card(self, card: dict[str, Any]) -> None:
        """Write `demo.json` (mode 0600) atomically."""
        write_private(self.path / CARD, json.dumps(card, indent=2) + "\n")

    def keep_keys(self) -> None:
        """Create `secrets.json` for a new folder, before the database that depends on it."""
        path = self.path / KEYS
        if not path.exists():
            write_private(path, json.dumps({name: secrets.token_urlsafe(48) for name in KEY_NAMES}))

    def keys(self) -> dict[str, Any]:
        """The content of `secrets.json`: the keys by name, and under `old` earlier secret keys."""
        path = self.path / KEYS
        try:
            kept = json.loads(path.read_text())
            return {**kept, **{name: str(kept[name]) for name in KEY_NAMES}}
        except OSError as error:
            raise StartError(f"{path} is gone: {PUT_BACK}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise StartError(f"{path} cannot be read: {PUT_BACK}.") from error

    def environment(self) -> dict[str, str]:
        """The environment variables for processes using this folder; the database must be prepared."""
        kept = self.keys()
        return {
            "VOXLOOP_DATABASE": self.postgres.url,
            "VOXLOOP_STATE": str(self.path),
            "VOXLOOP_STORAGE": f"file://{self.path / 'objects'}",
            "VOXLOOP_SECRET_KEY": kept["secret"],
            "VOXLOOP_AUDIT_KEY": kept["audit"],
            "VOXLOOP_OLD_SECRET_KEYS": " ".join(kept.get("old", [])),
            "VOXLOOP_DEMO": str(self.path / CARD),
            "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
        }

    def owner_environment(self) -> dict[str, str]:
        """The same for `prepare_installation`, which alone gets the owner role."""
        return {**self.environment(), "VOXLOOP_OWNER_DATABASE": self.postgres.owner_url}


def is_complete(card: dict[str, Any]) -> bool:
    """Whether the creation of the demonstration has finished."""
    return card.get("demonstration") == "complete"
