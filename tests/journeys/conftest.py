"""The whole product as real processes."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from tests.product import Product, new_database

SECRET = "only-for-these-tests-" + uuid4().hex  # one for all: a database knows the keys that it was made with


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: object) -> Iterator[str]:
    """The name of a database with every table and no row of ours. Its copies are made in no time."""
    with new_database() as database:
        first = Product(tmp_path_factory.mktemp("migrated"), working_role(database), SECRET)
        first.manage("prepare_broker", "--migrate", VOXLOOP_OWNER_DATABASE=database)
        yield urlsplit(database).path.removeprefix("/")


@pytest.fixture
def product(tmp_path: Path, migrated: str) -> Iterator[Product]:
    """A migrated, empty product; the test starts what it needs.

    Its tables belong to another role than the working one, as in an installation, so journeys run with the working
    role's rights (docs/adr/0022). An external database (`VOXLOOP_DATABASE`) has one role for both."""
    with new_database(migrated) as database:
        running = Product(tmp_path, working_role(database), SECRET)
        try:
            yield running
        finally:
            running.stop()


def working_role(database: str) -> str:
    """The address with the role that does not own the tables."""
    address = urlsplit(database)
    lesser = os.environ.get("VOXLOOP_TEST_LESSER_ROLE")
    if lesser:
        address = address._replace(netloc=f"{lesser}@{address.hostname}:{address.port}")
    return urlunsplit(address)
