/** One opened scan: its voxels, its mask, what is looked at and chosen. Everything on the page reads these signals. */

import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { type EditorClient, openEditor } from "../../editor/client";
import { amountOf, type Unit, unitOf } from "../../ground/amount";
import type { Beside, Box, Ijk, Plane } from "../../editor/types";
import { askAgain } from "../../ground/again";
import { call } from "../../ground/api";
import { type Context, workingLayer } from "../../ground/context";
import type { Layer, Segment, VolumeIndex } from "../../ground/contract";
import * as shape from "../../ground/shapes";
import { t } from "../../ground/language";
import type { Preview } from "../../load/enlarge";
import { firstImages } from "../../load/pace";
import { prefetchNext } from "../../load/prefetch";
import { fetchKept } from "../../load/shelf";
import { roomFor, type Volume } from "../../load/volume";
import type { GridGeometry } from "../geometry/grid";
import { frontOf, type Scout, scoutOf } from "../geometry/scout";
import { firstWindow, PRESETS, type Window } from "../geometry/window";
import { Anatomy } from "./anatomy";
import { loadAnatomy, loadOverlays, loadProbability } from "./beside";
import { Clicks } from "./clicking";
import { Looks } from "./looks";
import { OpenMask } from "./mask";
import { MaskMirror } from "./mirror";
import { Notices } from "./notices";
import { optionsOf } from "./options";
import { Overlays } from "./overlays";
import { Selection } from "./selection";
import { Voxels } from "./voxels";

export type Phase = "opening" | "preview" | "complete" | "failed";

export const PLANES: readonly Plane[] = ["axial", "sagittal", "coronal"];

export class ScanSession {
  readonly layer: Layer;
  readonly segments: readonly Segment[];
  readonly colours: ReadonlyMap<number, string>;
  readonly anatomy: Anatomy;
  readonly voxels = new Voxels();
  readonly volume = this.voxels.volume;
  readonly fullSlices = this.voxels.fullSlices;
  readonly filled = this.voxels.filled;
  readonly trouble = this.voxels.trouble;
  /** Slices that are damaged: the scan cannot be handed in. */
  readonly lostSlices = this.voxels.lostSlices;
  readonly overlays = new Overlays();
  readonly notices = new Notices();
  readonly looks: Looks;
  readonly #mask = new OpenMask(
    this.notices,
    () => this.beside,
    (box) => this.#maskChanged(box),
  );
  readonly maskReady = this.#mask.ready;
  readonly restored = this.#mask.restored;
  readonly save = this.#mask.save;
  readonly keeping = this.#mask.keeping;
  readonly stats = this.#mask.stats;
  readonly history = this.#mask.history;
  readonly strokes = this.#mask.strokes;
  readonly lesions = this.#mask.lesions;
  readonly selection: Selection;
  readonly clicks: Clicks;
  #editor: EditorClient | null = null;
  #index: VolumeIndex | null = null;
  #geometry: GridGeometry | null = null;
  #mirror: MaskMirror | null = null;
  #scout: Scout | null = null;

  readonly #phase = signal<Phase>("opening");
  readonly phase: ReadonlySignal<Phase> = this.#phase;
  readonly #failure = signal("");
  readonly failure: ReadonlySignal<string> = this.#failure;
  readonly #limitShown = signal(false);
  /** The lung limit has come. */
  readonly limitShown: ReadonlySignal<boolean> = this.#limitShown;
  readonly #nextLoaded = signal(0);
  /** Share of the next scan that has come. */
  readonly nextLoaded: ReadonlySignal<number> = this.#nextLoaded;
  readonly #window = signal<Window>(PRESETS[0]);
  readonly window: ReadonlySignal<Window> = this.#window;
  readonly #cross = signal<Ijk>([0, 0, 0]);
  /** Where the crosshair stands (voxel). */
  readonly cross: ReadonlySignal<Ijk> = this.#cross;
  readonly #activePlane = signal<Plane>("axial");
  readonly activePlane: ReadonlySignal<Plane> = this.#activePlane;
  readonly #working = signal<string | null>(null);
  /** An operation that is under way, in words; brushes wait for it. */
  readonly working: ReadonlySignal<string | null> = this.#working;
  readonly #frameMs = signal(0);
  readonly frameMs: ReadonlySignal<number> = this.#frameMs;
  readonly #times: { usable: number | null; complete: number | null } = { usable: null, complete: null };
  readonly editable = computed(() => this.context.can.edit && this.save.value.kind !== "read-only");
  readonly #leaving = new AbortController();
  /** Aborted when the scan is left. */
  readonly leaving = this.#leaving.signal;

  constructor(readonly context: Context) {
    this.layer = workingLayer(context);
    this.looks = new Looks(context.scan.shape_zyx[0], context.seen.slices);
    this.segments = this.layer.segments;
    this.anatomy = new Anatomy(context, this.layer);
    this.colours = new Map(this.segments.map(({ id, colour }) => [id, colour]));
    this.selection = new Selection(this.segments[0]?.id ?? 1, context.can.edit ? "grow" : "select");
    this.clicks = new Clicks(this);
  }

  /** The editor's worker. From the phase "preview" on. */
  get editor(): EditorClient {
    return known(this.#editor);
  }
  get index(): VolumeIndex {
    return known(this.#index);
  }
  get geometry(): GridGeometry {
    return known(this.#geometry);
  }
  /** The page's copy of the mask; null until the editor runs. */
  get mirror(): MaskMirror | null {
    return this.#mirror;
  }
  /** The patient from the front, once the preview is there; an X-ray has none. */
  get scout(): Scout | null {
    return this.#scout;
  }
  /** Milliseconds from the start of the page to the first drawn three planes, and to full resolution. */
  get times(): Readonly<{ usable: number | null; complete: number | null }> {
    return this.#times;
  }

  /** What is marked lies in the lungs. */
  get isInLungs(): boolean {
    return this.layer.limit === "lungs";
  }

  /** Preview, mask and limit side by side; then the slices. Resolves when all is there; never rejects. */
  async open(): Promise<void> {
    try {
      const index =
        this.context.scan.index ?? (await call("GET", this.context.scan.volume, undefined, shape.VolumeIndex));
      this.#take(index);
      const limit = this.isInLungs ? index.limit : null;
      const room = roomFor(index);
      const sketched = this.voxels.sketch(index, room);
      sketched.catch(() => undefined); // told below
      const editor = await openEditor(optionsOf(this.context, this.layer, index, limit?.background_hu ?? null, room));
      this.#editor = editor;
      this.#mirror = new MaskMirror(editor, index.shape_zyx);
      this.#mask.listen(editor);
      const opening = editor.open();
      this.#showPreview(index, await sketched);
      this.#mask.take(await opening);
      await firstImages(this.#times);
      this.#mask.show(editor);
      await Promise.all([
        this.#loadLimit(limit && askAgain(() => fetchKept(limit.url), this.leaving)).then(() => loadAnatomy(this)),
        loadOverlays(this),
        loadProbability(this),
        this.voxels.stream(index, this.#cross.value[2], (z0, count, hu) =>
          hu ? void editor.putSlices(z0, hu) : void editor.slicesArrived(z0, count),
        ),
      ]);
      this.#times.complete = performance.now();
      this.#phase.value = "complete";
      this.#scout?.settle();
      this.voxels.close();
      this.#mask.countLesions(editor);
      const tell = (share: number) => {
        this.#nextLoaded.value = share;
      };
      await prefetchNext(this.context.next, tell, this.#leaving.signal);
    } catch (error) {
      this.#failure.value = error instanceof Error ? error.message : String(error);
      this.#phase.value = "failed";
    }
  }

  #take(index: VolumeIndex): void {
    const { shape_zyx: shape, spacing_mm_zyx: spacing, lps_from_ijk: lps } = index;
    const { level, width } = firstWindow(index, this.isInLungs);
    this.#index = index;
    this.#geometry = { shapeZyx: shape, spacingMmZyx: spacing, lpsFromIjk: lps };
    this.#window.value = { level, width };
    this.#cross.value = [shape[2] >> 1, shape[1] >> 1, shape[0] >> 1];
  }

  /** Makes this tab the one that draws. */
  takeOver(): Promise<void> {
    return this.#mask.takeOver(this.editor);
  }

  #maskChanged(box: Box | null): void {
    if (box) this.#mirror?.touch(box.z0, box.z1);
    else this.#mirror?.touchAll();
    if (box) this.anatomy.changed();
  }

  #showPreview(index: VolumeIndex, { volume, preview }: { volume: Volume; preview: Preview }): void {
    if (index.shape_zyx[0] > 1) this.#scout = scoutOf(preview.voxels, index.preview.shape_zyx, frontOf(this.geometry));
    batch(() => {
      this.voxels.show(volume);
      this.#phase.value = "preview";
    });
    void this.editor.putPreview(preview.voxels.slice(), preview.from, preview.step, preview.huLo, preview.huStep);
  }

  /** Let every slice hold voxels, those of the preview at least. */
  fill(): Promise<void> {
    return this.voxels.fill();
  }

  async #loadLimit(coming: Promise<Uint8Array> | null): Promise<void> {
    if (!coming) return;
    await this.editor.putLimit(await coming);
    this.#mirror?.limitArrived();
    this.#limitShown.value = true;
  }

  /** What the list of lesions is told beside: the pre-annotation, and lobes (or lungs) where there are any. */
  get beside(): Beside {
    const { loaded, layers } = this.anatomy;
    return {
      model: this.overlays.loaded.value.has("prediction") ? "prediction" : null,
      anatomy: layers.find(({ key }) => loaded.value.has(key))?.key ?? null,
    };
  }

  /** Put the crosshair on a voxel; the panes follow. */
  goTo([i = 0, j = 0, k = 0]: readonly number[]): void {
    const [depth, rows, columns] = this.geometry.shapeZyx;
    const clamp = (v: number, n: number) => Math.min(Math.max(Math.round(v), 0), n - 1);
    const to: Ijk = [clamp(i, columns), clamp(j, rows), clamp(k, depth)];
    this.voxels.lookAt(to[2]);
    const from = this.#cross.value;
    if (to.some((v, n) => v !== from[n])) this.#cross.value = to;
  }

  /** The plane that keys and buttons work on. */
  activate(plane: Plane): void {
    this.#activePlane.value = plane;
  }

  showWindow(window: Window): void {
    this.#window.value = window;
  }

  /** An operation begins; `words` say which. */
  beginWork(words: string): void {
    this.#working.value = words;
  }

  finishWork(): void {
    this.#working.value = null;
  }

  /** A frame was drawn that had begun at `started`; `all`: the images of all three planes are on screen. */
  noteFrame(started: number, all: boolean): void {
    this.#frameMs.value = performance.now() - started;
    if (all) this.#times.usable ??= performance.now();
  }

  /** mL of a segment; 0 when nothing is marked. */
  mlOf(segment: number): number {
    return this.#mask.mlOf(segment);
  }

  get voxelMl(): number {
    return amountOf(1, this.geometry.shapeZyx, this.geometry.spacingMmZyx);
  }

  /** An X-ray has areas, not volumes, and no HU. */
  get unit(): Unit {
    return unitOf(this.context.scan.shape_zyx);
  }
  get valueUnit(): string {
    return this.context.scan.modality === "CT" ? " HU" : "";
  }

  segmentName(id: number): string {
    return this.segments.find((s) => s.id === id)?.name ?? t("Segment {id}", { id });
  }

  close(): void {
    this.#leaving.abort();
    this.looks.close();
    this.voxels.close();
    void this.#editor?.close();
  }
}

/** What is there once the scan is open. Throws before. */
function known<T>(value: T | null): T {
  if (value === null) throw new Error("The scan is not open yet.");
  return value;
}
