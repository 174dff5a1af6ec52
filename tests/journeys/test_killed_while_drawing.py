"""kill -9 of the web server at every step of a save under way: no stroke lost, none applied twice."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched, log_in, open_context
from tests.factories.world import PASSWORD, SHAPE
from tests.faults import CUTS, FaultyLine
from tests.journeys.viewer import Viewer
from tests.product import Product

SEED = """
from tests.factories.world import build_world, publish
print(publish(build_world(scans=1), size=1).assignments.get().pk)
"""
TOLD = f"""
import hashlib, json
from annotation.masks.models import MaskRevision
from annotation.masks.store import load_labels
rows = list(MaskRevision.objects.order_by("created_at"))
labels = load_labels(rows[-1], {SHAPE})
print(json.dumps([hashlib.sha256(labels.tobytes()).hexdigest(), [s["id"] for row in rows for s in row.strokes]]))
"""
Z = SHAPE[0] // 2


def told(product: Product) -> Any:
    return json.loads(product.manage("shell", "-v", "0", "-c", TOLD).stdout.splitlines()[-1])


@pytest.mark.fault("the server dies at every step of a save")
def test_the_server_dies_at_every_step(product: Product, browser: Browser) -> None:
    pk = product.manage("shell", "-v", "0", "-c", SEED).stdout.split()[-1]
    product.start("web")
    with FaultyLine(product.url) as line:
        context = open_context(browser, line.url, Watched(expected=["net::ERR_", "Failed to load resource"]))
        page = context.new_page()
        log_in(page, "annotator", PASSWORD)
        viewer = Viewer(page).open_to_draw(pk, (8, 10, Z))
        drawn = []
        for n, fault in enumerate(CUTS, start=1):
            line.arm(fault, then=lambda: product.kill("web"))
            for x in (12 * n - 4, 12 * n + 2):
                viewer.stroke("b", (x, 10 * n, Z))
                drawn.append(viewer.facts("strokes[0].id"))
            page.wait_for_function("() => voxloop.saveState.kind === 'offline'")
            product.start("web")
            viewer.wait_saved()
        assert len(line.befallen) == len(CUTS)
        assert told(product) == [viewer.mask_hash(), drawn]
        context.close()
