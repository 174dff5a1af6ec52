"""A state is a member of its enum, and changes through its table only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import TextChoices

from annotation.datasets.states import RELEASE, ReleaseState
from annotation.learning.states import (
    MODEL_VERSION,
    PRE_ANNOTATION,
    TRAINING_RUN,
    ModelState,
    PreAnnotationState,
    RunState,
)
from annotation.reviews.states import (
    ARBITRATION,
    CERTIFICATE,
    COMMENT,
    REVIEW_ROUND,
    TRIAL,
    ArbitrationState,
    CertificateState,
    CommentState,
    RoundState,
    TrialState,
)
from annotation.scans.states import SCAN, ScanState
from annotation.work.states import ASSIGNMENT, BATCH, AssignmentState, BatchState
from voxloop.jobs.states import JOB, JobState
from voxloop.kernel.states import StateTable

ROOT = Path(__file__).resolve().parents[2]
ENUMS: list[tuple[StateTable[Any], type[TextChoices]]] = [
    (SCAN, ScanState),
    (BATCH, BatchState),
    (ASSIGNMENT, AssignmentState),
    (REVIEW_ROUND, RoundState),
    (COMMENT, CommentState),
    (CERTIFICATE, CertificateState),
    (TRIAL, TrialState),
    (ARBITRATION, ArbitrationState),
    (TRAINING_RUN, RunState),
    (MODEL_VERSION, ModelState),
    (PRE_ANNOTATION, PreAnnotationState),
    (RELEASE, ReleaseState),
    (JOB, JobState),
]
# Files that may set a state, and a class of the demonstration whose `state` is a folder.
DOOR = "platform/voxloop/kernel/states.py"
FOLDER = "platform/voxloop/embedded/demo.py"
WORDS = {state for table, _ in ENUMS for state in table.states}
WRITES = {"update", "create", "get_or_create", "update_or_create"}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("annotation", "platform/voxloop"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and name not in (DOOR, FOLDER):
                yield name, ast.parse(path.read_text())


def _walk(tree: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr))


def _sets_a_state(node: ast.AST) -> bool:
    """An assignment to `.state`, a write of the field by name, or the field among the values of a write."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = [
            each for target in node.targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    if any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets):
        return True
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "setattr":
            return any(isinstance(each, ast.Constant) and each.value == "state" for each in node.args)
        is_model = called in {"Scan", "Batch", "Assignment", "ReviewRound", "Comment", "TrainingRun", "ModelVersion"}
        is_model |= called in {"PreAnnotation", "Release", "Job", "Trial", "Arbitration"}
        written: set[object] = {keyword.arg for keyword in node.keywords}
        for keyword in node.keywords:
            if keyword.arg == "defaults" and isinstance(keyword.value, ast.Dict):
                written |= {key.value for key in keyword.value.keys if isinstance(key, ast.Constant)}
        return (called in WRITES or is_model) and "state" in written
    return False


def _bare_words(node: ast.AST) -> list[str]:
    """The states written as plain text in a comparison with `.state`, in a filter, or in a move."""
    values: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Attribute) and side.attr == "state" for side in sides):
            values = sides
    elif isinstance(node, ast.Call):
        values = [each.value for each in node.keywords if each.arg and re.search(r"(^|_)state(__in)?$", each.arg)]
        if isinstance(node.func, ast.Name) and node.func.id == "advance":
            values += node.args[1:]
    flat = [each for value in values for each in (value.elts if hasattr(value, "elts") else [value])]
    return [each.value for each in flat if isinstance(each, ast.Constant) and each.value in WORDS]


@pytest.mark.parametrize(("table", "enum"), ENUMS, ids=lambda each: getattr(each, "thing", ""))
def test_a_table_knows_every_state_of_its_enum(table: Any, enum: Any) -> None:
    assert table.states == set(enum)


def test_no_place_but_the_table_sets_a_state() -> None:
    found = [f"{name}:{node.lineno}" for name, tree in _sources() for node in _walk(tree) if _sets_a_state(node)]
    assert found == []


def test_no_state_is_a_bare_word() -> None:
    found = [
        f"{name}:{node.lineno} {words}"
        for name, tree in _sources()
        for node in _walk(tree)
        if (words := _bare_words(node))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "job.state = new",
        "job.state, job.fence = new, 1",
        "rows.update(state=new)",
        "Job(state=new)",
        "setattr(job, 'state', new)",
        "Job.objects.get_or_create(state=new)",
        "Job.objects.get_or_create(key=1, defaults={'state': new})",
    ],
)
def test_the_check_sees_a_state_that_is_set(line: str) -> None:
    assert any(_sets_a_state(node) for node in ast.walk(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "job.state == 'queued'",
        "job.state in ('queued', JobState.LOST)",
        "rows.filter(scan__state='ready')",
        "rows.filter(state__in=['ready'])",
        "advance(scan, 'ready', table=SCAN)",
    ],
)
def test_the_check_sees_a_bare_word(line: str) -> None:
    assert any(_bare_words(node) for node in ast.walk(ast.parse(line)))
