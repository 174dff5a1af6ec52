"""Checks before a submission: mask and answers must be consistent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np

from annotation.masks.models import MaskRevision
from annotation.masks.nifti import geometry_of
from annotation.masks.store import chunks_of
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from annotation.work.questions import Question
from annotation.work.schema import Schema
from voxloop.storage.objects import Store
from voxloop.storage.reading import read_object
from voxloop.volume.labelmap import ERASED, decode_chunk, decode_message

MOST_OUTSIDE_LUNG_ML = 1.0


class Jump(TypedDict, total=False):
    """Location of a problem: a question, a layer, or a voxel of the scan."""

    question: str | None
    layer: str
    ijk: tuple[int, int, int] | None


@dataclass(frozen=True)
class Interlock:
    """One problem. One that is not `blocking` can be acknowledged."""

    code: str
    message: str
    blocking: bool = True
    jump: Jump = field(default_factory=Jump)


def check_interlocks(
    *, scan: Scan, schema: Schema, answers: Mapping[str, Any], masks: Mapping[str, MaskRevision | None], store: Store
) -> list[Interlock]:
    """All problems of submitting this mask with these answers."""
    found = list_unanswered(schema, answers)
    geometry = geometry_of(scan)
    for layer in schema.editable_layers:
        revision = masks.get(layer.name)
        counts = {int(value): n for value, n in (revision.voxel_counts if revision else {}).items()}
        total = sum(counts.values())
        infectious = sum(counts.get(segment.id, 0) for segment in layer.segments if segment.infectious)
        meaning, question = _meaning(schema, answers)
        if meaning == "no_infection" and infectious:
            found.append(
                Interlock(
                    "no_signs_with_mask",
                    f"“{_label(question, answers)}” is chosen, but {geometry.amount(infectious):.1f} {geometry.unit} "
                    "are marked as infectious.",
                    jump={"layer": layer.name, "question": question.key if question else None},
                )
            )
        if meaning == "infection" and not infectious:
            found.append(
                Interlock(
                    "finding_without_mask",
                    f"“{_label(question, answers)}” is chosen, but nothing is marked as infectious.",
                    jump={"question": question.key if question else None},
                )
            )
        confirmed = answers.get("confirmed_empty") is True
        can_confirm = any(question.key == "confirmed_empty" for question in schema.questions)
        if confirmed and total:
            found.append(
                Interlock(
                    "confirmed_empty_with_mask",
                    f"The scan is confirmed as empty, but {geometry.amount(total):.1f} {geometry.unit} are marked.",
                    jump={"layer": layer.name, "question": "confirmed_empty"},
                )
            )
        if can_confirm and not confirmed and not total:
            found.append(
                Interlock(
                    "empty_not_confirmed",
                    "Nothing is marked. If there is nothing to mark, confirm that the scan is empty.",
                    jump={"question": "confirmed_empty"},
                )
            )
        outside, ijk = outside_lung(scan, revision, store) if layer.limit == "lungs" else (0, None)
        outside_ml = outside * geometry.voxel_ml
        if outside_ml > MOST_OUTSIDE_LUNG_ML:
            found.append(
                Interlock(
                    "mask_outside_lung",
                    f"{outside_ml:.1f} mL of the mask lie outside the lungs.",
                    blocking=False,
                    jump={"ijk": ijk},
                )
            )
    return found


def list_unanswered(schema: Schema, answers: Mapping[str, Any]) -> list[Interlock]:
    """The shown, required questions without an answer."""
    return [
        Interlock("question_unanswered", f"“{question.text}” has no answer.", jump={"question": question.key})
        for question in schema.shown_questions(answers)
        if question.required and question.key not in answers
    ]


def outside_lung(scan: Scan, revision: MaskRevision | None, store: Store) -> tuple[int, tuple[int, int, int] | None]:
    """Number of marked voxels outside the lung limit, and the first of them as ijk. 0 where there is no limit."""
    if revision is None or not revision.chunks or not scan.limit_key:
        return 0, None
    shape_zyx = ready_volume(scan).shape_zyx
    limit = decode_message(read_object(store, scan.limit_key), shape_zyx).chunks
    outside, first = 0, None
    for index, payload in chunks_of(revision, shape_zyx).items():
        labels = decode_chunk(payload)
        marked = (labels > 0) & (labels != ERASED)
        if index in limit:
            marked &= decode_chunk(limit[index]) == 0
        n = int(np.count_nonzero(marked))
        if n and first is None:
            z, y, x = (int(v) for v in np.argwhere(marked)[0])
            first = (index[2] * 32 + x, index[1] * 32 + y, index[0] * 32 + z)
        outside += n
    return outside, first


def _meaning(schema: Schema, answers: Mapping[str, Any]) -> tuple[str, Question | None]:
    for question in schema.questions:
        for option in question.options:
            if option.means and answers.get(question.key) == option.value:
                return option.means, question
    return "", None


def _label(question: Question | None, answers: Mapping[str, Any]) -> str:
    if question is None:
        return ""
    return next((option.label for option in question.options if option.value == answers.get(question.key)), "")
