"""Hands for the viewer: mouse and keyboard only; `window.voxloop` only tells where things are."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

Ijk = tuple[int, int, int]


@dataclass
class Viewer:
    """A viewer page that somebody works at."""

    page: Page

    def facts(self, name: str) -> Any:
        return self.page.evaluate(f"() => window.voxloop.{name}")

    def wait_ready(self) -> "Viewer":
        """Until every slice is there in full and the mask can be drawn on."""
        self.page.wait_for_function(
            "() => window.voxloop && window.voxloop.phase === 'complete' && window.voxloop.maskReady", timeout=90_000
        )
        return self

    def wait_saved(self) -> str:
        """Until the server has everything; answers the revision."""
        self.page.wait_for_function("() => window.voxloop.saveState.kind === 'saved'", timeout=30_000)
        return str(self.facts("saveState")["revision"])

    def go_to(self, ijk: Ijk) -> None:
        """Bring the voxel's axial slice up, by keys."""
        self.page.keyboard.press("v")
        now = int(self.facts("slices()")["axial"])
        self.page.mouse.click(*self.at((ijk[0], ijk[1], now)))
        for _ in range(100):
            if now == ijk[2]:
                return
            # Down is towards the feet, which is to lower indices in a volume whose k goes up the body.
            key = "Up" if ijk[2] > now else "Down"
            self.page.keyboard.press(("Page" if abs(ijk[2] - now) >= 10 else "Arrow") + key)
            self.page.wait_for_function("was => window.voxloop.slices().axial !== was", arg=now, timeout=5_000)
            now = int(self.facts("slices()")["axial"])
        raise AssertionError(f"slice {ijk[2]} was not reached")

    def at(self, ijk: Ijk) -> tuple[float, float]:
        """Where the middle of a voxel is on the axial pane."""
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
