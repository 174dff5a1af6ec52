/** The three panes together: what they show, when they draw. One animation frame draws everything that has changed. */

import { effect, signal, type Signal } from "@preact/signals";
import type { Ijk, Plane, SlicePatch } from "../../editor/types";
import { PaneGeometry } from "../image/geometry";
import { difference as compare, outlines, loopsOf, pathOf, type Outlines } from "../image/contour";
import { PLANES, type Session } from "../session";
import type { Slab } from "../image/slab";
import { resliceLabels } from "../image/oblique";
import { settings } from "../settings";
import { heatOf, type Heat } from "./heat";
import { drawMarks } from "./marks";
import type { Line } from "./line";
import type { ImageBackend } from "../image/backend";
import { Cine } from "./cine";
import { Planes } from "./planes";
import { Regions } from "./regions";

/** A line between two grid positions; shown on every pane whose slice holds both. */
export interface Measurement { readonly from: readonly number[]; readonly to: readonly number[] }

export interface Cursor { readonly plane: Plane; readonly x: number; readonly y: number; readonly ijk: Ijk | null; /** Part of the radius that a pen presses. */ readonly reach?: number }

interface LabelSlice { readonly index: number; readonly width: number; readonly height: number; readonly data: Uint8Array }

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
  readonly contents: PaneContents = { labels: null, outlines: [], overlays: [], added: null, removed: null, preview: null, heat: [] };
  marks: HTMLCanvasElement | null = null;
  /** The slice that is on screen; follows `session.cross` once its labels are there. */
  index = -1;
  imageDirty = true;
  marksDirty = true;
  #loading = false;
  #again = false;
  #preview: SlicePatch | null = null;
  #overlayData = new Map<string, LabelSlice>();

  constructor(readonly view: View, readonly plane: Plane) {
    this.geometry = new PaneGeometry(plane, view.session.geometry);
  }

  get slab(): Slab | null { return this.view.slabs.value[this.plane]; }

  /** Not a plain slice of the grid. */
  get askew(): boolean { return this.geometry.oblique !== null; }

  get wanted(): number { return this.view.session.cross.value[this.geometry.layout.across]; }

  /** Fetch what belongs on the wanted slice, then show image and mask together: no mask ever stands on a wrong slice. */
  async load(force = false): Promise<void> {
    if (this.askew) { this.#show(this.wanted, this.#askewLabels(), new Map()); return; }
    if (this.#loading) { this.#again ||= force || this.wanted !== this.index; return; }
    this.#loading = true;
    const { session } = this.view;
    try {
      do {
        this.#again = false;
        const index = this.wanted;
        if (!session.maskReady.value) { this.#show(index, null, new Map()); continue; }
        const keys = this.view.overlayKeys();
        const late = setTimeout(() => this.#show(index, null, new Map()), 80);
        const [labels, ...overlays] = await Promise.all([
          session.editor.sliceLabels(this.plane, index), ...keys.map((key) => session.editor.sliceOverlay(key, this.plane, index)),
        ]);
        clearTimeout(late);
        this.#show(index, labels, new Map(keys.map((key, n) => [key, overlays[n]])));
      } while (!this.askew && (this.#again || this.wanted !== this.index));
    } finally {
      this.#loading = false;
    }
  }

  /** The mask where an oblique plane cuts it, from the copy that the page keeps. */
  #askewLabels(): LabelSlice | null {
    const { session } = this.view;
    const { oblique, mmPerVoxel } = this.geometry;
    if (!oblique || !session.maskReady.value) return null;
    const { width, height } = oblique.raster;
    const data = new Uint8Array(width * height);
    resliceLabels((z) => session.mirror.labels(z), session.geometry.shapeZyx, mmPerVoxel, oblique.frame, oblique.centre, oblique.raster, data);
    return { index: this.wanted, width, height, data };
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
      labels.data.set(patch.data.subarray(row * patch.width, (row + 1) * patch.width), (patch.y + row) * labels.width + patch.x);
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
    if (patch?.index !== this.index || !patch || this.askew) return;
    const loops = loopsOf(patch.data, patch.width, patch.height, 1);
    for (const loop of loops) for (let p = 0; p < loop.length; p += 2) { loop[p] += patch.x; loop[p + 1] += patch.y; }
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
    const readers = this.view.session.heat.value.map((key) => this.#overlayData.get(key)).filter((slice) => slice !== undefined);
    contents.heat = labels && readers.length ? heatOf([labels, ...readers].map(({ data }) => data), labels.width, labels.height, scale) : [];
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

export class View {
  readonly panes: Readonly<Record<Plane, Pane>>;
  readonly cursor: Signal<Cursor | null> = signal(null);
  readonly measurements: Signal<readonly Measurement[]> = signal([]);
  /** The line of lasso or scissors under way. */
  readonly line: Signal<Line | null> = signal(null);
  readonly maximised: Signal<Plane | "surface" | null> = signal(null);
  /** Two by two, the active plane large beside the two others, or one plane beside the same of the subject's other scan. */
  readonly layout: Signal<"four" | "large" | "compare"> = signal("four");
  readonly slabs: Signal<Readonly<Record<Plane, Slab | null>>> = signal({ axial: null, coronal: null, sagittal: null });
  readonly planes = new Planes(this);
  readonly cine = new Cine(this);
  readonly regions = new Regions(this);
  /** Words beside the cursor: what a stroke takes, or why it took nothing. */
  readonly hud: Signal<{ title: string; detail: string; tone: "plain" | "warn" } | null> = signal(null);
  /** Geometry has changed (zoom, pan, size): for scale bars and zoom figures. */
  readonly moved = signal(0);
  readonly zoom = signal(1);
  backend: ImageBackend | null = null;
  #frame = 0;
  readonly #stop: (() => void)[] = [];

  /** `onProcessor`: 2D canvases are kept out of an imitated graphics card, where every stroke of theirs is dear. */
  constructor(readonly session: Session, readonly onProcessor: boolean) {
    this.panes = { axial: new Pane(this, "axial"), coronal: new Pane(this, "coronal"), sagittal: new Pane(this, "sagittal") };
    this.#stop.push(
      effect(() => {
        const cross = session.cross.value;
        const ready = session.maskReady.value;
        this.planes.follow(cross);
        if (ready) void session.editor.watch(PLANES.map((plane) => ({ plane, index: cross[this.panes[plane].geometry.layout.across] })));
        for (const plane of PLANES) {
          const pane = this.panes[plane];
          if (pane.wanted !== pane.index) void pane.load();
        }
        this.redraw("marks");
      }),
      effect(() => {
        void [session.maskReady.value, session.overlaysShown.value, session.overlaysLoaded.value, session.difference.value, session.heat.value, session.anatomy.shown.value];
        for (const plane of PLANES) void this.panes[plane].load(true);
      }),
      effect(() => {
        void [session.window.value, session.fullSlices.value, session.phase.value, settings.value.smooth, this.slabs.value];
        this.redraw("image");
      }),
      effect(() => {
        void [session.hidden.value, session.maskShown.value, settings.value, this.measurements.value, this.cursor.value, this.line.value, session.tool.value,
          session.activePlane.value, session.segment.value, this.regions.list.value, this.regions.selected.value, this.planes.turning.value,
          session.clicks.prompts.value, session.clicks.box.value, session.clicks.drawing.value];
        this.redraw("marks");
      }),
      effect(() => {
        const { proposed } = session.clicks;
        for (const plane of PLANES) this.panes[plane].setPreview(proposed.value?.patches.find((patch) => patch.plane === plane) ?? null);
      }),
      session.editor.on("changed", ({ patches }) => { for (const patch of patches) this.panes[patch.plane].patch(patch); }),
      session.mirror.version.subscribe(() => { if (this.planes.turned.peek()) for (const plane of PLANES) void this.panes[plane].load(); }),
    );
  }

  /** Overlays whose slices the panes need. */
  overlayKeys(): string[] {
    const { overlaysShown, overlaysLoaded, difference, heat, anatomy } = this.session;
    const keys = new Set([...overlaysShown.value, ...heat.value]);
    if (difference.value) keys.add(difference.value);
    return [...[...keys].filter((key) => overlaysLoaded.value.has(key)), ...anatomy.wanted];
  }

  redraw(what: "image" | "marks"): void {
    for (const plane of PLANES) {
      if (what === "image") this.panes[plane].imageDirty = true;
      else this.panes[plane].marksDirty = true;
    }
    this.schedule();
  }

  /** The geometry of a pane has changed. */
  touch(pane: Pane): void {
    pane.imageDirty = pane.marksDirty = true;
    this.moved.value++;
    this.zoom.value = pane.geometry.scale / pane.geometry.fitScale;
    this.schedule();
  }

  /** Go through the slices of a pane; down (towards the feet, the back, the left) is positive. */
  scroll(pane: Pane, slices: number): void {
    const { session } = this;
    if (pane.askew) { this.planes.step(pane, slices); return; }
    const { across, name } = pane.geometry.layout;
    const to = [...session.cross.value];
    // Down an axial stack goes towards the feet, as on a film; elsewhere with the index.
    const sign = name === "Axial" && session.geometry.lpsFromIjk[2][across] > 0 ? -1 : 1;
    to[across] += slices * sign;
    session.goTo(to);
  }

  schedule(): void {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    const started = performance.now();
    const { session } = this;
    let drawn = 0;
    for (const plane of PLANES) {
      const pane = this.panes[plane];
      if (!pane.geometry.width || pane.index < 0 || !session.volume.value) continue;
      if (pane.imageDirty && this.backend) this.backend.draw(pane, session.window.value, settings.value.smooth);
      if (pane.marksDirty && pane.marks) drawMarks(this, pane, pane.marks);
      if (pane.imageDirty) drawn++;
      pane.imageDirty = pane.marksDirty = false;
    }
    if (drawn) session.frameMs.value = performance.now() - started;
    if (drawn === 3) session.times.usable ??= performance.now();
  }

  resetViews(): void {
    this.planes.straighten();
    this.slabs.value = { axial: null, coronal: null, sagittal: null };
    for (const plane of PLANES) { this.panes[plane].geometry.fit(); this.touch(this.panes[plane]); }
    this.zoom.value = 1;
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.cine.stop();
    cancelAnimationFrame(this.#frame);
    this.backend?.close();
  }
}
