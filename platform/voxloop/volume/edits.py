"""What a reader changed of a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voxloop.volume.labelmap import ERASED

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Edits:
    """Voxels of any segment: in the first mask, in the second, and in one of them only."""

    before: int
    after: int
    added: int
    removed: int

    @property
    def dice(self) -> float:
        """Dice of both; 1 for two empty masks."""
        total = self.before + self.after
        return 1 - (self.added + self.removed) / total if total else 1.0


def compare(before_zyx: Labels, after_zyx: Labels) -> Edits:
    """Labelmaps of one grid; erased voxels (255) are background. Another segment in the same place is no change."""
    first, second = ((labels > 0) & (labels != ERASED) for labels in (before_zyx, after_zyx))
    both = int(np.count_nonzero(first & second))
    before, after = int(np.count_nonzero(first)), int(np.count_nonzero(second))
    return Edits(before, after, added=after - both, removed=before - both)
