"""The moves between states, written a second time: a move that is added or lost is a change of the product."""

from types import SimpleNamespace
from typing import Any

import pytest

from annotation.datasets.states import EXPORTABLE, RELEASE
from annotation.learning.states import MODEL_VERSION, PRE_ANNOTATION, TRAINING_RUN
from annotation.reviews.states import ARBITRATION, CERTIFICATE, COMMENT, REVIEW_ROUND, TRIAL
from annotation.scans.states import SCAN, ScanState
from annotation.work.states import ASSIGNMENT, BATCH
from voxloop.jobs.states import JOB
from voxloop.kernel.errors import Conflict
from voxloop.kernel.states import StateTable

# By table: each state, and those that it leads to.
MOVES: list[tuple[StateTable[Any], dict[str, str]]] = [
    (
        SCAN,
        {
            "received": "screening rejected failed",
            "screening": "converting rejected failed",
            "converting": "ready rejected failed",
            "ready": "withdrawn erased",
            "withdrawn": "erased",
            "rejected": "erased",
            "failed": "erased",
            "erased": "",
        },
    ),
    (
        BATCH,
        {
            "draft": "published cancelled",
            "published": "in_progress closed cancelled",
            "in_progress": "submitted closed cancelled",
            "submitted": "in_progress in_review accepted closed",
            "in_review": "in_progress returned accepted closed",
            "returned": "in_progress submitted closed cancelled",
            "accepted": "in_progress in_review closed",
            "closed": "",
            "cancelled": "",
        },
    ),
    (
        ASSIGNMENT,
        {
            "queued": "open reclaimed skipped blocked",
            "open": "submitted approved queued skipped blocked reclaimed",
            "submitted": "approved returned open skipped",
            "returned": "open reclaimed skipped submitted",
            "blocked": "open queued skipped reclaimed",
            "skipped": "queued",
            "approved": "submitted",
            "reclaimed": "",
        },
    ),
    (
        REVIEW_ROUND,
        {
            "pending": "claimed withdrawn taken_back approved arbitration",
            "claimed": "approved corrected returned pending withdrawn",
            "arbitration": "approved corrected pending withdrawn",
            "approved": "claimed",
            "corrected": "claimed",
            "returned": "claimed",
            "withdrawn": "",
            "taken_back": "",
        },
    ),
    (CERTIFICATE, {"drawn": "accepted failed cancelled", "accepted": "", "failed": "", "cancelled": ""}),
    (TRIAL, {"working": "passed failed cancelled", "passed": "", "failed": "", "cancelled": ""}),
    (
        ARBITRATION,
        {
            "waiting": "claimed cancelled",
            "claimed": "decided waiting cancelled",
            "decided": "",
            "cancelled": "",
        },
    ),
    (COMMENT, {"open": "resolved", "resolved": "reopened", "reopened": "resolved"}),
    (
        TRAINING_RUN,
        {
            "queued": "running failed cancelled lost",
            "running": "running evaluating failed cancelled lost",
            "evaluating": "running candidate failed cancelled lost",
            "candidate": "promoted rejected undecided",
            "undecided": "promoted rejected",
            "rejected": "promoted",
            "promoted": "",
            "failed": "",
            "cancelled": "",
            "lost": "",
        },
    ),
    (
        MODEL_VERSION,
        {
            "candidate": "champion rejected undecided",
            "undecided": "champion rejected",
            "champion": "replaced",
            "replaced": "champion",
            "rejected": "champion",
        },
    ),
    (PRE_ANNOTATION, {"requested": "ready discarded", "ready": "used discarded", "used": "", "discarded": ""}),
    (RELEASE, {"draft": "frozen", "frozen": "published yanked", "published": "yanked", "yanked": ""}),
    (
        JOB,
        {
            "queued": "running cancelled lost",
            "running": "running succeeded failed cancelled queued lost",
            "succeeded": "",
            "failed": "",
            "cancelled": "",
            "lost": "",
        },
    ),
]
# States that nobody enters without saying why.
REASONS = {
    "batch certificate": {"failed", "cancelled"},
    "certification": {"cancelled"},
    "arbitration": {"cancelled"},
    "scan": {"rejected", "failed", "withdrawn", "erased"},
    "assignment": {"skipped", "blocked", "reclaimed"},
    "release": {"yanked"},
    "training run": {"undecided", "rejected"},
    "model version": {"undecided", "rejected", "replaced"},
}
FIRST = {
    "scan": "received",
    "batch": "draft",
    "assignment": "queued",
    "review round": "pending",
    "comment": "open",
    "batch certificate": "drawn",
    "certification": "working",
    "arbitration": "waiting",
    "training run": "queued",
    "model version": "candidate",
    "pre-annotation": "requested",
    "release": "draft",
    "job": "queued",
}


@pytest.mark.parametrize(("table", "moves"), MOVES, ids=[table.thing for table, _ in MOVES])
def test_these_moves_and_no_others(table: StateTable[Any], moves: dict[str, str]) -> None:
    assert {str(state): set(map(str, to)) for state, to in table.moves.items()} == {
        state: set(to.split()) for state, to in moves.items()
    }
    assert table.initial == FIRST[table.thing]
    assert set(map(str, table.needs_reason)) == REASONS.get(table.thing, set())


def test_what_was_frozen_is_exported_until_it_is_yanked() -> None:
    assert set(map(str, EXPORTABLE)) == {"frozen", "published"}


def test_a_row_takes_a_new_state_only_by_a_move() -> None:
    row: Any = SimpleNamespace(state="ready")
    with pytest.raises(Conflict) as refused:
        SCAN.enter(row, ScanState.CONVERTING)
    assert (refused.value.code, refused.value.extra) == ("state_conflict", {"state": "ready"})
    assert "from here it can become erased, withdrawn" in refused.value.detail
    with pytest.raises(Conflict) as refused:
        SCAN.enter(row, ScanState.WITHDRAWN)
    assert refused.value.code == "reason_required"
    assert row.state == "ready"
    SCAN.enter(row, ScanState.WITHDRAWN, "the patient asked for it")
    assert row.state == "withdrawn"


def test_a_final_state_says_so() -> None:
    with pytest.raises(Conflict, match="nothing: it is final"):
        SCAN.check("erased", ScanState.READY)


def test_rows_are_updated_only_by_a_move() -> None:
    assert SCAN.change(ScanState.RECEIVED, ScanState.SCREENING) == {"state": "screening"}
    with pytest.raises(Conflict):
        SCAN.change(ScanState.READY, ScanState.SCREENING)
    with pytest.raises(Conflict) as refused:  # an update has no room for a reason
        SCAN.change(ScanState.RECEIVED, ScanState.REJECTED)
    assert refused.value.code == "reason_required"


def test_a_state_that_no_table_knows_leads_nowhere() -> None:
    assert not SCAN.allows("a state of yesterday", ScanState.READY)
    with pytest.raises(Conflict):
        SCAN.check("a state of yesterday", ScanState.READY)
