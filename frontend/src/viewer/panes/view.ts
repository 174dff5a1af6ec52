/** The three panes together: what they show, when they draw. One animation frame draws everything that has changed. */

import { effect, signal, type Signal } from "@preact/signals";
import type { Ijk, Plane } from "../../editor/types";
import { PLANES, type Session } from "../session";
import type { Slab } from "../image/slab";
import { settings } from "../settings";
import { drawMarks } from "./marks";
import type { Line } from "./line";
import type { ImageBackend } from "../image/backend";
import { Cine } from "./cine";
import { Pane } from "./pane";
import { Planes } from "./planes";
import { Regions } from "./regions";

export { Pane } from "./pane";

/** A line between two grid positions; shown on every pane whose slice holds both. */
export interface Measurement {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

export interface Cursor {
  readonly plane: Plane;
  readonly x: number;
  readonly y: number;
  readonly ijk: Ijk | null /** Part of the radius that a pen presses. */;
  readonly reach?: number;
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
  constructor(
    readonly session: Session,
    readonly onProcessor: boolean,
  ) {
    this.panes = {
      axial: new Pane(this, "axial"),
      coronal: new Pane(this, "coronal"),
      sagittal: new Pane(this, "sagittal"),
    };
    this.#stop.push(
      effect(() => {
        const cross = session.cross.value;
        void session.maskReady.value;
        this.planes.follow(cross);
        this.watch();
        for (const plane of PLANES) {
          const pane = this.panes[plane];
          if (pane.wanted !== pane.index) void pane.load();
        }
        this.redraw("marks");
      }),
      effect(() => {
        void [
          session.maskReady.value,
          session.overlaysShown.value,
          session.overlaysLoaded.value,
          session.difference.value,
          session.heat.value,
          session.anatomy.shown.value,
        ];
        for (const plane of PLANES) void this.panes[plane].load(true);
      }),
      effect(() => {
        void [session.window.value, session.filled.value, session.phase.value, settings.value.smooth, this.slabs.value];
        this.redraw("image");
      }),
      effect(() => {
        if (session.fullSlices.value) this.#arrived();
      }),
      effect(() => {
        if (this.planes.turned.value || PLANES.some((plane) => this.slabs.value[plane])) void session.fill();
      }),
      effect(() => {
        void [
          session.hidden.value,
          session.maskShown.value,
          settings.value,
          this.measurements.value,
          this.cursor.value,
          this.line.value,
          session.tool.value,
          session.activePlane.value,
          session.segment.value,
          this.regions.list.value,
          this.regions.selected.value,
          this.planes.turning.value,
          session.clicks.prompts.value,
          session.clicks.box.value,
          session.clicks.drawing.value,
        ];
        this.redraw("marks");
      }),
      effect(() => {
        const { proposed } = session.clicks;
        for (const plane of PLANES)
          this.panes[plane].setPreview(proposed.value?.patches.find((patch) => patch.plane === plane) ?? null);
      }),
      session.editor.on("changed", ({ patches }) => {
        for (const patch of patches) this.panes[patch.plane].patch(patch);
      }),
      session.mirror.version.subscribe(() => {
        if (this.planes.turned.peek()) for (const plane of PLANES) void this.panes[plane].load();
      }),
    );
  }

  /** Overlays whose slices the panes need. */
  overlayKeys(): string[] {
    const { overlaysShown, overlaysLoaded, difference, heat, anatomy } = this.session;
    const keys = new Set([...overlaysShown.value, ...heat.value]);
    if (difference.value) keys.add(difference.value);
    return [...[...keys].filter((key) => overlaysLoaded.value.has(key)), ...anatomy.wanted];
  }

  /** Tells the worker what is on screen: previews, and the changes of straight slices, come for that. */
  watch(): void {
    if (!this.session.maskReady.peek()) return;
    void this.session.editor.watch(PLANES.map((plane) => this.panes[plane].watched));
    this.session.clicks.again();
  }

  redraw(what: "image" | "marks"): void {
    for (const plane of PLANES) this.panes[plane][what === "image" ? "imageDirty" : "marksDirty"] = true;
    this.schedule();
  }

  /** Slices have come in full. What is on screen in full stays as it is. */
  #arrived(): void {
    for (const plane of PLANES) this.panes[plane].imageDirty ||= !this.panes[plane].sharp;
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
    if (pane.askew) {
      this.planes.step(pane, slices);
      return;
    }
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
      const whole =
        !pane.imageDirty || !this.backend || this.backend.draw(pane, session.window.value, settings.value.smooth);
      if (pane.marksDirty && pane.marks) drawMarks(this, pane, pane.marks);
      if (pane.imageDirty) {
        pane.sharp = plane === "axial" && !pane.slab && !pane.askew && session.volume.value.full[pane.index] === 1;
        drawn++;
      }
      pane.marksDirty = false;
      pane.imageDirty = !whole;
      if (!whole) this.schedule();
    }
    if (drawn) session.frameMs.value = performance.now() - started;
    if (drawn === 3) session.times.usable ??= performance.now();
  }

  resetViews(): void {
    this.planes.straighten();
    this.slabs.value = { axial: null, coronal: null, sagittal: null };
    for (const plane of PLANES) {
      this.panes[plane].geometry.fit();
      this.touch(this.panes[plane]);
    }
    this.zoom.value = 1;
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.cine.stop();
    cancelAnimationFrame(this.#frame);
    this.backend?.close();
  }
}
