/** The three panes together: what they show and what is marked on them. Draws nothing: it asks to be drawn. */

import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { Ijk, Plane } from "../../editor/types";
import { settings } from "../../ground/settings";
import { middleOf } from "../geometry/grid";
import type { Slab } from "../geometry/slab";
import { PLANES, type ScanSession } from "../scan/session";
import { Cine } from "./cine";
import type { Cursor, Hud, Line, Measurement } from "./marks";
import { Pane, type Panes } from "./pane";
import { Planes } from "./planes";
import { Regions } from "./regions";

/** One plane alone, or the surface. */
export type Maximised = Plane | "surface" | null;

/**
 * Two by two, the active plane large beside the two others, or one plane beside the same of the subject's other scan.
 */
export type Layout = "four" | "large" | "compare";

export type Slabs = Readonly<Record<Plane, Slab | null>>;

const NO_SLABS: Slabs = { axial: null, coronal: null, sagittal: null };

export class Stage {
  readonly panes: Panes;
  readonly planes: Planes;
  readonly cine: Cine;
  readonly regions: Regions;
  readonly #cursor = signal<Cursor | null>(null);
  readonly cursor: ReadonlySignal<Cursor | null> = this.#cursor;
  readonly #measurements = signal<readonly Measurement[]>([]);
  readonly measurements: ReadonlySignal<readonly Measurement[]> = this.#measurements;
  readonly #line = signal<Line | null>(null);
  /** The line of lasso or scissors under way. */
  readonly line: ReadonlySignal<Line | null> = this.#line;
  readonly #maximised = signal<Maximised>(null);
  readonly maximised: ReadonlySignal<Maximised> = this.#maximised;
  readonly #layout = signal<Layout>("four");
  readonly layout: ReadonlySignal<Layout> = this.#layout;
  readonly #slabs = signal(NO_SLABS);
  readonly slabs: ReadonlySignal<Slabs> = this.#slabs;
  readonly #said = signal<Hud | null>(null);
  readonly #refusal = signal<Hud | null>(null);
  /** Words beside the cursor. Why nothing is possible here comes before what a tool has said, even said later. */
  readonly hud: ReadonlySignal<Hud | null> = computed(() => this.#refusal.value ?? this.#said.value);
  readonly #moved = signal(0);
  /** Geometry has changed (zoom, pan, size): for scale bars and zoom figures. */
  readonly moved: ReadonlySignal<number> = this.#moved;
  readonly #zoom = signal(1);
  readonly zoom: ReadonlySignal<number> = this.#zoom;
  #draw: () => void = () => undefined;
  #frame = 0;
  #lastCross: Ijk;
  readonly #stop: (() => void)[] = [];

  constructor(readonly session: ScanSession) {
    this.#lastCross = session.cross.peek();
    this.panes = {
      axial: new Pane(this, "axial"),
      coronal: new Pane(this, "coronal"),
      sagittal: new Pane(this, "sagittal"),
    };
    this.planes = new Planes(this);
    this.cine = new Cine(this);
    this.regions = new Regions(session, this.panes);
    this.#stop.push(...this.#follow(), ...this.#askForImages(), ...this.#askForMarks());
  }

  /** What the panes show follows the scan: crosshair, overlays, strokes. */
  #follow(): (() => void)[] {
    const { session } = this;
    return [
      effect(() => {
        const cross = session.cross.value;
        void session.maskReady.value;
        this.planes.follow(cross);
        untracked(() => this.#keepInView(cross));
        this.watch();
        for (const plane of PLANES) {
          const pane = this.panes[plane];
          if (pane.wanted !== pane.index) void pane.load();
        }
        this.redraw("marks");
      }),
      effect(() => {
        void [session.maskReady.value, session.overlays.changed.value, session.anatomy.shown.value];
        for (const plane of PLANES) void this.panes[plane].load(true);
      }),
      effect(() => {
        const { proposed } = session.clicks;
        for (const plane of PLANES)
          this.panes[plane].setPreview(proposed.value?.patches.find((patch) => patch.plane === plane) ?? null);
      }),
      session.editor.on("changed", ({ patches }) => {
        for (const patch of patches) this.panes[patch.plane].patch(patch);
      }),
      effect(() => {
        void session.mirror?.version.value;
        if (this.planes.turned.peek()) for (const plane of PLANES) void this.panes[plane].load();
      }),
    ];
  }

  #askForImages(): (() => void)[] {
    const { session } = this;
    return [
      effect(() => {
        void [session.window.value, session.filled.value, session.phase.value, settings.value.smooth, this.slabs.value];
        this.redraw("image");
      }),
      effect(() => {
        if (!session.fullSlices.value) return;
        for (const plane of PLANES) this.panes[plane].sharpen();
        this.schedule();
      }),
      effect(() => {
        if (this.planes.turned.value || PLANES.some((plane) => this.slabs.value[plane])) void session.fill();
      }),
    ];
  }

  #askForMarks(): (() => void)[] {
    const { session } = this;
    const { selection, clicks } = session;
    return [
      effect(() => {
        void [
          selection.hidden.value,
          selection.maskShown.value,
          selection.tool.value,
          selection.segment.value,
          session.activePlane.value,
          settings.value,
          this.measurements.value,
          this.cursor.value,
          this.line.value,
          this.regions.list.value,
          this.regions.selected.value,
          this.planes.turning.value,
          clicks.prompts.value,
          clicks.box.value,
          clicks.drawing.value,
        ];
        this.redraw("marks");
      }),
      effect(() => {
        void [selection.tool.value, this.slabs.value, this.planes.turned.value];
        this.refuse(null);
      }),
    ];
  }

  /** Words beside the cursor; null for none. */
  say(hud: Hud | null): void {
    this.#said.value = hud;
  }

  warn(title: string): void {
    this.say({ title, detail: "", tone: "warn" });
  }

  /** Why the chosen tool does nothing where the pointer is; null when it works. */
  refuse(why: string | null): void {
    this.#refusal.value = why === null ? null : { title: why, detail: "", tone: "warn" };
  }

  point(cursor: Cursor | null): void {
    this.#cursor.value = cursor;
  }

  measure(measurements: readonly Measurement[]): void {
    this.#measurements.value = measurements;
  }

  trace(line: Line | null): void {
    this.#line.value = line;
  }

  maximise(what: Maximised): void {
    this.#maximised.value = what;
  }

  arrange(layout: Layout): void {
    this.#layout.value = layout;
  }

  showSlabs(slabs: Slabs): void {
    this.#slabs.value = slabs;
  }

  /** Overlays whose slices the panes need. */
  overlayKeys(): string[] {
    return [...this.session.overlays.wanted, ...this.session.anatomy.wanted];
  }

  /** Tells the worker what is on screen: previews, and the changes of straight slices, come for that. */
  watch(): void {
    if (!this.session.maskReady.peek()) return;
    void this.session.editor.watch(PLANES.map((plane) => this.panes[plane].watched));
    this.session.clicks.again();
  }

  redraw(what: "image" | "marks"): void {
    for (const plane of PLANES) this.panes[plane].redraw(what);
    this.schedule();
  }

  /** The geometry of a pane has changed. */
  touch(pane: Pane): void {
    pane.redraw("image", "marks");
    this.#moved.value++;
    this.#zoom.value = pane.geometry.scale / pane.geometry.fitScale;
    this.schedule();
  }

  /** Go through the slices of a pane; down (towards the feet, the back, the left) is positive. */
  scroll(pane: Pane, slices: number): void {
    const { session } = this;
    if (pane.isOblique) {
      this.planes.step(pane, slices);
      return;
    }
    const { across, name } = pane.geometry.layout;
    // Down an axial stack goes towards the feet, as on a film; elsewhere with the index.
    const sign = name === "Axial" && session.geometry.lpsFromIjk[2][across] > 0 ? -1 : 1;
    session.goTo(session.cross.value.map((v, axis) => (axis === across ? v + slices * sign : v)));
  }

  /** Zoom by a factor, round the crosshair: what one looks at stays in sight. */
  zoomBy(pane: Pane, factor: number): void {
    const { geometry } = pane;
    const at = middleOf(this.session.cross.value);
    if (!geometry.isInSight(at)) geometry.centreOn(at);
    geometry.zoomAt(factor, ...geometry.toScreen(at));
    this.touch(pane);
  }

  /** A crosshair that has gone to where a pane does not reach brings the pane along; slice by slice it stays. */
  #keepInView(cross: Ijk): void {
    const before = this.#lastCross;
    this.#lastCross = cross;
    for (const plane of PLANES) {
      const { geometry } = this.panes[plane];
      const { right, down } = geometry.layout;
      const isMoved = cross[right] !== before[right] || cross[down] !== before[down];
      if (!isMoved || !geometry.width || geometry.isInSight(middleOf(cross))) continue;
      geometry.centreOn(middleOf(cross));
      this.touch(this.panes[plane]);
    }
  }

  /** From now on this draws what asked for it, once a frame. */
  drawnBy(draw: () => void): void {
    this.#draw = draw;
  }

  schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  resetViews(): void {
    this.planes.straighten();
    this.showSlabs(NO_SLABS);
    for (const plane of PLANES) {
      this.panes[plane].geometry.fit();
      this.touch(this.panes[plane]);
    }
    this.#zoom.value = 1;
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.cine.stop();
    cancelAnimationFrame(this.#frame);
  }
}
