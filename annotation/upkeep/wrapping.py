"""Secrets of a back-up, encrypted with a passphrase (scrypt, AES-256-GCM)."""

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.conf import settings

from voxloop.kernel.errors import Invalid

COST = {"n": 1 << 15, "r": 8, "p": 1}  # 32 MiB and 0.1 s
FILES = ("secrets.json", "demo.json")  # of the state folder
SHORTEST = 8


def gather_secrets() -> dict[str, Any]:
    """The keys that the operator set, and the files of the state folder that hold keys and log-ins."""
    folder = Path(settings.STATE_DIR)
    names = {name: value for name, value in settings.KEPT_KEYS.items() if name in settings.KEYS_GIVEN}
    names |= {name: os.environ[name] for name in ("VOXLOOP_OLD_SECRET_KEYS",) if os.environ.get(name)}
    return {
        "keys": names,
        "files": {name: (folder / name).read_text() for name in FILES if (folder / name).exists()},
    }


def wrap(secrets: dict[str, Any], passphrase: str, *, name: str) -> bytes:
    """Encrypt a JSON document with the passphrase, bound to the back-up `name`."""
    if len(passphrase) < SHORTEST:
        raise Invalid(f"A passphrase has at least {SHORTEST} characters.", code="passphrase_short")
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_key(passphrase, salt, COST)).encrypt(nonce, json.dumps(secrets).encode(), name.encode())
    body = {"kdf": "scrypt", **COST, "salt": _text(salt), "cipher": "AES-256-GCM", "nonce": _text(nonce)}
    return json.dumps({**body, "sealed": _text(sealed)}, indent=1).encode()


def unwrap(document: bytes, passphrase: str, *, name: str) -> dict[str, Any]:
    """Decrypt what `wrap` made. Raises Invalid `passphrase_wrong` for another passphrase or a changed document."""
    try:
        body = json.loads(document)
        cost = {part: min(int(body[part]), 1 << 20) for part in COST}
        key = _key(passphrase, base64.b64decode(body["salt"]), cost)
        opened = AESGCM(key).decrypt(base64.b64decode(body["nonce"]), base64.b64decode(body["sealed"]), name.encode())
        return dict(json.loads(opened))
    except InvalidTag:
        raise Invalid(
            f"The passphrase does not open the secrets of the back-up {name}, or they were changed.",
            code="passphrase_wrong",
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(f"The secrets of the back-up {name} cannot be read.", code="backup_damaged") from error


def _key(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return Scrypt(salt=salt, length=32, **cost).derive(passphrase.encode())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
