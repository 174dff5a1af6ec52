/**
 * The editor of one layer: voxels, tools, journal and outbox behind the calls of `EditorCalls`. Runs in a worker; it
 * knows no DOM, so that the tests run the same code.
 */

import type { EditorCalls } from "./client";
import { lesionsOf } from "./components";
import { Drawing, type Ground, effectOf, patchesOf } from "./drawing";
import { planeOf, rectangleOf } from "./geometry";
import { BitVolume } from "./bitvolume";
import { type Change, Journal, TakenOver } from "./journal";
import { SparseMask } from "./labelmap";
import { Mask, type Step, tally } from "./mask";
import { decodeMessage } from "./message";
import { operate } from "./operations";
import { Outbox } from "./outbox";
import { Ownership, type Platform, browserPlatform } from "./ownership";
import { type Fetch, type Head, MaskServer, type Outcome } from "./server";
import {
  type Box, type DabResult, type EditorEvents, type EditorOptions, ERASED, type HistoryState, type Ijk, type Lesion,
  type Opened, type Operation, type OperationResult, type Plane, type Preview, type ReadOnlyReason, type SaveState, type Slice,
  type SlicePatch, type Stats, type Stroke, type Tool, type VoxelValue, type Zyx,
} from "./types";
import { uuid } from "./uuid";
import { Volume } from "./volume";

/** What the editor stands on; the tests hand in their own. */
export interface Surroundings {
  emit<K extends keyof EditorEvents>(event: K, detail: EditorEvents[K]): void;
  readonly fetch: Fetch;
  readonly platform: Platform;
  readonly journalName: string;
  readonly retryMs: number;
}

export const browserSurroundings = (emit: Surroundings["emit"]): Surroundings => ({
  emit, fetch: (url, init) => fetch(url, init), platform: browserPlatform(), journalName: "voxloop-editor", retryMs: 1000,
});

const zyxOf = ([i, j, k]: Ijk): Zyx => [k, j, i];

export class EditorSession implements EditorCalls {
  #options!: EditorOptions;
  #volume!: Volume;
  #mask!: Mask;
  #server!: MaskServer;
  #outbox!: Outbox;
  #journal: Journal | null = null;
  #ownership: Ownership | null = null;
  #limit: BitVolume | null = null;
  readonly #overlays = new Map<string, SparseMask>();
  #watched: readonly { plane: Plane; index: number }[] = [];
  #drawing: Drawing | null = null;
  #writes: Promise<void> = Promise.resolve();
  #readOnly: ReadOnlyReason | null = "not-loaded";

  constructor(private readonly around: Surroundings) {}

  create(options: EditorOptions): void {
    const { volume } = options;
    this.#options = options;
    this.#volume = new Volume(volume.shapeZyx);
    this.#mask = new Mask(volume.shapeZyx, `${options.assignment}/${options.layer}`);
    this.#server = new MaskServer(options.maskUrl, options.headers, this.around.fetch);
    this.#outbox = new Outbox({
      mask: this.#mask, server: this.#server, layer: options.layer, shape: volume.shapeZyx,
      autosaveMs: options.autosaveMs ?? 600, retryMs: this.around.retryMs,
      isDrawing: () => this.#drawing !== null,
      write: (change) => this.#write(change),
      merged: (merged) => {
        this.#changed(merged.box);
        this.around.emit("history", this.#mask.history());
        this.around.emit("merged", { mine: merged.mine, theirs: merged.theirs, theirVoxels: merged.theirVoxels, overlap: merged.overlap });
      },
      publish: (state) => this.around.emit("save-state", state),
    });
  }

  // Opening

  async open(): Promise<Opened> {
    if (!this.#options.editable) return this.#restore(false, "not-editable");
    this.#ownership ??= new Ownership(this.#mask.line, this.around.platform, () => this.#yield());
    const owned = await this.#ownership.acquire();
    return this.#restore(owned, "other-tab");
  }

  async takeOver(): Promise<Opened> {
    await this.#ownership?.takeOver();
    return this.#restore(true, "other-tab");
  }

  async #restore(owned: boolean, otherwise: ReadOnlyReason): Promise<Opened> {
    this.cancelStroke();
    this.#journal ??= await Journal.open(this.#mask.line, this.around.journalName);
    const epoch = owned ? await this.#journal.claim() : 0;
    const journal = await this.#journal.read();
    let pending = journal.pending;
    let isAnswered = true;
    if (owned && pending && journal.state) {
      // A save of before the reload or crash: same key, same bytes. Stored before or now, it counts once.
      const outcome = await this.#server.save(pending.body, pending.ifMatch, pending.key);
      if (outcome.kind === "ok" || outcome.kind === "stale") {
        const acked = outcome.kind === "ok" ? { ackedSeq: pending.upTo, ackedRevision: outcome.value } : {};
        const state = { ...journal.state, ...acked };
        await this.#journal.write({ state, pending: null });
        Object.assign(journal, { state });
        pending = null;
      }
      isAnswered = outcome.kind !== "unreachable" && outcome.kind !== "signed-out";
    }
    // While it is unknown whether that save was stored, the head says nothing about who is ahead: open from the journal.
    const head: Outcome<Head> = isAnswered ? await this.#server.head() : { kind: "unreachable", reason: "network" };
    if (head.kind !== "ok" && !journal.base) throw new Error(head.kind === "unreachable" ? head.reason : head.kind);
    const message = head.kind === "ok" ? await decodeMessage(head.value.bytes, this.#options.volume.shapeZyx) : null;
    const base = journal.base ? await decodeMessage(journal.base, this.#options.volume.shapeZyx) : null;
    const { restored, change, merged } = this.#mask.restore(journal, base, head.kind === "ok" && message ? { ...head.value, message } : null);
    if (owned) this.#mask.claimed(epoch);
    if (owned) void this.#journal.tidy().catch(() => undefined);
    this.#readOnly = owned ? null : otherwise;
    if (owned && change) await this.#write({ ...change, state: this.#mask.state });
    if (owned) this.#outbox.start(merged ? null : pending);
    else this.#outbox.stop(otherwise);
    if (owned && head.kind !== "ok") this.#outbox.resume();
    if (merged) {
      this.around.emit("merged", { mine: merged.mine, theirs: merged.theirs, theirVoxels: merged.theirVoxels, overlap: merged.overlap });
    }
    return this.#opened(restored);
  }

  async loadMask(message: Uint8Array, revision: string): Promise<Opened> {
    const shape = this.#options.volume.shapeZyx;
    const decoded = await decodeMessage(message, shape);
    this.#mask.restore({ state: null, entries: [], base: null, pending: null }, null, { revision, message: decoded, bytes: message });
    this.#readOnly = "not-editable";
    this.#outbox.stop("not-editable");
    return this.#opened(0);
  }

  #opened(restored: number): Opened {
    const [nz, ny, nx] = this.#options.volume.shapeZyx;
    const history = this.#mask.history(), stats = this.stats();
    this.#changed({ z0: 0, z1: nz, y0: 0, y1: ny, x0: 0, x1: nx });
    this.around.emit("history", history);
    return { revision: this.#mask.revision, restored, history, stats, save: this.saveState() };
  }

  /** Another tab takes over: the stroke in progress goes into the journal first. */
  async #yield(): Promise<void> {
    if (this.#drawing) await this.endStroke();
    await this.#writes;
    this.#readOnly = "taken-over";
    this.#outbox.stop("taken-over");
  }

  // Voxels that arrive

  putSlices(z0: number, hu: Int16Array): void { this.#volume.putSlices(z0, hu); }

  putPreview(voxels: Uint8Array, shapeZyx: readonly number[], stepZyx: readonly number[], huLo: number, huStep: number): void {
    this.#volume.putPreview({ voxels, shape: shapeZyx as unknown as Zyx, step: stepZyx as unknown as Zyx, huLo, huStep });
  }

  async putLimit(message: Uint8Array): Promise<void> {
    const shape = this.#options.volume.shapeZyx;
    const limit = new BitVolume(shape);
    new SparseMask(await decodeMessage(message, shape)).forEachStretch((start, length) => {
      const row = Math.floor(start / shape[2]);
      for (let x = start - row * shape[2], end = x + length; x < end; x++) limit.bits[row * limit.wordsPerRow + (x >>> 5)] |= 1 << (x & 31);
    });
    this.#limit = limit;
  }

  async putOverlay(key: string, message: Uint8Array): Promise<void> {
    this.#overlays.set(key, new SparseMask(await decodeMessage(message, this.#options.volume.shapeZyx)));
  }

  watch(slices: readonly { plane: Plane; index: number }[]): void { this.#watched = slices; }

  // Strokes

  beginStroke(tool: Tool): void {
    this.#mustBeWritable();
    this.#commitDrawing();
    this.#drawing = new Drawing(tool, this.#ground());
  }

  dab(ijk: Ijk, reach = 1): DabResult {
    if (!this.#drawing) throw new Error("dab without a stroke");
    const { box, ...result } = this.#drawing.dab(this.#inside(ijk), reach);
    this.#changed(box);
    return result;
  }

  async endStroke(): Promise<OperationResult> {
    const result = this.#commitDrawing();
    await this.#writes;
    return result;
  }

  cancelStroke(): void {
    const drawing = this.#drawing;
    this.#drawing = null;
    if (drawing) this.#changed(drawing.cancel());
  }

  #commitDrawing(): OperationResult {
    const drawing = this.#drawing;
    this.#drawing = null;
    if (!drawing) return { added: 0, removed: 0 };
    const { runs, stroke } = drawing.finish();
    if (runs.count > 0) this.#took(this.#mask.record(runs, stroke, drawing.chunks));
    return { added: stroke.added, removed: stroke.removed };
  }

  preview(tool: Tool, ijk: Ijk): Preview {
    const started = performance.now();
    const { runs, refused, grow } = effectOf(tool, this.#inside(ijk), this.#ground());
    const patches = patchesOf(refused.count ? refused : runs, this.#options.volume.shapeZyx, this.#watched);
    const facts = grow ?? { added: tally(runs).added, refusal: null, refused: 0, seedHu: null, lowerHu: null };
    return { ...facts, patches, milliseconds: performance.now() - started };
  }

  #ground(): Ground {
    return { meta: this.#options.volume, volume: this.#volume, labels: this.#mask.labels, limit: this.#limit };
  }

  // Operations and history

  async apply(operation: Operation): Promise<OperationResult> {
    this.#mustBeWritable();
    this.#commitDrawing();
    const { runs, segment, ijk, params } = operate(operation, {
      labels: this.#mask.labels, spacing: this.#options.volume.spacingMmZyx,
      overlay: (key) => {
        const overlay = this.#overlays.get(key);
        if (!overlay) throw new Error(`no overlay ${key}`);
        return overlay;
      },
    });
    const counts = tally(runs);
    if (runs.count > 0) {
      const stroke: Stroke = { id: uuid(), tool: operation.op, segment, ijk, radius_mm: 0, params, ...counts, at: new Date().toISOString() };
      const step = this.#mask.commit(runs, stroke);
      this.#took(step);
      this.#changed(step.box);
    }
    await this.#writes;
    return counts;
  }

  undo(): Promise<HistoryState> { return this.#step("undo"); }
  redo(): Promise<HistoryState> { return this.#step("redo"); }

  async #step(kind: "undo" | "redo"): Promise<HistoryState> {
    this.#mustBeWritable();
    this.#commitDrawing();
    const step = this.#mask[kind](new Date().toISOString());
    if (step) {
      this.#took(step);
      this.#changed(step.box);
    }
    const history = this.#mask.history();
    await this.#writes;
    return history;
  }

  #took(step: Step): void {
    void this.#write(step.change);
    this.#outbox.changed();
    this.around.emit("history", this.#mask.history());
  }

  // Looking

  sliceLabels(plane: Plane, index: number): Slice<Uint8Array> { return this.#mask.labels.slice(plane, index); }

  sliceOverlay(key: string, plane: Plane, index: number): Slice<Uint8Array> {
    const overlay = this.#overlays.get(key);
    if (overlay) return overlay.slice(plane, index);
    const { width, height } = planeOf(this.#options.volume.shapeZyx, plane);
    return { plane, index, width, height, data: new Uint8Array(width * height) };
  }

  sliceHu(plane: Plane, index: number): Slice<Int16Array> { return this.#volume.slice(plane, index); }

  valueAt(ijk: Ijk): VoxelValue {
    const [z, y, x] = this.#inside(ijk);
    const label = this.#mask.labels.data[this.#mask.labels.indexOf(z, y, x)];
    return { hu: this.#volume.at(z, y, x), label, inLimit: this.#limit?.has(z, y, x) ?? false };
  }

  stats(): Stats {
    const { labels } = this.#mask;
    const spacing = this.#options.volume.spacingMmZyx;
    const ml = (spacing[0] * spacing[1] * spacing[2]) / 1000;
    const segments = [];
    for (let segment = 1; segment < ERASED; segment++) {
      const voxels = labels.counts[segment];
      if (voxels > 0) segments.push({ segment, voxels, ml: voxels * ml });
    }
    return { segments, erasedVoxels: labels.counts[ERASED] };
  }

  lesions(): Lesion[] {
    return lesionsOf(this.#mask.labels, this.#options.volume.spacingMmZyx, this.#volume.hu, (z) => this.#volume.hasSlices(z, z));
  }

  saveState(): SaveState { return this.#outbox.state(); }

  // Saving

  async flush(): Promise<string> {
    this.#commitDrawing();
    await this.#writes;
    return this.#outbox.flush();
  }

  async resume(headers: Record<string, string> | null): Promise<void> {
    if (headers) this.#server.useHeaders(headers);
    (this.#outbox as Outbox | undefined)?.resume();
  }

  async resolveConflict(keep: "mine" | "theirs"): Promise<void> {
    this.#mustBeWritable();
    this.#commitDrawing();
    const step = this.#mask.settle(keep);
    this.#took(step);
    this.#changed(step.box);
    await this.#writes;
    this.#outbox.settled();
  }

  async close(): Promise<void> {
    if (this.#drawing && !this.#readOnly) this.#commitDrawing();
    this.#outbox.close();
    await this.#writes;
    this.#ownership?.close();
    this.#journal?.close();
  }

  // Inside

  /** Journal writes go in order; the first that another tab refuses ends the writing of this one. */
  #write(change: Change): Promise<void> {
    const write = async (): Promise<void> => {
      try {
        await this.#journal?.write(change);
      } catch (error) {
        if (error instanceof TakenOver) {
          this.#readOnly = "taken-over";
          this.#outbox.stop("taken-over");
        } else {
          const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
          this.around.emit("error", { message: `The browser could not keep a stroke (${why}); it is sent to the server all the same.` });
        }
      }
    };
    return (this.#writes = this.#writes.then(write));
  }

  #mustBeWritable(): void {
    const state = this.#outbox.state();
    const why = this.#readOnly ?? (state.kind === "read-only" ? state.reason : null);
    if (why) throw new Error(`read-only: ${why}`);
  }

  #inside(ijk: Ijk): Zyx {
    const at = zyxOf(ijk);
    const { shapeZyx: shape } = this.#options.volume;
    return at.map((n, axis) => Math.min(shape[axis] - 1, Math.max(0, Math.round(n)))) as unknown as Zyx;
  }

  #changed(box: Box | null): void {
    if (!box) return;
    const patches: SlicePatch[] = [];
    for (const { plane, index } of this.#watched) {
      const part = rectangleOf(box, plane, index);
      if (part) patches.push(this.#mask.labels.patch(plane, index, part));
    }
    this.around.emit("changed", { box, patches });
    this.around.emit("stats", this.stats());
  }
}
