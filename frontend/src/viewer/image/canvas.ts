/**
 * The image of a pane on a 2D canvas: one slice, slab or oblique plane through the window's table, scaled by the
 * browser. Works without WebGL, is on screen before Cornerstone's script has come, and is the faster way on software GL
 * (`backend.ts`).
 */

import { MISSING, stripe, type Volume } from "../../load/volume";
import { resliceRow } from "../geometry/oblique";
import { RowsInTurn } from "./rows";
import { projectRow, slabRange } from "../geometry/slab";
import { greyTable, type Window } from "../geometry/window";
import type { Shown } from "./target";

/** Black in every window. */
const OUTSIDE = -32768;
/** How long rows are made before the picture is shown as far as it has come; three panes share a frame. */
const TURN_MS = 8;

export class CanvasImage {
  #slice: OffscreenCanvas | null = null;
  #pixels: ImageData | null = null;
  #hu = new Int16Array(0);
  #rows: RowsInTurn | null = null;
  #read = "";
  #painted = "";

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly volume: Volume,
    private readonly onProcessor: boolean,
  ) {}

  /** Answers whether the picture is whole; where it is not, drawing once more goes on with it. */
  draw(shown: Shown, window: Window, smooth: boolean): boolean {
    const context = this.canvas.getContext("2d", { alpha: false, willReadFrequently: this.onProcessor });
    if (!context) return true;
    const { geometry } = shown;
    this.#make(shown, window);
    const ratio = this.canvas.width / geometry.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = smooth;
    const [a, b, c, d, e, f] = geometry.affine();
    context.setTransform(a * ratio, b * ratio, c * ratio, d * ratio, e * ratio, f * ratio);
    if (this.#slice) context.drawImage(this.#slice, 0, 0);
    return this.#rows === null;
  }

  #make({ geometry, index, slab }: Shown, window: Window): void {
    const { volume } = this;
    const { oblique } = geometry;
    const read = `${whereOf({ geometry, index, slab })}/${volume.version}`;
    const painted = `${read}/${window.level}/${window.width}`;
    if (painted === this.#painted && !this.#rows) return;
    this.#painted = painted;
    const [width, height] = oblique ? [oblique.raster.width, oblique.raster.height] : volume.size(geometry.plane);
    const pixels = this.#pixelsOf(width, height);
    const out = new Uint32Array(pixels.data.buffer);
    const table = greyTable(window, volume.offset);
    if (!oblique && !slab) {
      this.#rows = null;
      volume.paint(geometry.plane, index, table, out);
    } else {
      if (read !== this.#read) this.#rows = this.#rowsOf({ geometry, index, slab }, width, height);
      this.#rows?.work(TURN_MS);
      if (this.#rows?.finished) this.#rows = null;
      paint(this.#hu, width, table, volume.lostCount > 0, out);
    }
    this.#read = read;
    this.#slice?.getContext("2d", { alpha: false, willReadFrequently: this.onProcessor })?.putImageData(pixels, 0, 0);
  }

  /** Room for a picture of this size. */
  #pixelsOf(width: number, height: number): ImageData {
    if (this.#pixels?.width === width && this.#pixels.height === height) return this.#pixels;
    this.#slice = new OffscreenCanvas(width, height);
    return (this.#pixels = new ImageData(width, height));
  }

  /** Voxels of a slab or an oblique plane; kept, so that another window costs no new reading. */
  #rowsOf({ geometry, index, slab }: Shown, width: number, height: number): RowsInTurn | null {
    const { hu, shapeZyx: shape } = this.volume;
    if (this.#hu.length !== width * height) this.#hu = new Int16Array(width * height);
    const out = this.#hu;
    const { oblique, plane, mmPerVoxel: spacing } = geometry;
    if (oblique) {
      const cut = { hu, shape, spacing, ...oblique, slab, outside: OUTSIDE };
      return new RowsInTurn(width, height, out, (row) => resliceRow(cut, row, out));
    }
    if (!slab) return null;
    const [from, to] = slabRange(index, geometry.slices, spacing[geometry.layout.across], slab.mm);
    return new RowsInTurn(width, height, out, (row) => projectRow(hu, shape, plane, from, to, slab.kind, row, out));
  }
}

/** Names what is read from the volume for a picture. */
function whereOf({ geometry: { oblique, plane }, index, slab }: Shown): string {
  const where = oblique
    ? `${oblique.centre.join()}/${oblique.frame.right.join()}/${oblique.frame.down.join()}`
    : `${plane}${index}`;
  return `${where}/${slab ? `${slab.kind}${slab.mm}` : ""}`;
}

/** Values through a table; with `isLost`, stripes for those that are damaged. */
function paint(hu: Int16Array, width: number, table: Uint32Array, isLost: boolean, out: Uint32Array): void {
  for (let p = 0; p < out.length; p++)
    out[p] = isLost && hu[p] === MISSING ? stripe(p % width, (p / width) | 0) : table[hu[p]! + 32768]!;
}
