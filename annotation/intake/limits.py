"""What an import may cost. Uploads are hostile: every figure is checked before memory or disk is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Caps of one import. `most_ratio` is unpacked by packed bytes of one member of an archive."""

    most_files: int = 20_000
    most_file_bytes: int = 512 * MIB
    most_unpacked_bytes: int = 8192 * MIB
    most_ratio: int = 200
    most_slices: int = 3000
    most_voxels: int = 400_000_000  # 1,500 slices of 512×512
    least_slices: int = 5

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Limits:
        """From a request; fields that are left out keep their value."""
        return cls(**{field.name: int(document[field.name]) for field in fields(cls) if field.name in document})

    def to_json(self) -> dict[str, int]:
        """As a request carries them."""
        return asdict(self)
