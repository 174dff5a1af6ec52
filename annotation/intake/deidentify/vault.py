"""What stays at the site: the key of each campaign, and whose code is whose. One file, sealed under a passphrase by
scrypt (RFC 7914) and AES-256-GCM; whoever finds it without the passphrase learns only its size."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from annotation.intake.deidentify.cleaning import Cleaned
from annotation.intake.deidentify.keys import KEY_BYTES, SiteKeys
from voxloop.child.documents import sync_folder
from voxloop.kernel.errors import Invalid

FORMAT = "voxloop-site-vault"
SALT_BYTES, NONCE_BYTES = 16, 12
COST, BLOCK, LANES = 1 << 16, 8, 1  # 64 MiB and about a quarter of a second for each guess
SHORTEST = 12


class Vault:
    """The opened file. Nothing of it is in `repr`; `save` replaces the file as a whole."""

    def __init__(self, path: Path, key: bytes, salt: bytes, campaigns: dict[str, Any]) -> None:
        self._path, self._key, self._salt, self._campaigns = path, key, salt, campaigns

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Vault:
        """The vault of a file, or a new one where there is none (`save` writes it).

        Raises Invalid: `weak_passphrase`, `wrong_passphrase`, `bad_vault`."""
        if not path.exists():
            if len(passphrase) < SHORTEST:
                raise Invalid(
                    f"A passphrase has at least {SHORTEST} characters; choose a longer one.", code="weak_passphrase"
                )
            salt = os.urandom(SALT_BYTES)
            return cls(path, _derive(passphrase, salt), salt, {})
        try:
            document = json.loads(path.read_bytes())
            if document["format"] != FORMAT:
                raise ValueError("another format")
            salt, nonce, sealed = (base64.b64decode(document[name]) for name in ("salt", "nonce", "sealed"))
            key = _derive(passphrase, salt)
            campaigns = json.loads(AESGCM(key).decrypt(nonce, sealed, FORMAT.encode()))
        except InvalidTag as error:
            raise Invalid(
                "The passphrase does not open the site's vault, or the file was changed; try the passphrase again, "
                "or restore the file from a back-up.",
                code="wrong_passphrase",
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Invalid(
                f"The file {path.name} is not a site's vault; restore it from a back-up.", code="bad_vault"
            ) from error
        return cls(path, key, salt, campaigns)

    def keys(self, campaign: str) -> SiteKeys:
        """The keys of a campaign; made when it has none."""
        entry = self._campaigns.setdefault(campaign, {"key": os.urandom(KEY_BYTES).hex(), "subjects": {}})
        return SiteKeys(bytes.fromhex(entry["key"]))

    def note(self, campaign: str, cleaned: Cleaned) -> None:
        """Keep whose code a file got, and of which series it is."""
        self.keys(campaign)
        subjects = self._campaigns[campaign]["subjects"]
        known = subjects.setdefault(
            cleaned.person.code, {**cleaned.patient, "shift_days": cleaned.person.shift_days, "series": {}}
        )
        known["series"][cleaned.series_code] = {"study_uid": cleaned.study_uid, "series_uid": cleaned.series_uid}

    def campaigns(self) -> list[str]:
        """The campaigns that it has keys for."""
        return sorted(self._campaigns)

    def subjects(self, campaign: str) -> dict[str, Any]:
        """`{code: {patient_id, name, birth_date, shift_days, series: {code: {study_uid, series_uid}}}}`."""
        found: dict[str, Any] = self._campaigns.get(campaign, {}).get("subjects", {})
        return found

    def save(self) -> None:
        """Write the file, readable by its owner only: a new one beside it, then renamed over it."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._key).encrypt(nonce, json.dumps(self._campaigns).encode(), FORMAT.encode())
        parts = {"salt": self._salt, "nonce": nonce, "sealed": sealed}
        document = {"format": FORMAT, **{name: base64.b64encode(part).decode() for name, part in parts.items()}}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        spare = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with open(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as handle:
            json.dump(document, handle)
            handle.flush()
            os.fsync(handle.fileno())
        spare.replace(self._path)
        sync_folder(self._path.parent)


def _derive(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=LANES).derive(passphrase.encode())
