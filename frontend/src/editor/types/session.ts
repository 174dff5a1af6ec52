/** An open mask: how it is opened, kept and saved, its history, and the events on the way. */

import type { Stats } from "./facts";
import type { Box, Ijk, SlicePatch, VolumeMeta, Matrix } from "./space";

export interface EditorOptions {
  readonly volume: VolumeMeta;
  /**
   * Shared memory for the HU of the whole scan: it is filled before `slicesArrived` is called, the worker reads it.
   * Without it (a page that may not share memory) the worker keeps a copy.
   */
  readonly voxels?: Int16Array | undefined;
  /** Whose strokes these are: every person has a journal of their own in a shared browser. */
  readonly user: string;
  /** Seals the journal (hexadecimal, of the person). Without it the journal lies in clear. */
  readonly key?: string | undefined;
  /** Code of the scan, for names of files and lists of unsent work. */
  readonly scan: string;
  /** From voxel to millimetres, 4 × 4 (docs/formats.md). */
  readonly lpsFromIjk: Matrix;
  readonly assignment: string;
  readonly layer: string;
  /** GET and PUT of the layer's head (`masks.<layer>.url` of the context). */
  readonly maskUrl: string;
  /** Headers of every request, e.g. `X-CSRFToken`. */
  readonly headers: Readonly<Record<string, string>>;
  /** false: the mask is shown, never changed (reviews without correction, foreign work). */
  readonly editable: boolean;
  /** Pause between the end of a stroke and its save; default 600. */
  readonly autosaveMs?: number;
}

/** One entry of the stroke log (docs/formats.md). */
export interface Stroke {
  readonly id: string;
  readonly tool: string;
  readonly segment: number;
  readonly ijk: Ijk;
  readonly radius_mm: number;
  readonly params: Readonly<Record<string, unknown>>;
  readonly added: number;
  readonly removed: number;
  readonly at: string;
}

export type ReadOnlyReason = "not-editable" | "other-tab" | "taken-over" | "lease-lost" | "not-loaded";

/** `unsent` counts strokes (undo and redo too) that the server has not confirmed; all of them lie in the journal. */
export type SaveState =
  | { readonly kind: "saved"; readonly revision: string; readonly at: string | null }
  | { readonly kind: "saving"; readonly unsent: number }
  | { readonly kind: "unsaved"; readonly unsent: number }
  | { readonly kind: "offline"; readonly unsent: number; readonly reason: string; readonly retryInMs: number }
  | {
      readonly kind: "conflict";
      readonly unsent: number;
      readonly mine: string;
      readonly theirs: string;
      /** Voxels that both changed, to different values. */
      readonly overlap: number;
      readonly box: Box;
    }
  | { readonly kind: "signed-out"; readonly unsent: number }
  /** The server will not take this save; `detail` says why. The strokes stay in the journal. */
  | { readonly kind: "refused"; readonly unsent: number; readonly code: string; readonly detail: string }
  | { readonly kind: "read-only"; readonly reason: ReadOnlyReason; readonly unsent: number };

export interface HistoryState {
  readonly undo: Stroke | null;
  readonly redo: Stroke | null;
  readonly undoDepth: number;
  readonly redoDepth: number;
}

export interface Opened {
  /** Revision the mask stands on; "empty" when the layer has no head. */
  readonly revision: string;
  /** Strokes that came out of the journal and were not yet on the server. */
  readonly restored: number;
  readonly history: HistoryState;
  readonly stats: Stats;
  readonly save: SaveState;
}

export type Keeping = "journal" | "failing" | "memory";

export interface EditorEvents {
  /** Labels changed inside `box`; `patches` hold the new labels of the watched slices. */
  changed: { readonly box: Box; readonly patches: readonly SlicePatch[] };
  stats: Stats;
  history: HistoryState;
  "save-state": SaveState;
  /**
   * Another reader's save was merged: their voxels where you changed nothing, yours elsewhere. One undo takes it back.
   */
  merged: { readonly mine: string; readonly theirs: string; readonly theirVoxels: number; readonly overlap: number };
  /** A fault that was not expected; the journal keeps everything. */
  error: { readonly message: string };
  /**
   * Whether this browser keeps the strokes: in its journal, not just now (disk full), or not at all (private window).
   */
  keeping: { readonly kind: Keeping; readonly why: string };
}
