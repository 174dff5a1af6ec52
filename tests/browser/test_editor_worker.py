"""The editor's worker in a real browser, with its real IndexedDB, against a server that reads with `voxloop.volume`.

Every tool: the labels before, after, undone, redone, after a reload, undone again; and what the server got.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.editor_server import SHAPE, SPACING, Server
from tests.chromium import Watched, open_context
from voxloop.volume.geometry import Geometry
from voxloop.volume.growing import grow


@pytest.fixture
def context(browser: Browser, server: Server, watched: Watched) -> Iterator[BrowserContext]:
    made = open_context(browser, server.url, watched)
    yield made
    made.close()


def start(page: Page) -> dict[str, Any]:
    page.goto("/")
    options = {
        "volume": {"shapeZyx": SHAPE, "spacingMmZyx": SPACING, "backgroundHu": -860},
        "scan": "VX-A-0001",
        "lpsFromIjk": Geometry.axial(SHAPE, SPACING).affine().tolist(),
        "assignment": "a1",
        "layer": "findings",
        "maskUrl": "/mask",
        "headers": {},
        "editable": True,
        "autosaveMs": 100,
    }
    opened: dict[str, Any] = page.evaluate("options => editor.start(options)", options)
    return opened


def call(page: Page, name: str, *arguments: Any) -> Any:
    return page.evaluate("([name, given]) => editor.call(name, ...given)", [name, list(arguments)])


def hash_of(page: Page) -> str:
    found: str = page.evaluate("depth => editor.hash(depth)", SHAPE[0])
    return found


PAINT = {"segment": 3, "overwrite": True, "locked": []}
STROKES = {
    "sphere": ({"tool": "sphere", "radiusMm": 6, **PAINT}, [[30, 30, 8], [60, 40, 20]]),
    "circle": ({"tool": "circle", "radiusMm": 9, "plane": "coronal", **PAINT}, [[30, 30, 8]]),
    "threshold": (
        {"tool": "threshold", "radiusMm": 9, "threshold": {"lo": -300, "hi": 0}, "planar": False, **PAINT},
        [[50, 48, 20]],
    ),
    "grow": ({"tool": "grow", "radiusMm": 12, **PAINT}, [[50, 48, 20]]),
    "erase": ({"tool": "erase", "radiusMm": 5, "planar": False, "segments": None, "locked": []}, [[25, 25, 6]]),
}
OPERATIONS: dict[str, dict[str, Any]] = {
    "copy": {"overlay": "prediction", "at": None, "into": None, "overwrite": False, "locked": []},
    "copy a lesion": {
        "op": "copy",
        "overlay": "prediction",
        "at": [62, 62, 31],
        "into": 4,
        "overwrite": False,
        "locked": [],
    },
    "fill-holes": {"segment": 1, "perSlice": False, "overwrite": False, "locked": []},
    "remove-islands": {"segment": 1, "underMl": 0.5},
    "remove-lesion": {"at": [22, 22, 6]},
    "lasso": {"plane": "axial", "slices": [9, 11], "points": [[50, 50], [70, 52], [60, 80]], **PAINT},
    "scissors": {
        "plane": "axial",
        "slices": [0, 39],
        "points": [[0, 0], [30, 0], [30, 95], [0, 95]],
        "outside": True,
        "segments": None,
        "locked": [],
    },
    "interpolate": {"plane": "axial", **PAINT, "segment": 1},
    "resize": {"mm": 2, **PAINT, "segment": 1},
    "smooth": {"mm": 3, **PAINT, "segment": 1},
    "subtract": {"segment": 1, "overlay": "prediction", "with": None},
    "intersect": {"segment": 1, "overlay": "prediction", "with": 2},
    "union": {"segment": 1, "overlay": "prediction", "with": 2, "marginMm": 1.5},
    "union with a segment of the mask": {"op": "union", "segment": 6, "overlay": None, "with": 1},
    "subtract with a margin": {"op": "subtract", "segment": 1, "overlay": "prediction", "with": None, "marginMm": 3},
    "convert a lesion": {"op": "convert", "from": None, "to": 5, "at": [22, 22, 6]},
    "convert": {"from": 1, "to": 5, "at": None},
    "clear": {"segment": 1},
}


@pytest.mark.parametrize("name", [*STROKES, *OPERATIONS])
def test_every_tool_survives_undo_redo_and_reload(name: str, context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    start(page)
    before = hash_of(page)
    if name in STROKES:
        results = page.evaluate("([tool, voxels]) => editor.stroke(tool, voxels)", list(STROKES[name]))
        assert sum(result["added"] + result["removed"] for result in results) > 0
    else:
        result = call(page, "apply", {"op": name, **OPERATIONS[name]})
        assert result["added"] + result["removed"] > 0
    after = hash_of(page)
    assert after != before
    call(page, "undo")
    assert hash_of(page) == before
    call(page, "redo")
    assert hash_of(page) == after
    page.close()  # the tab dies with work in progress
    page = context.new_page()
    opened = start(page)
    assert opened["history"]["undoDepth"] == 1
    assert hash_of(page) == after
    call(page, "undo")
    assert hash_of(page) == before
    call(page, "redo")
    call(page, "flush")
    assert hash_of(page) == after
    counts = {segment["segment"]: segment["voxels"] for segment in call(page, "stats")["segments"]}
    labels, voxels = np.unique(server.labels, return_counts=True)
    assert counts == {int(n): int(v) for n, v in zip(labels, voxels, strict=True) if n not in (0, 255)}
    assert [stroke["tool"] for stroke in server.strokes][1:] == ["undo", "redo", "undo", "redo"]
    assert len({stroke["id"] for stroke in server.strokes}) == 5


def test_the_grown_lesion_is_the_one_that_python_grows(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    start(page)
    expected = server.labels.copy()
    grown = grow(server.hu, SPACING, expected, 3, (20, 48, 50), 12.0, background_hu=-860)
    grown.apply(expected, 3)
    results = page.evaluate("([tool, voxels]) => editor.stroke(tool, voxels)", list(STROKES["grow"]))
    assert results[0]["added"] == int(grown.added.sum()) > 1000
    assert results[0]["grow"]["seedHu"] == grown.seed_hu
    call(page, "flush")
    np.testing.assert_array_equal(server.labels, expected)


def test_the_second_tab_is_read_only_until_it_takes_over(context: BrowserContext, server: Server) -> None:
    first, second = context.new_page(), context.new_page()
    start(first)
    first.evaluate("([tool, voxels]) => editor.stroke(tool, voxels)", list(STROKES["sphere"]))
    opened = start(second)
    assert opened["save"]["kind"] == "read-only"
    assert opened["save"]["reason"] == "other-tab"
    drawn = hash_of(first)
    call(second, "takeOver")
    assert hash_of(second) == drawn
    second.evaluate("([tool, voxels]) => editor.stroke(tool, voxels)", list(STROKES["erase"]))
    call(second, "flush")
    assert [stroke["tool"] for stroke in server.strokes] == ["sphere", "erase"]
    words = first.evaluate("editor.events.filter(e => e.event === 'save-state').map(e => e.detail.reason).at(-1)")
    assert words == "taken-over"
