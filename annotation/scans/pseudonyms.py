"""Pseudonyms: HMAC of identifiers with the campaign's key; irreversible without that key. The key is 32 random bytes,
generated at the campaign's first import. It is stored in the database, encrypted (AES-GCM) with the server's secret,
and decrypted only here (docs/adr/0020). It never enters a response, log, job, report or release, nor the process that
reads uploaded files."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from annotation.scans.models import PseudonymKey
from voxloop.kernel.errors import Conflict
from voxloop.kernel.ids import new_id
from voxloop.kernel.uids import uid_of_digest

KEY_BYTES, NONCE_BYTES = 32, 12
MOST_ORIGIN_DAYS = 1_000_000  # longer than our calendar: no number tells a century
CODE_SIGNS = 16  # 80 bits: among a million subjects a collision has probability 4e-13


@dataclass(frozen=True)
class Pseudonyms:
    """Codes by one key. The key itself is kept out of `repr`, so that no log or trace shows it."""

    key_id: uuid.UUID
    _secret: bytes = field(repr=False)

    def uid(self, original: str) -> str:
        """The replacement of any original UID: a UID under `2.25.` (PS3.5 B.2, a version 8 UUID of RFC 9562)."""
        return uid_of_digest(self._digest("uid", original), version=8)

    def subject(self, site: str, *words: str) -> str:
        """The code of a patient of a site; sites may use the same number for different people."""
        return "S-" + base64.b32encode(self._digest("subject", site, *words)).decode()[:CODE_SIGNS]

    def day(self, subject: str, day: date) -> int:
        """A day as a number: days from an origin of the subject's own, so that only intervals within a subject mean
        anything. `subject` is its code."""
        return day.toordinal() - int.from_bytes(self._digest("day", subject)[:8], "big") % MOST_ORIGIN_DAYS

    def _digest(self, *words: str) -> bytes:
        return hmac.new(self._secret, "\0".join(words).encode(), hashlib.sha256).digest()


def make_key() -> PseudonymKey:
    """A new random key, sealed. Raises Conflict (`no_server_secret`) where the server has no permanent secret."""
    name = new_id()
    return PseudonymKey.objects.create(pk=name, sealed=seal_secret(os.urandom(KEY_BYTES), name))


def seal_secret(secret: bytes, name: uuid.UUID) -> bytes:
    """A key's bytes, sealed under its name. Raises Conflict (`no_server_secret`)."""
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
    """Re-seal with the current secret every key that only an old one opens; returns how many."""
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
            "by. Restore VOXLOOP_SECRET_KEY, or put the old one into VOXLOOP_OLD_SECRET_KEYS.",
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
