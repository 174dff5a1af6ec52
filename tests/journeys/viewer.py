"""Operates the viewer by mouse and keyboard only; `window.voxloop` is used for reading state."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

Ijk = tuple[int, int, int]

# Elements wider than their box without a tooltip, and overlapping controls of a bar.
CLIPPED = """() => {
    const seen = (within) => [...document.querySelectorAll(within)].filter((element) => element.checkVisibility());
    const words = ({ className, textContent }) => `${className} "${textContent}"`;
    const clipped = seen("#viewer *, dialog *").filter((element) =>
        !element.matches("canvas, svg, svg *, .vh, input, textarea, select")
        && (getComputedStyle(element).overflowX !== "visible" || element.matches(".btn"))
        && element.scrollWidth > element.clientWidth + 1 && !element.closest("[title]:not(.btn)")
    ).map((element) => `${words(element)} ${element.scrollWidth} > ${element.clientWidth}`);
    const covered = [".vb", ".pbar", ".tabs", ".status"].flatMap((bar) => {
        const boxes = seen(`${bar} > *, ${bar} button`)
            .filter((element) => element.textContent || element.matches("button, input"))
            .map((element) => ({ element, box: element.getBoundingClientRect() }));
        return boxes.flatMap((a, n) => boxes.slice(n + 1).filter((b) => !a.element.contains(b.element)
            && Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1
            && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 1
        ).map((b) => `${bar}: ${words(a.element)} on ${words(b.element)}`));
    });
    return [...clipped, ...covered];
}"""
SIZES = ((1366, 768), (1600, 1000))


@dataclass
class Viewer:
    """A viewer page and its user."""

    page: Page

    def facts(self, name: str) -> Any:
        return self.page.evaluate(f"() => window.voxloop.{name}")

    def wait_ready(self) -> "Viewer":
        """Wait until every slice is loaded and the mask is editable."""
        self.page.wait_for_function(
            "() => window.voxloop && window.voxloop.phase === 'complete' && window.voxloop.maskReady", timeout=90_000
        )
        return self

    def open_to_draw(self, assignment: str, ijk: Ijk) -> "Viewer":
        """An assignment's page at this voxel, with the ball brush of 3 mm in hand."""
        self.page.goto(f"/view/{assignment}/")
        self.wait_ready().go_to(ijk)
        self.page.keyboard.press("b")
        self.set_radius(3)
        return self

    def wait_saved(self) -> str:
        """Wait until the server has everything; returns the revision."""
        self.page.wait_for_function("() => window.voxloop.saveState.kind === 'saved'", timeout=30_000)
        return str(self.facts("saveState")["revision"])

    def go_to(self, ijk: Ijk) -> None:
        """Go to the voxel's axial slice, by keys."""
        self.page.keyboard.press("v")
        # Where the crosshair is, not what is drawn: a slice asked for before may come late.
        now = int(self.facts("cross")[2])
        self.page.mouse.click(*self.at((ijk[0], ijk[1], now)))
        for _ in range(100):
            if now == ijk[2]:
                self.page.wait_for_function("k => window.voxloop.slices().axial === k", arg=now)
                return
            # Down is towards the feet, which is to lower indices in a volume whose k goes up the body.
            key = "Up" if ijk[2] > now else "Down"
            self.page.keyboard.press(("Page" if abs(ijk[2] - now) >= 10 else "Arrow") + key)
            self.page.wait_for_function("was => window.voxloop.cross[2] !== was", arg=now, timeout=5_000)
            now = int(self.facts("cross")[2])
        raise AssertionError(f"slice {ijk[2]} was not reached")

    def at(self, ijk: Ijk) -> tuple[float, float]:
        """Position of a voxel's centre on the axial pane."""
        x, y = self.page.evaluate("ijk => window.voxloop.toScreen('axial', ijk)", list(ijk))
        return float(x), float(y)

    def set_radius(self, mm: float) -> None:
        """By its slider, from the keyboard."""
        slider = self.page.get_by_label("Radius").first
        slider.focus()
        slider.fill(str(mm))

    def stroke(self, tool: str, ijk: Ijk) -> None:
        """One press and release of a tool's key at a voxel of the slice on screen."""
        before = len(self.facts("strokes"))
        self.page.keyboard.press(tool)
        self.page.mouse.move(*self.at(ijk))
        self.page.mouse.down()
        self.page.mouse.up()
        self.page.wait_for_function("n => window.voxloop.strokes.length > n", arg=before, timeout=10_000)

    def counts(self) -> dict[str, int]:
        return dict(self.facts("counts()"))

    def mask_hash(self) -> str:
        return str(self.page.evaluate("() => window.voxloop.maskHash()"))

    def clipped(self) -> list[str]:
        """Clipped or overlapping elements, in both window sizes that the page supports."""
        found = []
        for width, height in SIZES:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            found += [f"{width}: {fault}" for fault in self.page.evaluate(CLIPPED)]
        return found
