"""Resource limits of an import. Uploads are untrusted: limits are checked before memory or disk is used."""

from __future__ import annotations

from voxloop.child import Document

MIB = 1 << 20
OVERRULE = "If you know that it is right, send it again and say why under “Take in nevertheless”."


class Limits(Document, frozen=True):
    """Limits of one import. There is none of packed to unpacked size: a mask of one lesion, or a slice of one value,
    packs a thousandfold and is no bomb. What may be unpacked is bounded by absolute sizes, and by what headers promise.
    """

    most_files: int = 20_000
    most_file_bytes: int = 512 * MIB
    most_unpacked_bytes: int = 8192 * MIB
    most_slices: int = 3000
    most_voxels: int = 400_000_000  # 1,500 slices of 512×512
    least_slices: int = 5
    is_overruled: bool = False  # a person takes in what is doubtful, and said why
