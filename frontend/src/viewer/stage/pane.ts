/** One pane: what it shows of its plane beside the image, kept in step with the slice on screen. */

import { cutLabels } from "../../editor/cut";
import type { Watched } from "../../editor/patches";
import { type Ijk, perAxis, type Plane, type SlicePatch } from "../../editor/types";
import type { Volume } from "../../load/volume";
import { loopsOf, pathOf } from "../geometry/contour";
import { PaneGeometry } from "../geometry/pane";
import { cutOf, planesOf } from "../geometry/oblique";
import { seenThrough, type Slab, slabRange, thicknessOf } from "../geometry/slab";
import type { ReadonlySignal } from "@preact/signals";
import { CORRECTION } from "../scan/overlays";
import type { ScanSession } from "../scan/session";
import { type LabelSlice, NOTHING_SHOWN, type PaneContents, traceContents } from "./contents";

/** What a pane asks of the stage it stands on. */
export interface PaneHost {
  readonly session: ScanSession;
  readonly slabs: ReadonlySignal<Readonly<Record<Plane, Slab | null>>>;
  overlayKeys(): string[];
  schedule(): void;
}

export type Panes = Readonly<Record<Plane, Pane>>;

export class Pane {
  readonly geometry: PaneGeometry;
  readonly contents: PaneContents = { ...NOTHING_SHOWN };
  #marks: HTMLCanvasElement | null = null;
  /** The slice that is on screen; follows the crosshair once its labels are there. */
  #index = -1;
  #imageDirty = true;
  #marksDirty = true;
  /** What was drawn last will not become better. */
  #sharp = false;
  #loading = false;
  #again = false;
  #preview: SlicePatch | null = null;
  #overlayData = new Map<string, LabelSlice>();
  /** The oblique plane that the overlays were cut by. */
  #cutBy: PaneGeometry["oblique"] = null;
  #cutting = false;
  /** Every oblique plane that this pane has shown has its number. */
  #turns = 0;
  #numbered: PaneGeometry["oblique"] = null;

  constructor(
    private readonly host: PaneHost,
    readonly plane: Plane,
  ) {
    this.geometry = new PaneGeometry(plane, host.session.geometry);
  }

  /** The canvas over the image. */
  get marks(): HTMLCanvasElement | null {
    return this.#marks;
  }

  markOn(canvas: HTMLCanvasElement | null): void {
    this.#marks = canvas;
  }

  get index(): number {
    return this.#index;
  }

  /** What is on screen is of another plane: it is loaded anew, whatever slice is wanted. */
  forget(): void {
    this.#index = -1;
  }

  get imageDirty(): boolean {
    return this.#imageDirty;
  }
  get marksDirty(): boolean {
    return this.#marksDirty;
  }

  redraw(...what: readonly ("image" | "marks")[]): void {
    this.#imageDirty ||= what.includes("image");
    this.#marksDirty ||= what.includes("marks");
  }

  /** Better voxels have come: what is on screen in full stays as it is. */
  sharpen(): void {
    this.#imageDirty ||= !this.#sharp;
  }

  /** It was drawn. `whole`: the image does not go on in the next frame; `isFull`: its slice is there in full. */
  drawn(whole: boolean, isFull: boolean): void {
    if (this.#imageDirty) this.#sharp = isFull && !this.slab && !this.isOblique;
    this.#marksDirty = false;
    this.#imageDirty = !whole;
  }

  /** The slice that is on screen in full, thin and straight; null for none. */
  get sharpSlice(): number | null {
    return this.#sharp && this.geometry.width > 0 ? this.#index : null;
  }

  get slab(): Slab | null {
    return this.host.slabs.value[this.plane];
  }

  /** How thick a slab of `mm` becomes here. */
  thicknessOf(mm: number): number {
    const { mmPerVoxel, layout } = this.geometry;
    if (!this.isOblique) return thicknessOf(mmPerVoxel[layout.across], mm);
    const { side, step } = planesOf(mmPerVoxel, mm);
    return (2 * side + 1) * step;
  }

  /** The value that a straight slab shows at a voxel of its middle slice. */
  seenAt(volume: Volume, ijk: Ijk): number | null {
    const { slab, geometry } = this;
    const { across } = geometry.layout;
    if (!slab) return volume.at(...ijk);
    const [from, to] = slabRange(ijk[across], geometry.slices, geometry.mmPerVoxel[across], slab.mm);
    const along = Array.from({ length: to - from }, (_, n) =>
      volume.at(...perAxis((axis) => (axis === across ? from + n : ijk[axis]))),
    );
    return seenThrough(slab.kind, along);
  }

  /** Not a plain slice of the grid. */
  get isOblique(): boolean {
    return this.geometry.oblique !== null;
  }

  get wanted(): number {
    return this.host.session.cross.value[this.geometry.layout.across];
  }

  /** The slice or oblique plane on screen, as the worker's patches name it. */
  get watched(): Watched {
    const {
      plane,
      geometry: { oblique, mmPerVoxel },
    } = this;
    if (!oblique) return { plane, index: this.wanted };
    if (oblique !== this.#numbered) {
      this.#numbered = oblique;
      this.#turns++;
    }
    return { plane, index: this.#turns, cut: cutOf(oblique.frame, oblique.centre, mmPerVoxel, oblique.raster) };
  }

  /**
   * Fetch what belongs on the wanted slice, then show image and mask together: no mask ever stands on a wrong slice.
   */
  async load(force = false): Promise<void> {
    if (this.isOblique) {
      await this.#loadOblique();
      return;
    }
    if (this.#loading) {
      this.#again ||= force || this.wanted !== this.index;
      return;
    }
    this.#loading = true;
    const { session } = this.host;
    try {
      do {
        this.#again = false;
        const index = this.wanted;
        if (!session.maskReady.value) {
          this.#show(index, null, new Map());
          continue;
        }
        const keys = this.host.overlayKeys();
        const late = setTimeout(() => {
          if (!this.isOblique) this.#show(index, null, new Map());
        }, 80);
        const [labels, overlays] = await Promise.all([
          session.editor.sliceLabels(this.plane, index),
          Promise.all(
            keys.map(async (key) => [key, await session.editor.sliceOverlay(key, this.plane, index)] as const),
          ),
        ]);
        clearTimeout(late);
        if (!this.isOblique) this.#show(index, labels, new Map(overlays));
      } while (!this.isOblique && (this.#again || this.wanted !== this.index));
    } finally {
      this.#loading = false;
    }
  }

  /**
   * An oblique plane: the mask at once, the overlays when the worker has cut them, of the last plane only while one
   * turns.
   */
  async #loadOblique(): Promise<void> {
    const { session } = this.host;
    const isOf = (keys: readonly string[]) =>
      keys.join() === [...this.#overlayData.keys()].join() &&
      (keys.length === 0 || this.#cutBy === this.geometry.oblique);
    const keys = () => (session.maskReady.value ? this.host.overlayKeys() : []);
    this.#show(this.wanted, this.#obliqueLabels(), isOf(keys()) ? this.#overlayData : new Map());
    if (this.#cutting) return;
    this.#cutting = true;
    try {
      while (this.geometry.oblique && !isOf(keys())) {
        const { oblique } = this.geometry;
        const wanted = keys();
        const cut = cutOf(oblique.frame, oblique.centre, this.geometry.mmPerVoxel, oblique.raster);
        const found = await Promise.all(
          wanted.map(async (key) => {
            const { data } = await session.editor.cutOverlay(key, cut);
            return { key, data };
          }),
        );
        if (this.geometry.oblique !== oblique) continue;
        this.#cutBy = oblique;
        const { width, height } = cut;
        this.#show(
          this.wanted,
          this.contents.labels,
          new Map(found.map(({ key, data }) => [key, { index: this.wanted, width, height, data }])),
        );
      }
    } finally {
      this.#cutting = false;
    }
  }

  /** From the copy of the mask that the page keeps. */
  #obliqueLabels(): LabelSlice | null {
    const { session } = this.host;
    const { oblique, mmPerVoxel } = this.geometry;
    if (!oblique || !session.maskReady.value) return null;
    const cut = cutOf(oblique.frame, oblique.centre, mmPerVoxel, oblique.raster);
    const { mirror } = session;
    const data = cutLabels((z, y, x) => mirror?.labelAt(z, y, x) ?? 0, session.geometry.shapeZyx, cut);
    return { index: this.wanted, width: cut.width, height: cut.height, data };
  }

  #show(index: number, labels: LabelSlice | null, overlays: Map<string, LabelSlice>): void {
    this.#index = index;
    this.contents.labels = labels;
    this.#overlayData = overlays;
    this.#tracePreview();
    this.trace();
    this.redraw("image", "marks");
    this.host.schedule();
  }

  /** New labels of a part of the shown slice. */
  patch(patch: SlicePatch): void {
    const labels = this.contents.labels;
    if (!labels || patch.index !== labels.index || this.isOblique) return;
    for (let row = 0; row < patch.height; row++) {
      labels.data.set(
        patch.data.subarray(row * patch.width, (row + 1) * patch.width),
        (patch.y + row) * labels.width + patch.x,
      );
    }
    this.trace();
    this.redraw("marks");
    this.host.schedule();
  }

  setPreview(patch: SlicePatch | null): void {
    if (!patch && !this.#preview) return;
    this.#preview = patch;
    this.#tracePreview();
    this.redraw("marks");
    this.host.schedule();
  }

  /** A preview of another slice waits until that slice is on screen. */
  #tracePreview(): void {
    const patch = this.#preview;
    this.contents.preview = null;
    if (!patch || patch.index !== (this.isOblique ? this.watched.index : this.index)) return;
    const loops = loopsOf(patch.data, patch.width, patch.height, 1).map((loop) =>
      loop.map((v, p) => v + (p & 1 ? patch.y : patch.x)),
    );
    this.contents.preview = pathOf(loops, this.geometry.pathScale);
  }

  /** Outlines and differences of the shown slice, anew. */
  trace(): void {
    const { overlays, anatomy } = this.host.session;
    traceContents(this.contents, this.#overlayData, this.geometry.pathScale, {
      against: overlays.difference.value,
      isLater: overlays.difference.value === CORRECTION,
      heat: overlays.heat.value,
      isShown: (key) => overlays.shown.value.has(key) || anatomy.shown.value.has(key),
    });
  }
}
