/** Draws the panes: the image by a backend, the marks over it. One animation frame draws everything that asked. */

import { settings } from "../../ground/settings";
import type { ImageBackend } from "../image/backend";
import { PLANES } from "../scan/session";
import type { Pane } from "../stage/pane";
import type { Stage } from "../stage/stage";
import { drawMarks } from "./marks";

export class Painter {
  #backend: ImageBackend;

  /**
   * `onProcessor`: 2D canvases stay in main memory where there is no graphics card: software WebGL is slow at strokes
   * and fills.
   */
  constructor(
    private readonly stage: Stage,
    backend: ImageBackend,
    private readonly onProcessor: boolean,
  ) {
    this.#backend = backend;
    stage.drawnBy(() => this.#draw());
  }

  /** Another backend draws the images from now on. */
  use(backend: ImageBackend): void {
    this.#backend.close();
    this.#backend = backend;
    this.stage.redraw("image");
  }

  /** The pane's element has another size in CSS pixels. */
  resize(pane: Pane, width: number, height: number): void {
    pane.geometry.resize(width, height);
    this.#backend.resize(pane);
    this.stage.touch(pane);
  }

  #draw(): void {
    const started = performance.now();
    const { session, panes } = this.stage;
    let drawn = 0;
    for (const plane of PLANES) if (this.#drawPane(panes[plane])) drawn++;
    const { value: alone } = this.stage.maximised;
    session.looks.show(alone === null || alone === "axial" ? panes.axial.sharpSlice : null);
    if (drawn) session.noteFrame(started, drawn === PLANES.length);
  }

  /** Answers whether its image was drawn. */
  #drawPane(pane: Pane): boolean {
    const { session } = this.stage;
    const volume = session.volume.value;
    if (!pane.geometry.width || pane.index < 0 || !volume) return false;
    const { imageDirty } = pane;
    const whole = !imageDirty || this.#backend.draw(pane, session.window.value, settings.value.smooth);
    if (pane.marksDirty && pane.marks) drawMarks(this.stage, pane, pane.marks, this.onProcessor);
    pane.drawn(whole, imageDirty && pane.plane === "axial" && volume.full[pane.index] === 1);
    if (!whole) this.stage.schedule();
    return imageDirty;
  }

  close(): void {
    this.#backend.close();
  }
}
