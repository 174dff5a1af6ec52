"""What of a scan was looked at, as the viewer measured it: one bit an axial slice, and how many lesions were visited.

Kept with an assignment as `{"slices": base64, "lesions": [visited, all]}`; sessions and tabs add up. Bit `z % 8` of
byte `z // 8` says that slice z was shown at full resolution long enough to be seen (docs/formats.md)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxloop.kernel.errors import Invalid

ENOUGH_SLICES = 0.8  # a reader pages over the slices beyond the lungs


@dataclass(frozen=True)
class Seen:
    """`slices` of `depth` axial slices were seen; `lesions`: visited and all, None where nothing was reported."""

    slices: int
    depth: int
    lesions: tuple[int, int] | None
    first_unseen: int | None

    @property
    def share(self) -> float:
        return self.slices / self.depth if self.depth else 1.0

    @property
    def is_enough(self) -> bool:
        visited, lesions = self.lesions or (0, 0)
        return self.share >= ENOUGH_SLICES and visited >= lesions

    @property
    def words(self) -> str:
        """ "Slices seen 12 %, no lesion visited"."""
        visited, lesions = self.lesions or (0, 0)
        words = f"Slices seen {int(100 * self.share)} %"
        if not lesions:
            return words
        return f"{words}, {visited if visited else 'no'} {'lesion' if not visited else f'of {lesions} lesions'} visited"

    def to_json(self) -> dict[str, Any]:
        return {"slices": self.slices, "of": self.depth, "lesions": self.lesions and list(self.lesions)}


def read_seen(kept: Mapping[str, Any], depth: int) -> Seen:
    """What is kept with an assignment, of a scan of `depth` slices."""
    bits = _bits(kept.get("slices", ""), depth)
    lesions = kept.get("lesions")
    unseen = np.flatnonzero(~bits)
    return Seen(
        slices=int(bits.sum()),
        depth=depth,
        lesions=(int(lesions[0]), int(lesions[1])) if lesions else None,
        first_unseen=int(unseen[0]) if unseen.size else None,
    )


def add_seen(
    kept: Mapping[str, Any], depth: int, *, slices: str | None, lesions: tuple[int, int] | None
) -> dict[str, Any]:
    """`kept` with a report added: slices add up, lesions are those of the newest mask. Raises Invalid (`bad_seen`)."""
    added = dict(kept)
    if slices is not None:
        bits = _bits(kept.get("slices", ""), depth) | _bits(slices, depth)
        added["slices"] = base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()
    if lesions is not None:
        if lesions[0] > lesions[1]:
            raise Invalid("More lesions are visited than there are.", code="bad_seen")
        added["lesions"] = list(lesions)
    return added


def _bits(text: str, depth: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """One truth value a slice. Raises Invalid for what is no base64 or of another length; empty: none was seen."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The slices seen are no base64.", code="bad_seen") from error
    if not data:
        return np.zeros(depth, np.bool_)
    if len(data) != (depth + 7) // 8:
        raise Invalid(f"{depth} slices are {(depth + 7) // 8} bytes, not {len(data)}.", code="bad_seen")
    return np.unpackbits(np.frombuffer(data, np.uint8), count=depth, bitorder="little").astype(np.bool_)
