import type { Cut } from "./cut";
import type { Disagreement, Keep } from "./disagreement";
import type { Watched } from "./patches";
import type {
  Beside,
  CoarseField,
  DabResult,
  Difference,
  EditorEvents,
  EditorOptions,
  HistoryState,
  Ijk,
  Lesion,
  LesionHistogram,
  Opened,
  Operation,
  OperationResult,
  Plane,
  Preview,
  Proposed,
  Region,
  Slice,
  SliceFacts,
  Stats,
  Tool,
  VoxelValue,
  Zyx,
} from "./types";

type Listener<K extends keyof EditorEvents> = (detail: EditorEvents[K]) => void;

/** The calls that the worker answers; `EditorClient` is their face on the page. */
export interface EditorCalls {
  create(options: EditorOptions): void;
  open(): Promise<Opened>;
  putSlices(z0: number, hu: Int16Array): void;
  slicesArrived(z0: number, count: number): void;
  putPreview(
    voxels: Uint8Array,
    shapeZyx: readonly number[],
    stepZyx: readonly number[],
    huLo: number,
    huStep: number,
  ): void;
  putLimit(message: Uint8Array): Promise<void>;
  putOverlay(key: string, message: Uint8Array): Promise<void>;
  putProbability(values: Uint8Array, shapeZyx: readonly number[], stepZyx: readonly number[]): void;
  loadMask(message: Uint8Array, revision: string): Promise<Opened>;
  watch(slices: readonly Watched[]): void;
  beginStroke(tool: Tool): void;
  dab(ijk: Ijk, reach?: number): DabResult;
  endStroke(): Promise<OperationResult>;
  cancelStroke(): void;
  preview(tool: Tool, ijk: Ijk): Preview;
  apply(operation: Operation): Promise<OperationResult>;
  propose(operation: Operation): Proposed;
  undo(): Promise<HistoryState>;
  redo(): Promise<HistoryState>;
  sliceLabels(plane: Plane, index: number): Slice<Uint8Array>;
  sliceOverlay(key: string, plane: Plane, index: number): Slice<Uint8Array>;
  cutOverlay(key: string, cut: Cut): { readonly data: Uint8Array };
  sliceHu(plane: Plane, index: number): Slice<Int16Array>;
  valueAt(ijk: Ijk): VoxelValue;
  stats(): Stats;
  lesions(beside?: Beside): Lesion[];
  coarse(key: string | null, step: Zyx, from: number, to: number): CoarseField[];
  sliceFacts(z: number, against: string | null): SliceFacts;
  histogram(ijk: Ijk): LesionHistogram | null;
  differences(key: string): Difference[];
  regions(key: string): Region[];
  /** Sends what is unsent now; resolves when the server has all of it, or rejects with the reason. */
  flush(): Promise<string>;
  /** After a new log-in or a new lease: try again at once, with these headers. */
  resume(headers: Record<string, string> | null): Promise<void>;
  disagreements(): Disagreement[];
  resolveConflict(keep: Keep): Promise<void>;
  takeOver(): Promise<Opened>;
  exportNifti(): Promise<Uint8Array>;
  close(): Promise<void>;
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: keyof EditorEvents; readonly detail: unknown };

export interface Request {
  readonly id: number;
  readonly call: keyof EditorCalls;
  readonly args: unknown[];
}

/**
 * The editor as the page sees it. Every call goes to the worker, in order, and returns a promise; arrays handed in are
 * transferred (the caller's copy becomes empty). `beginStroke` and `dab` need not be awaited before the next call.
 */
export class EditorClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (why: Error) => void }>();
  readonly #listeners = new Map<keyof EditorEvents, Set<Listener<never>>>();
  #next = 1;

  private constructor(
    worker: Worker,
    private readonly options: EditorOptions,
  ) {
    this.#worker = worker;
    worker.onmessage = (message: MessageEvent<Reply>) => this.#receive(message.data);
    worker.onerror = (event) => {
      if (event.message) this.#emit("error", { message: event.message });
      else this.#fail(new Error("The editor could not start: its script was not loaded. Reload the page."));
    };
  }

  /** Starts the worker for one layer of one assignment. Call `open()` next; slices may come before or after. */
  static async create(options: EditorOptions): Promise<EditorClient> {
    const worker = new Worker(new URL("./editor.worker.ts", import.meta.url), { type: "module", name: "editor" });
    const client = new EditorClient(worker, options);
    await client.#call("create", [options]);
    // Ask the browser not to evict the journal when its disk runs full; it works without a yes, too.
    void navigator.storage?.persist?.().catch(() => false);
    return client;
  }

  /** Fetches the head, restores the journal (strokes of before a reload or crash) and sends what is unsent. */
  open(): Promise<Opened> {
    return this.#call("open", []);
  }

  /**
   * HU of whole slices from z0 on, `n × rows × columns`; they lie in `voxels` of the options already where there is such
   * memory. Region growing works only on slices that came this way.
   */
  putSlices(z0: number, hu: Int16Array): Promise<void> {
    if (!this.options.voxels) return this.#call("putSlices", [z0, hu], [hu.buffer]);
    const [, rows, columns] = this.options.volume.shapeZyx;
    const count = hu.length / (rows * columns);
    (hu.buffer as ArrayBuffer).transfer?.(0);
    return this.#call("slicesArrived", [z0, count]);
  }

  /** The 8-bit preview of the volume index (already inflated): what `sliceHu` shows until the slices arrive. */
  putPreview(
    voxels: Uint8Array,
    shapeZyx: readonly number[],
    stepZyx: readonly number[],
    huLo: number,
    huStep: number,
  ): Promise<void> {
    return this.#call("putPreview", [voxels, shapeZyx, stepZyx, huLo, huStep], [voxels.buffer]);
  }

  /** The lung limit, as the mask message the volume index names. */
  putLimit(message: Uint8Array): Promise<void> {
    return this.#call("putLimit", [message], [message.buffer]);
  }

  /** A mask to show beside the live one (prediction, author, previous), as a mask message. */
  putOverlay(key: string, message: Uint8Array): Promise<void> {
    return this.#call("putOverlay", [key, message], [message.buffer]);
  }

  /** A model's coarse probability (docs/formats.md), inflated; click-to-segment asks it. */
  putProbability(values: Uint8Array, shapeZyx: readonly number[], stepZyx: readonly number[]): Promise<void> {
    return this.#call("putProbability", [values, shapeZyx, stepZyx], [values.buffer]);
  }

  /** Shows a mask message without journal or saving (read-only). */
  loadMask(message: Uint8Array, revision: string): Promise<Opened> {
    return this.#call("loadMask", [message, revision], [message.buffer]);
  }

  /** The slices on screen: `changed` brings the new labels of these. */
  watch(slices: readonly Watched[]): Promise<void> {
    return this.#call("watch", [slices]);
  }

  beginStroke(tool: Tool): Promise<void> {
    return this.#call("beginStroke", [tool]);
  }
  /** Paints at a voxel and along the way from the last dab of this stroke; `reach` is the part of the radius that a pen presses. */
  dab(ijk: Ijk, reach = 1): Promise<DabResult> {
    return this.#call("dab", [ijk, reach]);
  }
  /** One gesture = one entry of the history; resolves when it is in the journal. */
  endStroke(): Promise<OperationResult> {
    return this.#call("endStroke", []);
  }
  cancelStroke(): Promise<void> {
    return this.#call("cancelStroke", []);
  }
  preview(tool: Tool, ijk: Ijk): Promise<Preview> {
    return this.#call("preview", [tool, ijk]);
  }
  apply(operation: Operation): Promise<OperationResult> {
    return this.#call("apply", [operation]);
  }
  /** What `apply` would change, with patches of the watched slices. */
  propose(operation: Operation): Promise<Proposed> {
    return this.#call("propose", [operation]);
  }
  undo(): Promise<HistoryState> {
    return this.#call("undo", []);
  }
  redo(): Promise<HistoryState> {
    return this.#call("redo", []);
  }

  sliceLabels(plane: Plane, index: number): Promise<Slice<Uint8Array>> {
    return this.#call("sliceLabels", [plane, index]);
  }
  sliceOverlay(key: string, plane: Plane, index: number): Promise<Slice<Uint8Array>> {
    return this.#call("sliceOverlay", [key, plane, index]);
  }
  /** The labels of an overlay where a plane askew cuts it, row by row. */
  cutOverlay(key: string, cut: Cut): Promise<{ readonly data: Uint8Array }> {
    return this.#call("cutOverlay", [key, cut]);
  }
  sliceHu(plane: Plane, index: number): Promise<Slice<Int16Array>> {
    return this.#call("sliceHu", [plane, index]);
  }
  valueAt(ijk: Ijk): Promise<VoxelValue> {
    return this.#call("valueAt", [ijk]);
  }
  stats(): Promise<Stats> {
    return this.#call("stats", []);
  }
  lesions(beside: Beside): Promise<Lesion[]> {
    return this.#call("lesions", [beside]);
  }
  /** How full of each segment blocks of `step` voxels are, layers `from` <= z < `to` of blocks; of the mask or an overlay. */
  coarse(key: string | null, step: Zyx, from: number, to: number): Promise<CoarseField[]> {
    return this.#call("coarse", [key, step, from, to]);
  }
  /** An axial slice as the page keeps it; `against`: the overlay to compare with. */
  sliceFacts(z: number, against: string | null): Promise<SliceFacts> {
    return this.#call("sliceFacts", [z, against]);
  }
  /** HU of the lesion under a voxel and of the lung round it. */
  histogram(ijk: Ijk): Promise<LesionHistogram | null> {
    return this.#call("histogram", [ijk]);
  }
  /** Where the mask differs from an overlay, lesion by lesion, the largest change first. */
  differences(key: string): Promise<Difference[]> {
    return this.#call("differences", [key]);
  }
  /** What the mask takes of each region of an overlay; none where no overlay of that key has come. */
  regions(key: string): Promise<Region[]> {
    return this.#call("regions", [key]);
  }

  /** Saves now; resolves with the revision once the server has everything (call it before submit). */
  flush(): Promise<string> {
    return this.#call("flush", []);
  }
  resume(headers: Record<string, string> | null): Promise<void> {
    return this.#call("resume", [headers]);
  }
  /** Where another save and this one disagree; decide with `resolveConflict`. */
  disagreements(): Promise<Disagreement[]> {
    return this.#call("disagreements", []);
  }
  resolveConflict(keep: Keep): Promise<void> {
    return this.#call("resolveConflict", [keep]);
  }
  /** Makes this tab the writing one; the other becomes read-only after it has put its strokes in the journal. */
  takeOver(): Promise<Opened> {
    return this.#call("takeOver", []);
  }

  /** The mask as it is here, sent or not, as `.nii.gz` on the scan's grid. */
  exportNifti(): Promise<Uint8Array> {
    return this.#call("exportNifti", []);
  }

  async close(): Promise<void> {
    await this.#call("close", []);
    this.#worker.terminate();
  }

  on<K extends keyof EditorEvents>(event: K, listener: Listener<K>): () => void {
    const set = this.#listeners.get(event) ?? new Set<Listener<never>>();
    this.#listeners.set(event, set.add(listener));
    return () => set.delete(listener);
  }

  #call<T>(call: keyof EditorCalls, args: unknown[], transfer: ArrayBufferLike[] = []): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, args } satisfies Request, transfer as ArrayBuffer[]);
    });
  }

  #receive(reply: Reply): void {
    if ("event" in reply) {
      this.#emit(reply.event, reply.detail as never);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.value as never);
  }

  #fail(why: Error): void {
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }

  #emit<K extends keyof EditorEvents>(event: K, detail: EditorEvents[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as Listener<K>)(detail);
  }
}
