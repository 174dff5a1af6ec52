/** One pane: what it shows of its plane beside the image, kept in step with the slice on screen. */

import { cutLabels } from "../../editor/cut";
import type { Watched } from "../../editor/patches";
import type { Plane, SlicePatch } from "../../editor/types";
import { difference as compare, loopsOf, outlines, pathOf, type Outlines } from "../image/contour";
import { PaneGeometry } from "../image/geometry";
import { cutOf } from "../image/oblique";
import type { Slab } from "../image/slab";
import { heatOf, type Heat } from "./heat";
import type { View } from "./view";

interface LabelSlice {
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What one pane shows of its slice beside the image. */
export interface PaneContents {
  labels: LabelSlice | null;
  outlines: Outlines[];
  overlays: { key: string; outlines: Outlines[] }[];
  added: Path2D | null;
  removed: Path2D | null;
  preview: Path2D | null;
  heat: readonly Heat[];
}

export class Pane {
  readonly geometry: PaneGeometry;
  readonly contents: PaneContents = {
    labels: null,
    outlines: [],
    overlays: [],
    added: null,
    removed: null,
    preview: null,
    heat: [],
  };
  marks: HTMLCanvasElement | null = null;
  /** The slice that is on screen; follows `session.cross` once its labels are there. */
  index = -1;
  imageDirty = true;
  marksDirty = true;
  /** What was drawn last will not become better. */
  sharp = false;
  #loading = false;
  #again = false;
  #preview: SlicePatch | null = null;
  #overlayData = new Map<string, LabelSlice>();
  /** The oblique plane that the overlays were cut by. */
  #cutBy: PaneGeometry["oblique"] = null;
  #cutting = false;
  /** Every way that this pane has stood askew has its number. */
  #turns = 0;
  #numbered: PaneGeometry["oblique"] = null;

  constructor(
    readonly view: View,
    readonly plane: Plane,
  ) {
    this.geometry = new PaneGeometry(plane, view.session.geometry);
  }

  get slab(): Slab | null {
    return this.view.slabs.value[this.plane];
  }

  /** Not a plain slice of the grid. */
  get askew(): boolean {
    return this.geometry.oblique !== null;
  }

  get wanted(): number {
    return this.view.session.cross.value[this.geometry.layout.across];
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

  /** Fetch what belongs on the wanted slice, then show image and mask together: no mask ever stands on a wrong slice. */
  async load(force = false): Promise<void> {
    if (this.askew) {
      await this.#loadAskew();
      return;
    }
    if (this.#loading) {
      this.#again ||= force || this.wanted !== this.index;
      return;
    }
    this.#loading = true;
    const { session } = this.view;
    try {
      do {
        this.#again = false;
        const index = this.wanted;
        if (!session.maskReady.value) {
          this.#show(index, null, new Map());
          continue;
        }
        const keys = this.view.overlayKeys();
        const late = setTimeout(() => {
          if (!this.askew) this.#show(index, null, new Map());
        }, 80);
        const [labels, ...overlays] = await Promise.all([
          session.editor.sliceLabels(this.plane, index),
          ...keys.map((key) => session.editor.sliceOverlay(key, this.plane, index)),
        ]);
        clearTimeout(late);
        if (!this.askew) this.#show(index, labels, new Map(keys.map((key, n) => [key, overlays[n]])));
      } while (!this.askew && (this.#again || this.wanted !== this.index));
    } finally {
      this.#loading = false;
    }
  }

  /** An oblique plane: the mask at once, the overlays when the worker has cut them, of the last plane only while one turns. */
  async #loadAskew(): Promise<void> {
    const { session } = this.view;
    const isOf = (keys: readonly string[]) =>
      keys.join() === [...this.#overlayData.keys()].join() &&
      (keys.length === 0 || this.#cutBy === this.geometry.oblique);
    const keys = () => (session.maskReady.value ? this.view.overlayKeys() : []);
    this.#show(this.wanted, this.#askewLabels(), isOf(keys()) ? this.#overlayData : new Map());
    if (this.#cutting) return;
    this.#cutting = true;
    try {
      while (this.geometry.oblique && !isOf(keys())) {
        const { oblique } = this.geometry;
        const wanted = keys();
        const cut = cutOf(oblique.frame, oblique.centre, this.geometry.mmPerVoxel, oblique.raster);
        const found = await Promise.all(wanted.map((key) => session.editor.cutOverlay(key, cut)));
        if (this.geometry.oblique !== oblique) continue;
        this.#cutBy = oblique;
        const { width, height } = cut;
        this.#show(
          this.wanted,
          this.contents.labels,
          new Map(wanted.map((key, n) => [key, { index: this.wanted, width, height, data: found[n].data }])),
        );
      }
    } finally {
      this.#cutting = false;
    }
  }

  /** From the copy of the mask that the page keeps. */
  #askewLabels(): LabelSlice | null {
    const { session } = this.view;
    const { oblique, mmPerVoxel } = this.geometry;
    if (!oblique || !session.maskReady.value) return null;
    const cut = cutOf(oblique.frame, oblique.centre, mmPerVoxel, oblique.raster);
    const [depth, , columns] = session.geometry.shapeZyx;
    const slices = Array.from({ length: depth }, (_, z) => session.mirror.labels(z));
    const data = cutLabels((z, y, x) => slices[z]?.[y * columns + x] ?? 0, session.geometry.shapeZyx, cut);
    return { index: this.wanted, width: cut.width, height: cut.height, data };
  }

  #show(index: number, labels: LabelSlice | null, overlays: Map<string, LabelSlice>): void {
    this.index = index;
    this.contents.labels = labels;
    this.#overlayData = overlays;
    this.#tracePreview();
    this.trace();
    this.imageDirty = this.marksDirty = true;
    this.view.schedule();
  }

  /** New labels of a part of the shown slice. */
  patch(patch: SlicePatch): void {
    const labels = this.contents.labels;
    if (!labels || patch.index !== labels.index || this.askew) return;
    for (let row = 0; row < patch.height; row++) {
      labels.data.set(
        patch.data.subarray(row * patch.width, (row + 1) * patch.width),
        (patch.y + row) * labels.width + patch.x,
      );
    }
    this.trace();
    this.marksDirty = true;
    this.view.schedule();
  }

  setPreview(patch: SlicePatch | null): void {
    if (!patch && !this.#preview) return;
    this.#preview = patch;
    this.#tracePreview();
    this.marksDirty = true;
    this.view.schedule();
  }

  /** A preview of another slice waits until that slice is on screen. */
  #tracePreview(): void {
    const patch = this.#preview;
    this.contents.preview = null;
    if (!patch || patch.index !== (this.askew ? this.watched.index : this.index)) return;
    const loops = loopsOf(patch.data, patch.width, patch.height, 1);
    for (const loop of loops)
      for (let p = 0; p < loop.length; p += 2) {
        loop[p] += patch.x;
        loop[p + 1] += patch.y;
      }
    this.contents.preview = pathOf(loops, this.geometry.pathScale);
  }

  /** Outlines and differences of the shown slice, anew. */
  trace(): void {
    const { contents } = this;
    const labels = contents.labels;
    const scale = this.geometry.pathScale;
    contents.outlines = labels ? outlines(labels.data, labels.width, labels.height, scale) : [];
    contents.overlays = [];
    contents.added = contents.removed = null;
    const against = this.view.session.difference.value;
    const readers = this.view.session.heat.value
      .map((key) => this.#overlayData.get(key))
      .filter((slice) => slice !== undefined);
    contents.heat =
      labels && readers.length
        ? heatOf(
            [labels, ...readers].map(({ data }) => data),
            labels.width,
            labels.height,
            scale,
          )
        : [];
    for (const [key, slice] of this.#overlayData) {
      if (key === against && labels) {
        const difference = compare(labels.data, slice.data);
        contents.added = pathOf(loopsOf(difference, slice.width, slice.height, 1), scale);
        contents.removed = pathOf(loopsOf(difference, slice.width, slice.height, 2), scale);
      }
      if (this.view.session.overlaysShown.value.has(key) || this.view.session.anatomy.shown.value.has(key)) {
        contents.overlays.push({ key, outlines: outlines(slice.data, slice.width, slice.height, scale) });
      }
    }
  }
}
