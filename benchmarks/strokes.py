"""1 000 strokes in a real browser with a real server: do the last take as long as the first? From the press of the
mouse until the stroke is in the list (drawn, in the journal, shown on the page), and until the server's response. The
peer of each row is the median of the first strokes of the same run."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._rows import plain_row, ratio_row
from tests.chromium import Watched, launch, log_in, open_context
from tests.journeys.viewer import Viewer
from tests.product import ROOT, Product, new_database
from voxloop.embedded.testing import database

STROKES = 1000
SAMPLE = 100  # strokes measured at the start and at the end
SAVE_EVERY = 25
LIMIT = 1.2
SHAPE = (96, 256, 256)
SEED = f"""
from tests.factories.world import PASSWORD, build_world, publish
batch = publish(build_world(scans=1, shape_zyx={SHAPE}), size=1)
print(batch.assignments.get().pk)
print(PASSWORD)
"""


def run() -> Iterator[dict[str, Any]]:
    """Rows of milliseconds and megabytes."""
    with database(ROOT), new_database() as url, tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), url)
        try:
            product.manage("prepare_broker", "--migrate")
            pk, password = product.manage("shell", "-v", "0", "-c", SEED).stdout.splitlines()[-2:]
            product.start("web")
            yield from _rows(product.url, pk, password)
        finally:
            product.stop()


def _rows(url: str, pk: str, password: str) -> Iterator[dict[str, Any]]:
    with launch() as browser:
        page = open_context(browser, url, Watched()).new_page()
        log_in(page, "annotator", password)
        page.goto(f"/view/{pk}/")
        viewer = Viewer(page).wait_ready()
        viewer.go_to((SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2))
        page.keyboard.press("b")
        viewer.set_radius(4)
        drawn, saved, kept = [], [], []
        for n in range(STROKES):
            # The same 16 positions again and again, alternating between three segments: the mask stays as full as after
            # the first round, so that only the history grows.
            voxel = (60 + 24 * (n % 4), 60 + 24 * (n // 4 % 4), SHAPE[0] // 2)
            if n % 16 == 0:
                page.keyboard.press(str(1 + n // 16 % 3))
                if n == 0:
                    page.get_by_text("Overwrite others").click()
            x, y = viewer.at(voxel)
            page.mouse.move(x, y)
            newest = viewer.facts("strokes[0]?.id")
            start = time.perf_counter()
            page.mouse.down()
            page.mouse.up()
            page.wait_for_function("id => voxloop.strokes[0]?.id !== id", arg=newest, polling=1)
            drawn.append(1000 * (time.perf_counter() - start))
            if n % SAVE_EVERY == SAVE_EVERY - 1:
                start = time.perf_counter()
                viewer.wait_saved()
                saved.append(1000 * (time.perf_counter() - start))
                kept.append(page.evaluate("async () => (await navigator.storage.estimate()).usage / 1e6"))
        few = SAMPLE // SAVE_EVERY
        first, last = statistics.median(drawn[:SAMPLE]), statistics.median(drawn[-SAMPLE:])
        yield ratio_row("strokes", f"last {SAMPLE} of {STROKES} beside the first: drawn", last, first, "ms", LIMIT)
        first, last = statistics.median(saved[:few]), statistics.median(saved[-few:])
        yield ratio_row("strokes", "saved after them, beside the first", last, first, "ms", LIMIT)
        yield plain_row("strokes", "kept in the browser after the last", kept[-1], "MB")
