"""The scans on which a challenger did worst, as outlines on one slice each, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mlservice.contract.requests import ScanRef
from mlservice.contract.results import Case, ScanScore
from mlservice.scans import Mask

MOST_SCORED, MOST_EMPTY = 4, 2
MARGIN_MM = 25.0
LEAST_SIDE_MM = 110.0


def choose_worst(challenger: Sequence[ScanScore], champion: Sequence[ScanScore], least_false_ml: float) -> list[str]:
    """Ids of the scored scans that lost most Dice (without a champion: have the lowest), then of the empty scans
    with most false mL, if that is above `least_false_ml`."""
    before = {score.id: score.dice or 0.0 for score in champion}
    scored = [score for score in challenger if score.dice is not None]
    scored.sort(key=lambda score: (score.dice or 0.0) - before.get(score.id, 0.0))
    empty = [each for each in challenger if each.reference_voxels == 0 and each.predicted_ml > least_false_ml]
    empty.sort(key=lambda score: -score.predicted_ml)
    return [score.id for score in [*scored[:MOST_SCORED], *empty[:MOST_EMPTY]]]


def draw_case(
    scan: ScanRef,
    masks: tuple[Mask, Mask, Mask | None],
    ours: ScanScore,
    theirs: ScanScore | None,
) -> Case:
    """`masks`: reference, challenger, champion (zyx). The slice is the one with most voxels that the challenger marked
    wrongly or missed."""
    reference, challenger, champion = masks
    wrong = (reference ^ challenger).sum(axis=(1, 2))
    k = int(wrong.argmax()) if wrong.any() else int(reference.sum(axis=(1, 2)).argmax())
    shown = reference[k] | challenger[k] | (champion[k] if champion is not None else False)
    rows, columns = reference.shape[1:]
    _, row_mm, column_mm = scan.spacing_mm_zyx
    return Case(
        scan=scan.id,
        site=scan.site,
        slice=k,
        rows=rows,
        columns=columns,
        row_mm=row_mm,
        column_mm=column_mm,
        window=_window(shown, row_mm, column_mm),
        dice=ours.dice,
        champion_dice=theirs.dice if theirs else None,
        predicted_ml=ours.predicted_ml,
        champion_ml=theirs.predicted_ml if theirs else None,
        reference_ml=ours.reference_ml,
        reference=outline(reference[k]),
        challenger=outline(challenger[k]),
        champion=outline(champion[k]) if champion is not None else None,
    )


def outline(inside_yx: npt.NDArray[np.bool_]) -> str:
    """The edge of a mask along its voxels' sides, as SVG path data: x to the right, y down, one unit a voxel."""
    padded = np.pad(inside_yx, 1)
    return _edges(padded, "h", swap=False) + _edges(padded.T, "v", swap=True)


def _edges(padded: npt.NDArray[np.bool_], command: str, *, swap: bool) -> str:
    """Runs of sides between one line of voxels and the next."""
    parts = []
    for line, sides in enumerate(padded[1:] ^ padded[:-1]):
        ends = np.flatnonzero(np.diff(np.concatenate(([0], sides.astype(np.int8), [0]))))
        for start, end in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True):
            x, y = (line, start - 1) if swap else (start - 1, line)
            parts.append(f"M{x} {y}{command}{end - start}")
    return "".join(parts)


def _window(shown_yx: npt.NDArray[np.bool_], row_mm: float, column_mm: float) -> tuple[int, int, int, int]:
    """A square part of the slice round all that is marked, in voxels; the whole slice where nothing is."""
    rows, columns = shown_yx.shape
    marked = np.argwhere(shown_yx)
    if not marked.size:
        return 0, 0, rows, columns
    (top, left), (bottom, right) = marked.min(axis=0), marked.max(axis=0) + 1
    side = max((bottom - top) * row_mm, (right - left) * column_mm) + 2 * MARGIN_MM
    side = max(side, LEAST_SIDE_MM)
    high, wide = min(rows, round(side / row_mm)), min(columns, round(side / column_mm))
    first_row = int(np.clip(round((top + bottom - high) / 2), 0, rows - high))
    first_column = int(np.clip(round((left + right - wide) / 2), 0, columns - wide))
    return first_row, first_column, int(high), int(wide)
