"""The processes of docker/compose.yaml really run, and the whole loop passes on them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched
from tests.journeys.story import tell_the_story
from tests.machines.machines import Machines

pytestmark = pytest.mark.timeout(900)


def test_the_loop_closes_on_many_machines(machines: Machines, tmp_path: Path, browser: Browser) -> None:
    watched = Watched()
    try:
        tell_the_story(machines, lambda name: None, tmp_path, browser, watched, ignore_https_errors=True)
    except BaseException as error:
        error.add_note(machines.logs())
        raise
    watched.check()
    for machine in ("web-1", "web-2", "worker-1", "worker-2", "ml-1", "beat"):
        process = machines.processes[machine].running
        assert process is not None
        assert process.poll() is None, machine
