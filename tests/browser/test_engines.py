"""Firefox and the engine of Safari: one journey each, from the log-in to handing in."""

import io
from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from annotation.masks.selectors import head_of
from annotation.work.models import Assignment
from tests.browser.test_viewer_never_loses import server_hash
from tests.chromium import SHOTS
from tests.factories.world import PASSWORD, SHAPE, World, publish
from tests.faults import FaultyLine
from tests.firefox import launch_firefox
from tests.journeys.viewer import Viewer
from tests.product import wait_for
from tests.webdriver import WebDriverPage
from tests.webkit import launch_webkit

MIDDLE, CORNER = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2), (8, 8, SHAPE[0] // 2)
SURFACE = "[data-testid=pane-surface]"


@pytest.fixture
def rows(live_world: World) -> list[Assignment]:
    return list(publish(live_world).assignments.order_by("position"))


@pytest.fixture
def firefox(rows: list[Assignment], faulty_line: FaultyLine) -> Iterator[Page]:
    with launch_firefox() as driver:
        yield cast(Page, WebDriverPage(driver, faulty_line.url))  # as much of one as is used here


@pytest.fixture
def webkit(rows: list[Assignment], faulty_line: FaultyLine) -> Iterator[Page]:
    with launch_webkit() as driver:
        yield cast(Page, WebDriverPage(driver, faulty_line.url))


def log_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", "annotator")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.pathname === '/worklist/'")


def surface_pixels(page: Page) -> int:
    """Coloured pixels of the 3D pane, as they are on the screen: the mask. All else there is grey."""
    x, y, width, height = page.evaluate(
        f"() => {{ const at = document.querySelector('{SURFACE} canvas').getBoundingClientRect();"
        " return [at.x, at.y, at.width, at.height].map(Math.round); }"
    )
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        rgb = np.asarray(picture.convert("RGB"), np.int16)[y : y + height, x : x + width]
    return int((rgb.max(axis=2) - rgb.min(axis=2) > 60).sum())


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def draw_and_hand_in(page: Page, row: Assignment, line: FaultyLine, name: str) -> None:
    """Open, draw, undo, redo, reload, draw on without a network, hand in."""
    page.goto(f"/view/{row.pk}/")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    assert surface_pixels(page) == 0
    viewer.stroke("g", MIDDLE)
    wait_for("the mask in the 3D pane", lambda: surface_pixels(page) > 100)
    shoot(page, f"{name}-drawn")
    drawn = viewer.mask_hash()
    page.keyboard.press("Control+z")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 0")
    wait_for("an empty 3D pane", lambda: surface_pixels(page) == 0)
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_function("() => Object.keys(voxloop.counts()).length === 1")
    viewer.wait_saved()

    page.reload()  # scripts of workers come out of the browser's cache, by a 304
    viewer.wait_ready()
    assert viewer.mask_hash() == drawn
    page.wait_for_function("() => voxloop.saveState.kind === 'saved'")  # and no other tab is believed to write
    viewer.go_to(MIDDLE)

    line.down()
    viewer.stroke("b", CORNER)
    page.wait_for_function("() => voxloop.saveState.kind === 'offline'")
    line.up()
    viewer.wait_saved()
    assert server_hash(row) == viewer.mask_hash() != drawn

    page.click("[data-testid=tab-questions]")
    page.click("[data-testid=answer-diagnosis-covid19]")
    page.click("[data-testid=answer-quality-good]")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"() => location.pathname.startsWith('/view/') && !location.pathname.includes('{row.pk}')")
    row.refresh_from_db()
    assert row.state == "submitted"
    head = head_of(row.pk, "findings")
    assert head is not None
    assert len(head.voxel_counts) == 1


def test_the_journey_in_firefox(firefox: Page, rows: list[Assignment], faulty_line: FaultyLine) -> None:
    log_in(firefox)
    draw_and_hand_in(firefox, rows[0], faulty_line, "firefox")


def test_a_batch_is_taken_along_while_firefox_waits_for_an_answer(firefox: Page, rows: list[Assignment]) -> None:
    """It asks whether it may keep the data for good, and nobody answers."""
    log_in(firefox)
    firefox.click("[data-offline-batch] .btn")
    firefox.click("[data-offline-batch] .btn-primary")
    firefox.wait_for_function("() => document.querySelector('[data-offline-batch] .good')", timeout=60_000)
    assert firefox.evaluate("() => document.querySelectorAll('.offline-mark').length") == len(rows)


def test_the_journey_in_webkit(webkit: Page, rows: list[Assignment], faulty_line: FaultyLine) -> None:
    log_in(webkit)
    draw_and_hand_in(webkit, rows[0], faulty_line, "webkit")
