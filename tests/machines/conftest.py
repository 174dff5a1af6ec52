"""Many machines, started once for all their tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched
from tests.journeys.story import tell_the_story
from tests.machines.machines import Machines, many_machines


@pytest.fixture(scope="package")
def machines() -> Iterator[Machines]:
    """Everything that docker/compose.yaml starts, with a certificate, two web machines and two workers."""
    with many_machines() as running:
        yield running


@pytest.fixture(scope="package")
def loop(machines: Machines, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Machines:
    """The machines after running the whole loop on them."""
    watched = Watched()
    folder = tmp_path_factory.mktemp("story")
    try:
        tell_the_story(machines, lambda name: None, folder, browser, watched, ignore_https_errors=True)
        watched.check()
    except BaseException as error:
        error.add_note(machines.logs())
        raise
    return machines
