"""Every pair of states of every table."""

import itertools
from typing import Any

import pytest

from annotation.datasets.states import RELEASE
from annotation.learning.states import MODEL_VERSION, PRE_ANNOTATION, TRAINING_RUN
from annotation.reviews.states import ARBITRATION, CERTIFICATE, COMMENT, REVIEW_ROUND, TRIAL
from annotation.scans.states import SCAN
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState
from voxloop.jobs.states import JOB
from voxloop.kernel.errors import Conflict
from voxloop.kernel.states import StateTable

TABLES = [
    SCAN,
    BATCH,
    ASSIGNMENT,
    REVIEW_ROUND,
    COMMENT,
    CERTIFICATE,
    TRIAL,
    ARBITRATION,
    TRAINING_RUN,
    MODEL_VERSION,
    PRE_ANNOTATION,
    RELEASE,
    JOB,
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.thing)
def test_every_pair_is_allowed_or_refused(table: StateTable[Any]) -> None:
    for old, new in itertools.product(sorted(table.states), repeat=2):
        if table.allows(old, new):
            table.check(old, new, "a reason")
        else:
            with pytest.raises(Conflict) as refused:
                table.check(old, new, "a reason")
            assert refused.value.code == "state_conflict"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.thing)
def test_every_state_can_be_reached(table: StateTable[Any]) -> None:
    reached, frontier = {table.initial}, [table.initial]
    while frontier:
        for state in table.moves[frontier.pop()] - reached:
            reached.add(state)
            frontier.append(state)
    assert reached == table.states


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.thing)
def test_a_reason_is_demanded_where_due(table: StateTable[Any]) -> None:
    for new in table.needs_reason:
        old = next(state for state in sorted(table.states) if table.allows(state, new))
        with pytest.raises(Conflict) as refused:
            table.check(old, new, "  ")
        assert refused.value.code == "reason_required"


def test_the_way_work_goes() -> None:
    assert ASSIGNMENT.moves["submitted"] == {"approved", "returned", "open", "skipped"}
    assert not ASSIGNMENT.allows("approved", AssignmentState.OPEN)
    assert not ASSIGNMENT.allows("reclaimed", AssignmentState.OPEN)
    assert SCAN.final == {"erased"}
    assert TRAINING_RUN.final == {"promoted", "failed", "cancelled", "lost"}
    assert TRAINING_RUN.moves["undecided"] == {"promoted", "rejected"}
    assert MODEL_VERSION.moves["undecided"] == {"champion", "rejected"}
