"""Many machines, started once for all their tests."""

from collections.abc import Iterator

import pytest

from tests.machines.machines import Machines, many_machines


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """Everything that docker/compose.yaml starts, with a certificate, two web machines and two workers."""
    with many_machines() as running:
        yield running
