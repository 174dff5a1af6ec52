/**
 * The editor of one layer behind the calls of `Calls`: tools and operations here, what is looked at in `scene`,
 * journal and saving in `line`. Runs in a worker; it knows no DOM, so that the tests run the same code.
 */

import { amountOf } from "../ground/amount";
import type { Calls } from "./calls";
import type { Disagreement, Keep } from "./disagreement";
import { Drawing, effectOf } from "./drawing";
import type { SparseMask } from "./sparsemask";
import { letGo } from "./handover";
import { Line } from "./line";
import { Looking } from "./looking";
import { Mask } from "./mask";
import { decodeMessage } from "./message";
import { niftiOf } from "./nifti";
import { operate } from "./operations";
import { type ClickFacts, clickEffect } from "./operations/click";
import type { Effect } from "./operations/effect";
import { regrown } from "./operations/proposed";
import { type Watched, patchesOf } from "./patches";
import { Scene } from "./scene";
import { tally } from "./runs";
import { Stepping } from "./stepping";
import type { Surroundings } from "./surroundings";
import type {
  DabResult,
  EditorOptions,
  GrowRefusal,
  HistoryState,
  Ijk,
  Opened,
  Operation,
  OperationResult,
  Preview,
  Proposed,
  SaveState,
  StepResult,
  Stroke,
  Tool,
  Zyx,
} from "./types";
import { uuid } from "./uuid";

export class EditorSession extends Looking implements Calls {
  #line!: Line;
  #drawing: Drawing | null = null;
  /** The last stroke of the growing brush, to step it. */
  #stepping: Stepping | null = null;

  constructor(private readonly around: Surroundings) {
    super();
  }

  create(options: EditorOptions): void {
    const { volume, voxels } = options;
    this.options = options;
    this.mask = new Mask(volume.shapeZyx, `${options.assignment}/${options.layer}`);
    this.scene = new Scene(volume, this.mask, (event, detail) => this.around.emit(event, detail), voxels);
    this.#line = new Line(options, this.mask, this.around, {
      isDrawing: () => this.#drawing !== null,
      finishDrawing: () => void this.#commitDrawing(),
      changed: (box) => this.scene.changed(box),
    });
  }

  // Opening

  open(): Promise<Opened> {
    return this.#opening(() => this.#line.open());
  }
  takeOver(): Promise<Opened> {
    return this.#opening(() => this.#line.takeOver());
  }

  async #opening(restore: () => Promise<number>): Promise<Opened> {
    this.cancelStroke();
    return this.#opened(await restore());
  }

  async loadMask(message: Uint8Array, revision: string): Promise<Opened> {
    const decoded = await decodeMessage(message, this.options.volume.shapeZyx);
    this.mask.restore({ state: null, entries: [], base: null, pending: null }, null, {
      revision,
      message: decoded,
      bytes: message,
    });
    this.#line.showOnly();
    return this.#opened(0);
  }

  #opened(restored: number): Opened {
    const history = this.mask.history(),
      stats = this.stats();
    this.scene.allChanged();
    this.around.emit("history", history);
    return { revision: this.mask.revision, restored, history, stats, save: this.saveState() };
  }

  // Voxels that arrive

  putSlices(z0: number, hu: Int16Array): void {
    this.scene.volume.putSlices(z0, hu);
    letGo(hu); // handed over and copied
  }

  slicesArrived(z0: number, count: number): void {
    this.scene.volume.slicesArrived(z0, count);
  }

  putPreview(voxels: Uint8Array, shapeZyx: Zyx, stepZyx: Zyx, huLo: number, huStep: number): void {
    this.scene.putPreview({
      voxels,
      shape: shapeZyx,
      step: stepZyx,
      huLo,
      huStep,
    });
  }

  putLimit(message: Uint8Array): Promise<void> {
    return this.scene.putLimit(message);
  }
  putOverlay(key: string, message: Uint8Array): Promise<void> {
    return this.scene.putOverlay(key, message);
  }
  putProbability(values: Uint8Array, shapeZyx: Zyx, stepZyx: Zyx): void {
    this.scene.putProbability({ values, shape: shapeZyx, step: stepZyx });
  }
  watch(slices: readonly Watched[]): void {
    this.scene.watched = slices;
  }

  // Strokes

  beginStroke(tool: Tool): void {
    this.#line.mustBeWritable();
    this.#commitDrawing();
    this.#drawing = new Drawing(tool, this.scene.ground());
  }

  dab(ijk: Ijk, reach = 1): DabResult {
    if (!this.#drawing) throw new Error("dab without a stroke");
    const { box, ...result } = this.#drawing.dab(this.inside(ijk), reach);
    this.scene.changed(box);
    return result;
  }

  async endStroke(): Promise<OperationResult> {
    const result = this.#commitDrawing();
    await this.#line.written();
    return result;
  }

  cancelStroke(): void {
    const drawing = this.#drawing;
    this.#drawing = null;
    if (drawing) this.scene.changed(drawing.cancel());
  }

  #commitDrawing(): OperationResult {
    const drawing = this.#drawing;
    this.#drawing = null;
    if (!drawing) return { added: 0, removed: 0 };
    const { runs, stroke } = drawing.finish();
    if (drawing.grown.length > 0 && runs.count > 0) this.#stepping = new Stepping(drawing.grown, stroke, runs);
    if (runs.count > 0) this.#line.keep(this.mask.record(runs, stroke, drawing.chunks));
    return { added: stroke.added, removed: stroke.removed };
  }

  preview(tool: Tool, ijk: Ijk): Preview {
    const started = performance.now();
    const { runs, refused, grow } = effectOf(tool, this.inside(ijk), this.scene.ground());
    const patches = patchesOf(refused.count ? refused : runs, this.options.volume.shapeZyx, this.scene.watched);
    const facts = grow ?? { added: tally(runs).added, refusal: null, refused: 0, seedHu: null, lowerHu: null };
    return { ...facts, patches, milliseconds: performance.now() - started };
  }

  // Operations and history

  async apply(operation: Operation): Promise<OperationResult> {
    this.#line.mustBeWritable();
    this.#commitDrawing();
    const { runs, segment, ijk, params, isKept, refusal } = this.#effectOf(operation);
    const counts = tally(runs);
    if (runs.count > 0 || isKept) {
      const stroke: Stroke = {
        id: uuid(),
        tool: operation.op,
        segment,
        ijk,
        radius_mm: 0,
        params,
        ...counts,
        at: new Date().toISOString(),
      };
      const step = this.mask.commit(runs, stroke);
      this.#line.keep(step);
      this.scene.changed(step.box);
    }
    await this.#line.written();
    return refusal ? { ...counts, refusal } : counts;
  }

  async stepStroke(by: 1 | -1): Promise<StepResult> {
    this.#line.mustBeWritable();
    this.#commitDrawing();
    const stepped = this.#stepping?.step(by, this.mask.history().undo, this.scene.ground());
    if (!stepped) return { kind: "stays", why: "no-stroke" };
    if ("kind" in stepped) return stepped;
    const step = this.mask.commit(stepped.runs, stepped.stroke);
    this.scene.changed(step.box);
    this.#line.keep(step);
    await this.#line.written();
    return stepped.result;
  }

  /** What an operation would change. Changes nothing. */
  propose(operation: Operation): Proposed {
    const started = performance.now();
    const effect = this.#effectOf(operation);
    const patches = patchesOf(effect.runs, this.options.volume.shapeZyx, this.scene.watched);
    const facts = effect.facts ?? { source: null, radiusMm: null, refusal: null };
    return { ...tally(effect.runs), patches, ...facts, milliseconds: performance.now() - started };
  }

  #effectOf(operation: Operation): Effect & { readonly facts?: ClickFacts; readonly refusal?: GrowRefusal } {
    const overlay = (key: string): SparseMask => this.scene.overlay(key);
    if (operation.op === "regrow") return regrown(operation, this.scene.ground(), overlay(operation.overlay));
    if (operation.op === "click") return clickEffect(operation, { ...this.scene.clickGround(), overlay });
    return operate(operation, { labels: this.mask.labels, spacing: this.options.volume.spacingMmZyx, overlay });
  }

  undo(): Promise<HistoryState> {
    return this.#step("undo");
  }
  redo(): Promise<HistoryState> {
    return this.#step("redo");
  }

  async #step(kind: "undo" | "redo"): Promise<HistoryState> {
    this.#line.mustBeWritable();
    this.#commitDrawing();
    const step = this.mask[kind](new Date().toISOString());
    if (step) {
      // On screen first: the journal takes a while to hand over.
      this.scene.changed(step.box);
      this.#line.keep(step);
    }
    const history = this.mask.history();
    await this.#line.written();
    return history;
  }

  // Saving

  /** The mask as it is here, sent or not, as `.nii.gz` on the scan's grid. */
  exportNifti(): Promise<Uint8Array> {
    return niftiOf(this.mask.labels.data, this.options.volume.shapeZyx, this.options.lpsFromIjk);
  }

  saveState(): SaveState {
    return this.#line.saveState();
  }

  async flush(): Promise<string> {
    this.#commitDrawing();
    return this.#line.flush();
  }

  async resume(headers: Record<string, string> | null): Promise<void> {
    // The network may come back before there is a line.
    (this.#line as Line | undefined)?.resume(headers);
  }

  disagreements(): Disagreement[] {
    const { shapeZyx, spacingMmZyx } = this.options.volume;
    return this.mask.disagreements(amountOf(1, shapeZyx, spacingMmZyx));
  }

  async resolveConflict(keep: Keep): Promise<void> {
    this.#line.mustBeWritable();
    this.#commitDrawing();
    await this.#line.settle(keep);
  }

  async close(): Promise<void> {
    if (this.#drawing && this.#line.isWritable) this.#commitDrawing();
    await this.#line.close();
  }
}
