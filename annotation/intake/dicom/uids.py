"""UIDs made from content, for objects that come without one and for phantoms."""

import hashlib


def derive_uid(*words: str) -> str:
    """A UID under `2.25.` (PS3.5 B.2) that is the same for the same words."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
