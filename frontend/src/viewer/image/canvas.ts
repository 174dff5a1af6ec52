/**
 * The image of a pane on a 2D canvas: one slice through the window's table, scaled by the browser. Works without WebGL,
 * is on screen before Cornerstone's script has come, and is the faster way on software GL (docs in `backend.ts`).
 */

import type { Volume } from "../load/volume";
import type { PaneGeometry } from "./geometry";
import { greyTable, type Window } from "./window";

export class CanvasImage {
  #slice: OffscreenCanvas | null = null;
  #pixels: ImageData | null = null;
  #made = "";

  constructor(readonly canvas: HTMLCanvasElement, private readonly volume: Volume, private readonly onProcessor: boolean) {}

  draw(geometry: PaneGeometry, index: number, window: Window, smooth: boolean): void {
    const context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: this.onProcessor });
    if (!context) return;
    this.#make(geometry, index, window);
    const ratio = this.canvas.width / geometry.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = smooth;
    const [a, b, c, d, e, f] = geometry.affine();
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    if (this.#slice) context.drawImage(this.#slice, 0, 0);
  }

  #make(geometry: PaneGeometry, index: number, window: Window): void {
    const key = `${index}/${window.level}/${window.width}/${this.volume.version}`;
    if (key === this.#made) return;
    this.#made = key;
    const [width, height] = this.volume.size(geometry.plane);
    this.#slice ??= new OffscreenCanvas(width, height);
    this.#pixels ??= new ImageData(width, height);
    this.volume.paint(geometry.plane, index, greyTable(window), new Uint32Array(this.#pixels.data.buffer));
    this.#slice.getContext("2d", { alpha: false, willReadFrequently: this.onProcessor })?.putImageData(this.#pixels, 0, 0);
  }
}
