"""Advanced display in the viewer: slabs, oblique planes, cine, regions, custom windows, layouts."""

from typing import Any

import numpy as np
import pytest
from imagecodecs import png_decode
from playwright.sync_api import Page, expect

from annotation.work.models import Assignment
from tests.browser.test_viewer_looks import MIDDLE, open_viewer
from tests.chromium import shoot
from tests.factories.world import SHAPE, World, first_of, label, publish, volume_of
from tests.journeys.viewer import Viewer

CORNER = (8, 8, MIDDLE[2])


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    found = first_of(publish(live_world))
    label(live_world, found)
    return found


def on_screen(viewer: Viewer, plane: str, ijk: tuple[int, int, int]) -> tuple[float, float]:
    x, y = viewer.page.evaluate("([p, v]) => voxloop.toScreen(p, v)", [plane, list(ijk)])
    return float(x), float(y)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def test_slabs_show_what_lies_in_them(live_world: World, assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.keyboard.press("v")
    page.get_by_test_id("slab").click()
    page.get_by_test_id("slab-mip").click()
    page.get_by_label("Thickness").fill("12")
    page.keyboard.press("Escape")
    # Slices are whole: five of 2.5 mm, thirteen of 1 mm.
    for plane, mm in (("axial", "12.5"), ("coronal", "13"), ("sagittal", "13")):
        expect(page.get_by_test_id(f"slab-{plane}")).to_have_text(f"MIP {mm} mm")
    # The maximum of five slices is shown, as the mean grey of noise tells.
    hu_zyx = volume_of(live_world.scans.index(assignment.scan))
    brightest = hu_zyx[MIDDLE[2] - 2 : MIDDLE[2] + 3, 4:12, 4:16].max(axis=0)
    page.keyboard.press("x")
    (left, top), (right, bottom) = viewer.at((4, 4, MIDDLE[2])), viewer.at((15, 11, MIDDLE[2]))
    page.mouse.move(2, 2)
    page.wait_for_function(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    )
    clip: Any = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    grey = png_decode(page.screenshot(clip=clip))[..., 0].mean()
    assert grey == pytest.approx((brightest.mean() + 1250) * 255 / 1500, abs=1.5)
    page.keyboard.press("x")
    shoot(page, "viewer-slab")
    # The scout shows the slab's thickness.
    scout = page.get_by_test_id("scout").bounding_box()
    band = page.get_by_test_id("scout-slab")
    assert scout is not None
    assert float(band.get_attribute("stroke-width") or 0) == pytest.approx(5 / SHAPE[0] * scout["height"], rel=0.03)
    # The value under the cursor is the one that is seen.
    page.mouse.move(*viewer.at((6, 6, MIDDLE[2])))
    brightest_here = hu_zyx[MIDDLE[2] - 2 : MIDDLE[2] + 3, 6, 6].max()
    expect(page.get_by_test_id("hu")).to_have_text(f"HU{str(brightest_here).replace('-', '−')} (MIP)")
    # Drawing on a slab is refused with a message, also without a pointer, and changes nothing.
    before = viewer.mask_hash()
    page.keyboard.press("g")
    page.mouse.move(*viewer.at(MIDDLE))
    expect(page.get_by_test_id("hud")).to_contain_text("Slab of 12.5 mm")
    expect(page.get_by_test_id("hud")).not_to_contain_text("mL")
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(2, 2)
    page.keyboard.press("Enter")
    expect(page.locator(".notices:not(.news)")).to_contain_text("Slab of 12.5 mm")
    assert viewer.mask_hash() == before
    page.keyboard.press("Shift+PageDown")
    expect(page.get_by_test_id("slab-axial")).to_have_text("MIP 12.5 mm")
    expect(page.get_by_test_id("slab-coronal")).to_have_text("MIP 11 mm")
    for words in ("MinIP 12.5 mm", "Average 12.5 mm"):
        page.keyboard.press("Shift+S")
        expect(page.get_by_test_id("slab-axial")).to_have_text(words)
    page.keyboard.press("Shift+S")
    expect(page.get_by_test_id("slab-axial")).to_have_count(0)
    viewer.stroke("b", (8, 8, MIDDLE[2]))


PREVIEWED = """() => {
    const marks = document.querySelector("[data-testid=pane-coronal] canvas.marks");
    const { data } = marks.getContext("2d").getImageData(0, 0, marks.width, marks.height);
    let white = 0;
    for (let p = 0; p < data.length; p += 4) white += data[p + 3] === 77 && data[p] > 250 && data[p + 2] > 250;
    return white;
}"""  # the preview's fill: white at 30 %, where nothing is drawn


def grow_takes_what_it_showed(page: Page, viewer: Viewer) -> None:
    """On an oblique plane the preview surrounds the ball, and a click marks exactly its voxels."""
    before = viewer.counts()["1"]
    page.keyboard.press("g")
    page.mouse.move(*on_screen(viewer, "coronal", tuple(viewer.facts("cross"))))
    page.wait_for_function(f"() => ({PREVIEWED})() > 50")
    promised = page.get_by_test_id("this-stroke").locator("dd").nth(1).inner_text()
    expect(page.get_by_test_id("hud")).to_contain_text("mL")
    shoot(page, "viewer-oblique-preview")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("n => voxloop.counts()['1'] === n", arg=before + int(promised))
    page.keyboard.press("Control+z")
    page.wait_for_function("n => voxloop.counts()['1'] === n", arg=before)


def test_planes_turn_and_are_drawn_on(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    viewer.go_to(MIDDLE)
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("The planes are locked")).to_be_visible()
    page.keyboard.press("Shift+O")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_test_id("slice-coronal")).to_have_text("oblique")
    expect(page.get_by_test_id("slice-axial")).not_to_have_text("oblique")
    # Rotate by dragging a handle of the crosshair.
    cx, cy = viewer.at(tuple(viewer.facts("cross")))
    box = page.get_by_test_id("pane-axial").bounding_box()
    assert box is not None
    reach = min(box["width"], box["height"]) * 0.32
    turned = viewer.facts("angles('axial')")[0]
    drag(
        page,
        (cx + reach * np.cos(turned), cy + reach * np.sin(turned)),
        (cx + reach * np.cos(turned + 0.3), cy + reach * np.sin(turned + 0.3)),
    )
    assert abs(viewer.facts("angles('axial')")[0] - turned - 0.3) < 0.03
    page.keyboard.press("Shift+O")
    shoot(page, "viewer-oblique")
    # The ball's outline is unchanged: a click on the oblique pane paints the voxel under the cursor.
    page.keyboard.press("b")
    viewer.set_radius(3)
    voxel = page.evaluate(
        "([x, y]) => voxloop.toVoxel('coronal', x, y)", list(on_screen(viewer, "coronal", tuple(viewer.facts("cross"))))
    )
    assert voxel == viewer.facts("cross")
    before = viewer.counts()["1"]
    side = (viewer.facts("cross")[0], viewer.facts("cross")[1], MIDDLE[2] + 10)
    x, y = on_screen(viewer, "coronal", side)
    grow_takes_what_it_showed(page, viewer)
    page.keyboard.press("b")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function("n => voxloop.counts()['1'] > n", arg=before)
    # A circle needs an orthogonal plane, and says so before a click.
    page.keyboard.press("n")
    page.mouse.move(x + 3, y)
    expect(page.get_by_test_id("hud")).to_contain_text("straight planes only")
    expect(page.get_by_test_id("pane-coronal")).to_have_css("cursor", "not-allowed")
    page.mouse.down()
    page.mouse.up()
    assert viewer.counts()["1"] > before
    expect(page.get_by_test_id("hud")).to_contain_text("straight planes only")
    page.keyboard.press("Shift+0")
    expect(page.get_by_test_id("slice-coronal")).to_have_text(f"{viewer.facts('cross')[1] + 1} / {SHAPE[1]}")


def test_cine_runs_and_stops(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.keyboard.press("Shift+P")
    seen = viewer.facts("cross")[2]
    for _ in range(3):
        page.wait_for_function("was => voxloop.cross[2] !== was", arg=seen)
        seen = viewer.facts("cross")[2]
    page.keyboard.press("Shift+ArrowUp")
    expect(page.get_by_test_id("cine-speed")).to_have_text("14 /s")
    page.get_by_test_id("cine").click()
    expect(page.get_by_test_id("cine")).to_have_attribute("aria-pressed", "false")
    stopped = viewer.facts("cross")[2]
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert viewer.facts("cross")[2] == stopped
    # A stroke ends it, and lies in the slice where it began: away from the lesion, which it may not touch in any slice.
    page.keyboard.press("n")
    page.keyboard.press("Shift+P")
    page.wait_for_function("was => voxloop.cross[2] !== was", arg=stopped)
    x, y = viewer.at(CORNER)
    page.mouse.move(x, y)
    page.mouse.down()
    for n in range(1, 5):
        page.evaluate("() => new Promise(done => setTimeout(done, 100))")
        page.mouse.move(x + 4 * n, y)
    page.mouse.up()
    page.wait_for_function("() => voxloop.lesions.length === 2")  # beside the one that was there
    drawn = min(viewer.facts("lesions"), key=lambda lesion: lesion["voxels"])
    assert drawn["box"]["z1"] - drawn["box"]["z0"] == 1
    expect(page.get_by_test_id("cine")).to_have_attribute("aria-pressed", "false")
    # So does going to a lesion.
    page.keyboard.press("Shift+P")
    page.wait_for_function("z => voxloop.cross[2] !== z", arg=drawn["ijk"][2])
    page.keyboard.press("j")
    expect(page.get_by_test_id("cine")).to_have_attribute("aria-pressed", "false")
    assert viewer.facts("cross") in [lesion["ijk"] for lesion in viewer.facts("lesions")]


def test_regions_tell_what_numpy_tells(live_world: World, assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    viewer.go_to(MIDDLE)
    page.keyboard.press("Shift+M")
    page.get_by_test_id("region-rectangle").click()
    drag(page, viewer.at((10, 8, MIDDLE[2])), viewer.at((20, 16, MIDDLE[2])))
    facts = viewer.facts("regions[0].facts")
    # From the centre of voxel 10 to that of voxel 20; the last pixel of the drag may fall to either side of a centre.
    hu = volume_of(live_world.scans.index(assignment.scan))[MIDDLE[2]]
    candidates = [hu[j0:j1, i0:i1] for i0 in (10, 11) for i1 in (20, 21) for j0 in (8, 9) for j1 in (16, 17)]
    match = [part for part in candidates if part.size == facts["voxels"] and abs(part.mean() - facts["mean"]) < 1e-6]
    assert match
    assert abs(match[0].std() - facts["sd"]) < 1e-6
    assert (match[0].min(), match[0].max()) == (facts["min"], facts["max"])
    assert facts["areaMm2"] == pytest.approx(match[0].size * 1.0)
    expect(page.get_by_test_id("region-facts")).to_contain_text(f"{facts['voxels']} voxels")
    # Move it onto the ball, make it smaller by a corner, delete it.
    drag(page, viewer.at((15, 12, MIDDLE[2])), viewer.at((28, 24, MIDDLE[2])))
    assert viewer.facts("regions[0].facts.mean") > -300
    drag(page, viewer.at((33, 28, MIDDLE[2])), viewer.at((30, 26, MIDDLE[2])))
    assert viewer.facts("regions[0].facts.voxels") < facts["voxels"]
    page.keyboard.press("m")
    drag(page, viewer.at((10, 30, MIDDLE[2])), viewer.at((20, 30, MIDDLE[2])))
    shoot(page, "viewer-region")
    page.keyboard.press("Delete")
    assert viewer.facts("regions.length") == 0
    page.keyboard.press("Shift+M")
    page.keyboard.press("Enter")
    assert viewer.facts("regions[0].facts.voxels") > 250


def test_windows_of_ones_own_and_layouts(assignment: Assignment, new_page: Any) -> None:
    viewer = open_viewer(new_page, assignment)
    page = viewer.page
    page.get_by_test_id("window-values").click()
    page.get_by_test_id("level").fill("-100")
    page.get_by_test_id("level").press("Tab")
    page.get_by_test_id("width").fill("640")
    page.get_by_test_id("width").press("Tab")
    expect(page.get_by_test_id("window-values")).to_have_text("L −100 W 640")
    page.get_by_test_id("window-name").fill("Pleura")
    page.get_by_test_id("window-keep").click()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+1")
    expect(page.get_by_test_id("window-values")).to_have_text("L −500 W 1500")
    page.reload()
    viewer.wait_ready()
    page.keyboard.press("Shift+4")
    expect(page.get_by_test_id("window-values")).to_have_text("L −100 W 640")
    page.keyboard.press("w")
    x, y = viewer.at(MIDDLE)
    drag(page, (x, y), (x + 60, y))
    expect(page.get_by_test_id("window-values")).not_to_have_text("L −100 W 640")
    page.keyboard.press("Shift+F")
    expect(page.get_by_test_id("pane-surface")).to_be_hidden()
    boxes = {plane: page.get_by_test_id(f"pane-{plane}").bounding_box() for plane in ("axial", "coronal", "sagittal")}
    assert boxes["axial"]["width"] > 1.8 * boxes["coronal"]["width"]
    shoot(page, "viewer-large")
    page.get_by_test_id("layout-four").click()
    expect(page.get_by_test_id("pane-surface")).to_be_visible()


def test_without_webgl_the_page_says_so_and_works(assignment: Assignment, new_page: Any) -> None:
    page: Page = new_page("annotator")
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest)"
        " { return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };"
    )
    page.goto(f"/view/{assignment.pk}/")
    viewer = Viewer(page).wait_ready()
    assert not (faults := viewer.clipped()), "\n".join(faults)
    page.set_viewport_size({"width": 1366, "height": 768})
    expect(page.get_by_test_id("no-webgl")).to_be_visible()
    expect(page.get_by_test_id("no-webgl")).to_have_text("No WebGL, drawn by the processor")
    shoot(page, "viewer-no-webgl-1366")
    assert viewer.facts("backend") == "canvas"
    viewer.go_to(MIDDLE)
    viewer.stroke("b", (8, 8, MIDDLE[2]))
