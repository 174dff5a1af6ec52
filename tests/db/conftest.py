"""Fixtures of database tests."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.work.batches import create_batch, publish_batch
from tests.factories.kept_world import again
from tests.factories.world import World, approve, build_world, label


def _build_approved() -> World:
    world = build_world(scans=9)
    taken = [scan.pk for scan in world.scans[:6]]
    batch = create_batch(
        campaign=world.campaign, actor=world["coordinator"], scan_ids=taken, assignee=world["annotator"]
    )
    publish_batch(batch_id=batch.pk, actor=world["coordinator"])
    for position, assignment in enumerate(batch.assignments.select_related("scan", "campaign")):
        label(world, assignment, is_empty=position == 3)
        approve(world, assignment)
    return world


@pytest.fixture
def approved() -> World:
    """Nine scans of three sites; two of each site are approved, one of them (site b) confirmed empty."""
    return again(_build_approved)


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Callable[..., Any]:
    """Call a function, then its on_commit callbacks: a test's transaction is never committed."""

    def call(work: Callable[..., Any], *args: Any, **options: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return work(*args, **options)

    return call
