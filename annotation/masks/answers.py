"""Save image-level answers; every save is a new row, the newest is valid."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.masks.models import AnswerSet
from annotation.masks.selectors import schema_of
from annotation.work.models import Assignment
from annotation.work.services import check_not_lost, lock_own, touch
from annotation.work.states import AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict


@transaction.atomic
def save_answers(*, assignment_id: UUID, values: Mapping[str, Any], actor: User) -> AnswerSet:
    """Replace all answers: a question not in `values` has no answer. Raises Conflict, Invalid (`bad_answers`)."""
    return _save(_lock(assignment_id, actor), values, actor)


@transaction.atomic
def change_answers(*, assignment_id: UUID, changes: Mapping[str, Any], actor: User) -> AnswerSet:
    """Save these answers and leave the others, so that two tabs never undo each other; `None` removes one."""
    assignment = _lock(assignment_id, actor)
    newest = AnswerSet.objects.filter(assignment=assignment).first()
    return _save(assignment, {**(newest.values if newest else {}), **changes}, actor)


def copy_answers(*, source: AnswerSet | None, assignment: Assignment) -> None:
    """Start an assignment from these answers (a review starts from the submitted ones)."""
    newest = AnswerSet.objects.filter(assignment=assignment).first()
    if source is not None and (newest is None or newest.values != source.values):
        AnswerSet.objects.create(assignment=assignment, author=source.author, values=source.values)


def _lock(assignment_id: UUID, actor: User) -> Assignment:
    assignment = lock_own(assignment_id, actor)
    check_not_withdrawn(assignment.scan)
    if assignment.state != AssignmentState.OPEN:
        check_not_lost(assignment, actor)
        raise Conflict(f"This scan is {assignment.state}; its answers can no longer be changed.", code="not_editable")
    return assignment


def _save(assignment: Assignment, values: Mapping[str, Any], actor: User) -> AnswerSet:
    clean = schema_of(assignment).check_answers(values)
    newest = AnswerSet.objects.filter(assignment=assignment).first()
    if newest is not None and newest.values == clean:
        return newest
    answers = AnswerSet.objects.create(assignment=assignment, author=actor, values=clean)
    touch(assignment)
    record(actor=actor, action="answers.saved", target=assignment, old=newest and newest.values, new=clean)
    return answers
