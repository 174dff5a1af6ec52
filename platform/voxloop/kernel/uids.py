"""UIDs under `2.25.` (PS3.5 B.2): the decimal number of a UUID."""

import hashlib


def uid_of_digest(digest: bytes, version: int | None = None) -> str:
    """The UID of the first 16 bytes of a digest; with a `version`, as a UUID of RFC 9562."""
    number = bytearray(digest[:16])
    if version is not None:
        number[6], number[8] = number[6] & 0x0F | version << 4, number[8] & 0x3F | 0x80
    return f"2.25.{int.from_bytes(number, 'big')}"


def derive_uid(*words: str) -> str:
    """A UID derived from text (deterministic): for objects that come without one, and for phantoms."""
    return uid_of_digest(hashlib.sha256("\0".join(words).encode()).digest())


def exported_uid(*words: str) -> str:
    """A UID derived from text for what leaves the platform: reproducible exports, DICOMweb and reports that tell the
    same study of a scan that came without UIDs."""
    return uid_of_digest(hashlib.sha256("\x1f".join(words).encode()).digest(), version=4)
