"""The viewer over a throttled line, compared with OHIF and Orthanc in the same run: same machine, browser, throttling
and scan.

Voxloop runs as `manage.py demo` starts it, with two scans of one batch: a phantom of 512×512×200 (a smaller one
enlarged, with noise in every voxel, so that it packs like a real scan) and, where it is present, LIDC-IDRI-0001.
`_browser.py` explains how visibility, bytes and memory are measured. The peer opens in its three-plane layout; its
memory is measured after the same drags with its own brush."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Page
from scipy import ndimage as ndi

from annotation.demonstration.dicom import SCANNERS, write_ct_series
from benchmarks._browser import LINE_BITS, PLACES, Chromium, Visit, chromium
from benchmarks._demo import RunningDemo, is_complete, running_demo, temporary_state
from benchmarks._ohif import UnavailableError, running_ohif
from benchmarks._rows import plain_row, ratio_row
from benchmarks._scans import FOLDER, LIDC
from benchmarks._unwatched import unwatched
from voxloop.volume.geometry import Geometry
from voxloop.volume.phantom import make_phantom

SHAPE_ZYX = (200, 512, 512)
SPACING_MM_ZYX = (1.5, 0.7, 0.7)
NOISE_HU = 12
USABLE_S, NEXT_USABLE_S = 5.0, 1.0
FULL_SHARE_OF_LINE = 1.1
SCRIPT_MB = 1.2
LONG_TASK_MS = 50.0
UNDO_MS = 10.0
UNDOS = 7
# A message posted in an animation frame callback arrives after the frame is rendered.
WATCH_UNDO = """() => { window.undone = new Promise((done) => {
  const changed = window.voxloop.changed();
  const pressed = async (event) => {
    if (event.key !== "z") return;
    removeEventListener("keydown", pressed, true);
    const start = performance.now(), { port1, port2 } = new MessageChannel();
    const heard = await changed;
    port1.onmessage = () => done([heard - start, performance.now() - start]);
    requestAnimationFrame(() => port2.postMessage(0));
  };
  addEventListener("keydown", pressed, true); }); }"""
# The most that ours / the peer's may be.
THIN_LINE, NO_LIMIT, SCRIPT_SHARE, MEMORY_SHARE = 1 / 8, 1 / 2, 1 / 4, 1 / 2
BRUSHES = {"grow": "g", "sphere": "b", "threshold": "t", "eraser": "e"}

IMPORT = """
import time
from pathlib import Path
from annotation.intake.services import receive_path
from annotation.scans.models import Scan, Site
from annotation.work.models import Campaign
from annotation.work.batches import create_batch, publish_batch
from voxloop.accounts.models import User
from voxloop.jobs.models import Job
campaign, site = Campaign.objects.get(), Site.objects.first()
who = {{user.username: user for user in User.objects.all()}}
for path in {paths!r}:
    job = receive_path(path=Path(path), site=site, campaign=campaign, actor=who["datamanager"])
    while Job.objects.get(pk=job.pk).state in ("queued", "running"):
        time.sleep(0.2)
scans = list(Scan.objects.filter(state="ready").order_by("-shape_zyx"))
batch = create_batch(campaign=campaign, actor=who["coordinator"], size=len(scans), assignee=who["annotator1"],
                     scan_ids=[scan.pk for scan in scans])
publish_batch(batch_id=batch.pk, actor=who["coordinator"])
for assignment in batch.assignments.select_related("scan").order_by("position"):
    print(assignment.pk, assignment.scan.shape_zyx[0])
"""


def run() -> Iterator[dict[str, Any]]:
    """Rows of seconds, megabytes and milliseconds."""
    real = FOLDER / LIDC
    with temporary_state() as state, running_demo(state, VOXLOOP_DEMO_SCANS="0") as demo:
        demo.wait(is_complete, "the campaign")
        assignments = _import(demo, state, [real] if real.is_dir() else [])
        yield from _phantom(demo, assignments)
        if real.is_dir():
            ours = {limited: _open_ours(demo, assignments[-1], limited) for limited in (True, False)}
            _, ours[True]["memory"] = _memory(demo, assignments[-1])
    if not real.is_dir():
        return
    try:
        with running_ohif(real) as address:
            peer = {limited: _open_peer(address, limited) for limited in (True, False)}
            peer[True]["memory"] = _memory_of_peer(address)
    except UnavailableError as error:
        yield plain_row("viewer", f"beside OHIF: left out, {error}", 0, "")
        peer = None
    yield from _beside(ours, peer)
    load = os.getloadavg()
    yield plain_row("viewer", "load of the machine, 15 minutes", load[2], "")


def _import(demo: RunningDemo, state: Path, more: list[Path]) -> list[str]:
    """Import both scans as one batch; returns the assignments in its order."""
    folder = state / "phantom"
    folder.mkdir()
    phantom = make_phantom(77, "B", (64, 192, 192)).hu_zyx.astype(np.float32)
    large = ndi.zoom(phantom, [n / m for n, m in zip(SHAPE_ZYX, phantom.shape, strict=True)], order=1)
    large += np.random.default_rng(1).normal(0, NOISE_HU, large.shape)
    hu = np.clip(large, -1024, 3071).astype(np.int16)
    write_ct_series(folder, hu, Geometry.axial(SHAPE_ZYX, SPACING_MM_ZYX), subject="BENCH-1", scanner=SCANNERS["b"])
    printed = demo.run_inside(IMPORT.format(paths=[str(folder), *map(str, more)]))
    found = [line.split() for line in printed.splitlines() if line.strip()]
    found.sort(key=lambda words: int(words[1]) != SHAPE_ZYX[0])
    return [words[0] for words in found]


def _log_in(demo: RunningDemo, browser: Chromium) -> None:
    visit = browser.visit(throttled=False)
    _enter(demo, visit.page)
    visit.session.send("Network.clearBrowserCache")
    visit.page.close()


def _enter(demo: RunningDemo, page: Page) -> None:
    page.goto(f"{demo.card['address']}accounts/login/")
    page.get_by_label("Name").fill("annotator1")
    page.get_by_label("Password", exact=True).fill(demo.password("annotator1"))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)


def _memory(demo: RunningDemo, assignment: str) -> tuple[float, float]:
    """Megabytes of the renderer with a scan open, and after editing."""
    with unwatched() as browser:
        with browser.page() as page:
            _enter(demo, page)
        browser.open(f"{demo.card['address']}view/{assignment}/")
        opened = browser.renderer_mb()
        with browser.page(at=assignment) as page:
            for key in BRUSHES.values():
                _drags(page, key)
            browser.rest()
            return opened, browser.renderer_mb()


def _open(demo: RunningDemo, browser: Chromium, assignment: str, limited: bool) -> Visit:
    visit = browser.visit(throttled=limited)
    visit.page.goto(f"{demo.card['address']}view/{assignment}/", wait_until="commit")
    visit.page.wait_for_function("() => window.voxloop?.phase === 'complete' && window.voxloop.maskReady")
    visit.page.wait_for_timeout(1500)
    return visit


def _phantom(demo: RunningDemo, assignments: list[str]) -> Iterator[dict[str, Any]]:
    name = "512×512×200"
    volume_mb = 2 * float(np.prod(SHAPE_ZYX)) / 2**20
    with chromium() as browser:
        _log_in(demo, browser)
        visit = _open(demo, browser, assignments[0], True)
        yield plain_row("viewer", f"{name}, first visit: three planes", visit.seen(3), "s", USABLE_S)
        full = visit.page.evaluate("() => window.voxloop.times.complete") / 1000
        line = visit.transferred["all"] * 8 / LINE_BITS
        yield ratio_row("viewer", f"{name}: full volume, beside bytes / rate", full, line, "s", FULL_SHARE_OF_LINE)
        yield plain_row("viewer", "script, gzip, first visit", visit.script_mb(), "MB", SCRIPT_MB)
        visit.stop_watching()
        yield from _draw(visit)
        if len(assignments) > 1:
            visit.page.wait_for_function("() => window.voxloop.nextLoaded >= 1")
            visit.watch()
            visit.page.goto(f"{demo.card['address']}view/{assignments[1]}/", wait_until="commit")
            visit.page.wait_for_function("() => window.voxloop?.phase === 'complete' && window.voxloop.maskReady")
            visit.page.wait_for_timeout(2000)
            yield plain_row("viewer", "next scan of the batch: three planes", visit.seen(3), "s", NEXT_USABLE_S)
    opened, edited = _memory(demo, assignments[0])
    most_mb = 2.5 * volume_mb + 250
    yield ratio_row("viewer", f"{name}: renderer, beside its most", opened, most_mb, "MB", 1.0)
    yield ratio_row("viewer", f"{name}: renderer after editing, beside its most", edited, most_mb, "MB", 1.0)


def _draw(visit: Visit) -> Iterator[dict[str, Any]]:
    """Three drags with every brush by the mouse; the longest task of the main thread, then undo by the keyboard."""
    page = visit.page
    for name, key in BRUSHES.items():
        start = page.evaluate("() => performance.now()")
        _drags(page, key)
        tasks = page.evaluate(
            "start => window.longTasks.filter(([at]) => at >= start).map(([, length]) => length)", start
        )
        yield plain_row("viewer", f"longest block while drawing: {name}", max(tasks, default=0), "ms", LONG_TASK_MS)
    changed, drawn = zip(*(_undo(page) for _ in range(UNDOS)), strict=True)
    yield plain_row("viewer", "undo, from the key to the changed mask", median(changed), "ms", UNDO_MS)
    yield plain_row("viewer", "undo, from the key to the end of the frame", median(drawn), "ms")


def _undo(page: Page) -> tuple[float, float]:
    """Milliseconds from the key until the mask has changed, and until the frame is rendered."""
    page.wait_for_timeout(700)
    page.evaluate(WATCH_UNDO)
    page.keyboard.press("Control+z")
    changed, drawn = page.evaluate("() => window.undone")
    return float(changed), float(drawn)


def _open_ours(demo: RunningDemo, assignment: str, limited: bool) -> dict[str, float]:
    with chromium() as browser:
        _log_in(demo, browser)
        cold = _figures(_open(demo, browser, assignment, limited))
        return _both(cold, _figures(_open(demo, browser, assignment, limited)))


def _open_peer(address: str, limited: bool) -> dict[str, float]:
    with chromium() as browser:
        figures = []
        for _ in range(2):
            visit = browser.visit(throttled=limited)
            visit.page.goto(address, wait_until="commit")
            _wait_quiet(visit)
            figures.append(_figures(visit))
        return _both(*figures)


def _memory_of_peer(address: str) -> float:
    """Megabytes of the peer's renderer after a segmentation was added and drawn on."""
    with unwatched() as browser:
        browser.open(address.replace("/viewer?", "/segmentation?"))
        with browser.page(at="/segmentation?") as page:
            page.locator("[data-cy=addSegmentation]").click()
            page.wait_for_timeout(2000)
            page.locator("[data-cy=Brush-btn]").click()
            box = page.locator("[data-cy=viewport-pane]").first.bounding_box()
            assert box is not None
            x, y = box["x"] + 0.35 * box["width"], box["y"] + 0.5 * box["height"]
            page.mouse.click(x, y)  # OHIF's first click on a pane only activates it
            for n in range(3 * len(BRUSHES)):
                _drag(page, x + 12 * (n % 3), y)
            browser.rest()
            return browser.renderer_mb()


def _drags(page: Page, key: str) -> None:
    """Three strokes of our brush in the right lung."""
    page.keyboard.press(key)
    x, y = page.evaluate("() => window.voxloop.toScreen('axial', [180, 256, window.voxloop.slices().axial])")
    for n in range(3):
        _drag(page, x + 12 * n, y)


def _drag(page: Page, x: float, y: float) -> None:
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=20)
    page.mouse.up()
    page.wait_for_timeout(700)


def _wait_quiet(visit: Visit, seconds: float = 6, most: float = 240) -> None:
    """Wait until three images are visible and no byte arrived for some seconds."""
    end = time.monotonic() + most
    before, since = -1.0, time.monotonic()
    while time.monotonic() < end:
        visit.page.wait_for_timeout(500)
        boxes = visit.page.evaluate(PLACES)
        if visit.transferred["all"] != before or len(boxes) < 3:
            before, since = visit.transferred["all"], time.monotonic()
        elif time.monotonic() - since > seconds:
            return
    raise UnavailableError("OHIF did not show three planes")


def _figures(visit: Visit) -> dict[str, float]:
    """The measurements of an open page."""
    pixels = visit.transferred["pixels"] / 1e6
    return {"first image": visit.seen(1), "three planes": visit.seen(3), "script": visit.script_mb(), "pixels": pixels}


def _both(cold: dict[str, float], warm: dict[str, float]) -> dict[str, float]:
    cases = ("first image", "three planes")
    seen = {f"{case}, {name} visit": of[case] for case in cases for name, of in (("first", cold), ("second", warm))}
    return {**seen, "script": cold["script"], "pixels": warm["pixels"]}


def _beside(ours: dict[bool, dict[str, float]], peer: dict[bool, dict[str, float]] | None) -> Iterator[dict[str, Any]]:
    for limited, line in ((True, "5 Mbit/s"), (False, "no limit")):
        for case in ours[limited]:
            if case in {"script", "pixels", "memory"}:
                continue
            limit = None if case.startswith("first image") else THIN_LINE if limited else NO_LIMIT
            name = f"LIDC-IDRI-0001, {line}: {case}"
            if peer is None:
                yield plain_row("viewer", name, ours[limited][case], "s")
            else:
                yield ratio_row("viewer", name, ours[limited][case], peer[limited][case], "s", limit)
    if peer is not None:
        yield ratio_row("viewer", "script, gzip", ours[True]["script"], peer[True]["script"], "MB", SCRIPT_SHARE)
        yield ratio_row(
            "viewer", "renderer after editing", ours[True]["memory"], peer[True]["memory"], "MB", MEMORY_SHARE
        )
        yield plain_row("viewer", "pixels on a second visit, OHIF", peer[True]["pixels"], "MB")
    yield plain_row("viewer", "pixels on a second visit", ours[True]["pixels"], "MB", 0)
