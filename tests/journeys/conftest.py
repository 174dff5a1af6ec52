"""The whole product as real processes."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.product import Product, new_database


@pytest.fixture
def product(tmp_path: Path, django_db_blocker: object) -> Iterator[Product]:
    """A migrated, empty product; the test starts what it needs.

    Its tables belong to another role than the working one, as in an installation, so journeys run with the working
    role's rights (docs/adr/0022). An external database (`VOXLOOP_DATABASE`) has one role for both."""
    with new_database() as database:
        working = urlsplit(database)
        if lesser := os.environ.get("VOXLOOP_TEST_LESSER_ROLE"):
            working = working._replace(netloc=f"{lesser}@{working.hostname}:{working.port}")
        running = Product(tmp_path, urlunsplit(working))
        try:
            running.manage("prepare_broker", "--migrate", VOXLOOP_OWNER_DATABASE=database)
            yield running
        finally:
            running.stop()
