"""A model's coarse probability map of a finding, as stored and served (`docs/formats.md`)."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from voxloop.volume.errors import FormatError

# Values below 3 % are useless noise that would make up most of the bytes.
LEAST_VALUE = 8

Values = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ProbabilityEntry:
    """How to read the bytes of a map: each voxel is the mean of a `step_zyx` block of the scan, 255 = certain."""

    bytes: int
    shape_zyx: tuple[int, int, int]
    step_zyx: tuple[int, int, int]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ProbabilityEntry:
        """Raises `FormatError` when a field is missing or impossible."""
        try:
            z, y, x = (int(n) for n in document["shape_zyx"])
            sz, sy, sx = (int(n) for n in document["step_zyx"])
            entry = cls(int(document["bytes"]), (z, y, x), (sz, sy, sx))
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError("bad_probability", "The description of the probability map is incomplete.") from error
        if min(*entry.shape_zyx, *entry.step_zyx, entry.bytes) < 1:
            raise FormatError("bad_probability", "The probability map has an impossible size.")
        return entry

    def to_json(self) -> dict[str, Any]:
        """The fields of `probability` in a viewer context, without URL, model, layer and segment."""
        return {"bytes": self.bytes, "shape_zyx": list(self.shape_zyx), "step_zyx": list(self.step_zyx)}


def encode_probability(
    values_zyx: Values, step_zyx: tuple[int, int, int], scan_shape_zyx: tuple[int, int, int]
) -> tuple[bytes, ProbabilityEntry]:
    """gzip of the voxels, those below 3 % as 0. Raises `FormatError` unless blocks of that step tile the scan."""
    wanted = tuple(-(-n // s) for n, s in zip(scan_shape_zyx, step_zyx, strict=True))
    if values_zyx.dtype != np.uint8 or values_zyx.shape != wanted:
        raise FormatError("bad_probability", f"The probability map is {values_zyx.shape}, its scan needs {wanted}.")
    kept = np.where(values_zyx < LEAST_VALUE, np.uint8(0), values_zyx)
    data = gzip.compress(kept.tobytes(), 6, mtime=0)
    z, y, x = values_zyx.shape
    return data, ProbabilityEntry(len(data), (z, y, x), step_zyx)
