"""The whole product as real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import Product, new_database


@pytest.fixture
def product(tmp_path: Path, django_db_blocker: object) -> Iterator[Product]:
    """A migrated, empty product; the test starts what it needs."""
    with new_database() as database:
        running = Product(tmp_path, database)
        try:
            running.manage("prepare_broker", "--migrate")
            yield running
        finally:
            running.stop()
