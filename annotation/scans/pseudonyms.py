"""What names a patient becomes a code: HMAC by a campaign's own key. Nothing leads back without that key.

The key is 32 random bytes, made with the campaign's first import. It lies in the database, sealed (AES-GCM) by the
server's secret, and is opened only here (docs/adr/0020). It goes into no answer, log, job, report or release, nor into
the process that reads uploaded files.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from annotation.scans.models import PseudonymKey
from voxloop.kernel.errors import Conflict
from voxloop.kernel.ids import new_id

KEY_BYTES, NONCE_BYTES = 32, 12
CODE_SIGNS = 16  # 80 bits: two of a million subjects share a code with a chance of 4e-13


@dataclass(frozen=True)
class Pseudonyms:
    """Codes by one key. The key itself is kept out of `repr`, so that no log or trace shows it."""

    key_id: uuid.UUID
    _secret: bytes = field(repr=False)

    def uid(self, original: str) -> str:
        """A UID under `2.25.` (PS3.5 B.2, a version 8 UUID of RFC 9562) for an original one, whatever it names."""
        digest = bytearray(self._digest("uid", original)[:16])
        digest[6], digest[8] = digest[6] & 0x0F | 0x80, digest[8] & 0x3F | 0x80
        return f"2.25.{int.from_bytes(digest, 'big')}"

    def subject(self, site: str, *words: str) -> str:
        """The code of a patient of a site: two sites may use the same number for two people."""
        return "S-" + base64.b32encode(self._digest("subject", site, *words)).decode()[:CODE_SIGNS]

    def _digest(self, *words: str) -> bytes:
        return hmac.new(self._secret, "\0".join(words).encode(), hashlib.sha256).digest()


def make_key() -> PseudonymKey:
    """A new random key, sealed. Raises Conflict (`no_server_secret`) where the secret would not outlive the process."""
    name = new_id()
    return PseudonymKey.objects.create(pk=name, sealed=seal_secret(os.urandom(KEY_BYTES), name))


def seal_secret(secret: bytes, name: uuid.UUID) -> bytes:
    """A key's bytes as they are stored under its name. Raises Conflict (`no_server_secret`)."""
    if not settings.SEALING_SECRETS:
        raise Conflict(
            "Set VOXLOOP_SECRET_KEY before scans are imported: the keys of their pseudonyms are sealed by it.",
            code="no_server_secret",
        )
    return _seal(secret, name, settings.SEALING_SECRETS[0])


def open_key(key: PseudonymKey) -> Pseudonyms:
    """The codes of a key. Raises Conflict (`key_sealed`) when none of the server's secrets opens it."""
    return Pseudonyms(key.pk, _open(key)[0])


def count_sealed(keys: Iterable[PseudonymKey]) -> int:
    """How many keys none of the server's secrets opens."""
    return sum(_find_opener(key) is None for key in keys)


@transaction.atomic
def reseal_keys() -> int:
    """Seal every key by the present secret that an old one still had to open; answers how many."""
    changed = 0
    for key in PseudonymKey.objects.select_for_update().order_by("pk"):
        secret, opener = _open(key)
        if opener != settings.SEALING_SECRETS[0]:
            key.sealed = _seal(secret, key.pk, settings.SEALING_SECRETS[0])
            key.save(update_fields=["sealed"])
            changed += 1
    return changed


def _open(key: PseudonymKey) -> tuple[bytes, str]:
    opener = _find_opener(key)
    if opener is None:
        raise Conflict(
            "The key of this campaign's pseudonyms cannot be opened: the server's secret is not the one it was sealed "
            "by. Set VOXLOOP_SECRET_KEY back, or name the old one in VOXLOOP_OLD_SECRET_KEYS.",
            code="key_sealed",
        )
    return _unseal(key, opener), opener


def _find_opener(key: PseudonymKey) -> str | None:
    for secret in settings.SEALING_SECRETS:
        try:
            _unseal(key, secret)
        except InvalidTag:
            continue
        return str(secret)
    return None


def _cipher(secret: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"voxloop pseudonym keys").derive(secret.encode()))


def _seal(plain: bytes, name: uuid.UUID, secret: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(secret).encrypt(nonce, plain, name.bytes)


def _unseal(key: PseudonymKey, secret: str) -> bytes:
    sealed = bytes(key.sealed)
    return _cipher(secret).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], key.pk.bytes)
