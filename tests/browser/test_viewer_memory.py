"""What the viewer keeps in memory: the scan's voxels once, however many threads work on them."""

from typing import Any

from playwright.sync_api import Page

from tests.factories.world import World, first_of, publish
from tests.journeys.viewer import Viewer

# Kinds and bytes of the arrays that the decoders send to the page.
COUNT = """
window.received = [];
window.Worker = class extends Worker {
  constructor(url, options) {
    super(url, options);
    if (!options?.name?.startsWith("decode-")) return;
    this.addEventListener("message", ({ data: { data } }) => {
      for (const part of [data, data?.hu])
        if (ArrayBuffer.isView(part)) window.received.push([part.constructor.name, part.byteLength]);
    });
  }
};
"""


def test_decoders_write_the_voxels_where_they_belong(live_world: World, new_page: Any) -> None:
    assignment = first_of(publish(live_world))
    page: Page = new_page("annotator")
    page.add_init_script(COUNT)
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    assert page.evaluate("() => crossOriginIsolated")
    depth, rows, columns = assignment.scan.shape_zyx
    assert viewer.facts("fullSlices") == depth
    received = page.evaluate("() => window.received")
    # The preview comes in a message, one byte a voxel at most; no HU do.
    assert received
    assert {kind for kind, _ in received} == {"Uint8Array"}
    assert sum(size for _, size in received) <= depth * rows * columns
