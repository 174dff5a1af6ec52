"""Check who signed a release: an Ed25519 signature (RFC 8032) of SHA256SUMS, and so of every file. Offline.

Part of every signed release, for `verify.py`. By hand: `openssl pkeyutl -verify -rawin -in SHA256SUMS -sigfile
SHA256SUMS.sig -pubin -inkey KEY.pem`."""

import hashlib
from pathlib import Path

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # the rest of a release is checked without it
    CAN_CHECK = False
else:
    CAN_CHECK = True

SUMS, SIGNATURE, KEY = "SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.pem"
Fault = tuple[str, str, str]  # file, code, message


def check(folder: Path, trusted: Path | None) -> tuple[str, Fault | None]:
    """The fingerprint of the key that signed the folder ("" for none), and what is wrong with the signature.

    The key beside the signature proves only that both belong together; `trusted` is the signer's public key (PEM) from
    elsewhere."""
    if not CAN_CHECK:
        install = "Checking the signature needs cryptography; install it (python3 -m pip install cryptography)."
        return "unchecked (needs cryptography)", (SIGNATURE, "unchecked", install) if trusted else None
    try:
        signature, own = (folder / SIGNATURE).read_bytes(), (folder / KEY).read_bytes()
    except OSError:
        return "", (SIGNATURE, "not_signed", "The release is not signed, or its signature was removed.")
    try:
        keys = [serialization.load_pem_public_key(pem) for pem in (own, trusted.read_bytes() if trusted else own)]
        names = [
            hashlib.sha256(
                key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            ).hexdigest()
            for key in keys
        ]
        if not isinstance(keys[1], Ed25519PublicKey):
            raise ValueError("not an Ed25519 key")
    except (OSError, ValueError) as error:
        return "", (KEY, "bad_key", f"The public key cannot be read ({error}); it must be Ed25519 as PEM.")
    if names[0] != names[1]:
        return "", (KEY, "other_signer", "Another key than the one given signed this release.")
    try:
        keys[1].verify(signature, (folder / SUMS).read_bytes())
    except (InvalidSignature, OSError):
        return "", (SIGNATURE, "bad_signature", f"The signature does not fit {SUMS}: it was made for another content.")
    return names[1], None
