"""The one way to write a JSON document that is hashed or sealed."""

import hashlib
import json
from typing import Any


def canonical_json(document: Any, *, ascii_only: bool = False) -> bytes:
    """Sorted keys, no spaces, UTF-8. Raises ValueError for NaN and infinity.

    `ascii_only` writes other letters as `\\uXXXX`: the form that seals in existing logs and back-ups cover."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only, allow_nan=False)
    return text.encode()


def canonical_hash(document: Any) -> str:
    """sha256 (hex) over the canonical form."""
    return hashlib.sha256(canonical_json(document)).hexdigest()
