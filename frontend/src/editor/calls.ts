/**
 * What the editor's worker can be asked: one map of calls. The session in the worker implements it, the client on the
 * page is derived from it (`Asked`), and so are the messages between the two.
 */

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
  ProposedLesion,
  Region,
  Slice,
  SliceFacts,
  Stats,
  StepResult,
  Tool,
  VoxelValue,
  Zyx,
} from "./types";

export interface Calls {
  create(options: EditorOptions): void;
  /** Fetches the head, restores the journal (strokes of before a reload or crash) and sends what is unsent. */
  open(): Promise<Opened>;

  /** HU of whole slices from z0 on, `n × rows × columns`. Region growing works only on slices that came this way. */
  putSlices(z0: number, hu: Int16Array): void;
  /** The same for slices that lie in `voxels` of the options already. */
  slicesArrived(z0: number, count: number): void;
  /** The 8-bit preview of the volume index (already inflated): what `sliceHu` shows until the slices arrive. */
  putPreview(voxels: Uint8Array, shapeZyx: Zyx, stepZyx: Zyx, huLo: number, huStep: number): void;
  /** The lung limit, as the mask message the volume index names; also the overlay `limit`. */
  putLimit(message: Uint8Array): Promise<void>;
  /** A mask to show beside the live one (prediction, author, previous), as a mask message. */
  putOverlay(key: string, message: Uint8Array): Promise<void>;
  /** A model's coarse probability (docs/formats.md), inflated; click-to-segment asks it. */
  putProbability(values: Uint8Array, shapeZyx: Zyx, stepZyx: Zyx): void;
  /** Shows a mask message without journal or saving (read-only). */
  loadMask(message: Uint8Array, revision: string): Promise<Opened>;
  /** The slices on screen: `changed` brings the new labels of these. */
  watch(slices: readonly Watched[]): void;

  beginStroke(tool: Tool): void;
  /**
   * Paints at a voxel and along the way from the last dab of this stroke; `reach` is the part of the radius that a pen
   * presses, 1 when not said.
   */
  dab(ijk: Ijk, reach?: number): DabResult;
  /** One gesture = one entry of the history; resolves when it is in the journal. */
  endStroke(): Promise<OperationResult>;
  cancelStroke(): void;
  preview(tool: Tool, ijk: Ijk): Preview;
  apply(operation: Operation): Promise<OperationResult>;
  /** What `apply` would change, with patches of the watched slices. */
  propose(operation: Operation): Proposed;
  /** The last stroke of one press with a bound a step further: more (1) or less (−1); one entry of the history. */
  stepStroke(by: 1 | -1): Promise<StepResult>;
  undo(): Promise<HistoryState>;
  redo(): Promise<HistoryState>;

  sliceLabels(plane: Plane, index: number): Slice<Uint8Array>;
  sliceOverlay(key: string, plane: Plane, index: number): Slice<Uint8Array>;
  /** The labels of an overlay where an oblique plane cuts it, row by row. */
  cutOverlay(key: string, cut: Cut): { readonly data: Uint8Array };
  sliceHu(plane: Plane, index: number): Slice<Int16Array>;
  valueAt(ijk: Ijk): VoxelValue;
  stats(): Stats;
  lesions(beside?: Beside): Lesion[];
  /** The lesions that an overlay proposes, the largest first, and what became of each; none before it has come. */
  proposed(key: string, anatomy: string | null): ProposedLesion[];
  /**
   * How full of each segment blocks of `step` voxels are, layers `from` <= z < `to` of blocks; of the mask or an
   * overlay.
   */
  coarse(key: string | null, step: Zyx, from: number, to: number): CoarseField[];
  /** An axial slice as the page keeps it; `against`: the overlay to compare with. */
  sliceFacts(z: number, against: string | null): SliceFacts;
  /** HU of the lesion under a voxel and of the lung round it. */
  histogram(ijk: Ijk): LesionHistogram | null;
  /** Where the mask differs from an overlay, lesion by lesion, the largest change first. */
  differences(key: string): Difference[];
  /** Whether the mask is an overlay voxel for voxel, erased ones too; `null`: whether it holds nothing at all. */
  equals(key: string | null): boolean;
  /** What the mask takes of each region of an overlay; none where no overlay of that key has come. */
  regions(key: string): Region[];

  /** Sends what is unsent now; resolves with the revision when the server has all of it, or rejects with the reason. */
  flush(): Promise<string>;
  /** After a new log-in or a new lease: try again at once, with these headers. */
  resume(headers: Record<string, string> | null): Promise<void>;
  /** Where another save and this one disagree; decide with `resolveConflict`. */
  disagreements(): Disagreement[];
  resolveConflict(keep: Keep): Promise<void>;
  /** Makes this tab the writing one; the other becomes read-only after it has put its strokes in the journal. */
  takeOver(): Promise<Opened>;
  /** The mask as it is here, sent or not, as `.nii.gz` on the scan's grid. */
  exportNifti(): Promise<Uint8Array>;
  close(): Promise<void>;
}

export type CallName = keyof Calls;

/** The calls as the page makes them: each returns a promise. */
export type Asked = {
  readonly [K in CallName]: (...args: Parameters<Calls[K]>) => Promise<Awaited<ReturnType<Calls[K]>>>;
};

/** Every call, with the argument whose memory goes to the worker: the caller's copy becomes empty. */
export const HANDED_OVER: Readonly<Record<CallName, number | null>> = {
  create: null,
  open: null,
  putSlices: 1,
  slicesArrived: null,
  putPreview: 0,
  putLimit: 0,
  putOverlay: 1,
  putProbability: 0,
  loadMask: 0,
  watch: null,
  beginStroke: null,
  dab: null,
  endStroke: null,
  cancelStroke: null,
  preview: null,
  apply: null,
  propose: null,
  stepStroke: null,
  undo: null,
  redo: null,
  sliceLabels: null,
  sliceOverlay: null,
  cutOverlay: null,
  sliceHu: null,
  valueAt: null,
  stats: null,
  lesions: null,
  proposed: null,
  coarse: null,
  sliceFacts: null,
  histogram: null,
  differences: null,
  equals: null,
  regions: null,
  flush: null,
  resume: null,
  disagreements: null,
  resolveConflict: null,
  takeOver: null,
  exportNifti: null,
  close: null,
};

/** A call on its way to the worker. */
export interface Request {
  readonly id: number;
  readonly call: CallName;
  readonly args: readonly unknown[];
}

/** What the worker says: the answer to a call, or an event. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: keyof EditorEvents; readonly detail: unknown };
