"""The whole loop on the processes of docker/compose.yaml."""

import pytest

from tests.machines.machines import Machines

pytestmark = pytest.mark.timeout(900)


def test_the_loop_closes_on_many_machines(loop: Machines) -> None:
    """The fixture runs the loop; here: its release exists, and no process has ended."""
    assert list(loop.releases.glob("[!.]*/SHA256SUMS"))
    for machine in ("web-1", "web-2", "worker-1", "worker-2", "ml-1", "beat"):
        process = loop.processes[machine].running
        assert process is not None
        assert process.poll() is None, machine
