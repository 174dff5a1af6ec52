"""Sign exports with the installation's Ed25519 key, where it has one (`VOXLOOP_SIGNING_KEY`)."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings

from annotation.datasets.exporters.listing import Sign
from voxloop.kernel.errors import Conflict


def open_signer() -> Sign | None:
    """What signs the bytes of SHA256SUMS; None without a key. Equal bytes give an equal signature. Raises Conflict
    (`bad_signing_key`)."""
    if not settings.SIGNING_KEY:
        return None
    try:
        key = load_pem_private_key(Path(settings.SIGNING_KEY).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise _refusal() from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _refusal()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return lambda content: (key.sign(content), public)


def _refusal() -> Conflict:
    return Conflict(
        "The signing key of this server is not a readable Ed25519 key, so nothing was exported; an administrator mends "
        "VOXLOOP_SIGNING_KEY.",
        code="bad_signing_key",
    )
