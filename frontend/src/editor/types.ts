/**
 * What the editor and its callers say to each other. Voxel indices are `ijk` = (x, y, z); shapes, spacings and
 * boxes are `zyx`; lengths are millimetres; HU are integers. Nothing here knows a DOM or a renderer.
 */

export type Zyx = readonly [number, number, number];
export type Ijk = readonly [number, number, number];

/** axial: one k, width i, height j. coronal: one j, width i, height k. sagittal: one i, width j, height k. */
export type Plane = "axial" | "coronal" | "sagittal";

/** Label of a voxel that a reader removed: background in every measure, and region growing never brings it back. */
export const ERASED = 255;

export interface VolumeMeta {
  readonly shapeZyx: Zyx;
  /** Taken from every value so that it fits int16 (X-ray); added again to what people read. Default 0. */
  readonly offset?: number;
  readonly spacingMmZyx: Zyx;
  /** Median HU of the aerated lung (`limit.background_hu` of the volume index); null where there is no lung. */
  readonly backgroundHu: number | null;
}

export interface EditorOptions {
  readonly volume: VolumeMeta;
  /** Whose strokes these are: every person has a journal of their own in a shared browser. */
  readonly user: string;
  /** Code of the scan, for names of files and lists of unsent work. */
  readonly scan: string;
  /** From voxel to millimetres, 4 × 4 (docs/formats.md). */
  readonly lpsFromIjk: readonly (readonly number[])[];
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

/** A part of the volume, half open: z0 <= z < z1, … */
export interface Box {
  readonly z0: number; readonly z1: number;
  readonly y0: number; readonly y1: number;
  readonly x0: number; readonly x1: number;
}

export interface Slice<T extends Uint8Array | Int16Array> {
  readonly plane: Plane;
  readonly index: number;
  readonly width: number;
  readonly height: number;
  /** Row-major, first row = lowest index of the vertical axis. */
  readonly data: T;
}

/** New labels of a rectangle of a watched slice. */
export interface SlicePatch {
  readonly plane: Plane;
  readonly index: number;
  readonly x: number; readonly y: number;
  readonly width: number; readonly height: number;
  readonly data: Uint8Array;
}

/** How painting treats what is already there. */
export interface PaintRules {
  readonly segment: number;
  /** Take voxels of other segments too (never of locked ones). */
  readonly overwrite: boolean;
  readonly locked: readonly number[];
}

export interface GrowParams {
  /** Lower bound = background + tolerance % of (seed − background); smaller paints more. 15…60, default 30. */
  readonly tolerance: number;
  /** "Exclude vessels": at most the seed + this many HU; null = no upper bound. */
  readonly upperHu: number | null;
  /** This slice only. */
  readonly planar: boolean;
  /** Keep to the lung when the cursor lies in it. */
  readonly useLimit: boolean;
  /** Leakage control in mm: default 1, strong 2, off 0. */
  readonly openMm: number;
  readonly closeMm: number;
  readonly fill: boolean;
  readonly seedMm: number;
  readonly minContrast: number;
  readonly smoothZMax: number;
  /** A stroke that would paint more voxels than this paints none; null = no ceiling. */
  readonly ceiling: number | null;
}

export const GROW_DEFAULTS: GrowParams = {
  tolerance: 30, upperHu: null, planar: false, useLimit: true, openMm: 1, closeMm: 1, fill: true,
  seedMm: 2.5, minContrast: 40, smoothZMax: 1.5, ceiling: null,
};

/** HU window of the threshold brush, both ends included. */
export interface Threshold { readonly lo: number; readonly hi: number }

export type Tool =
  | ({ readonly tool: "grow"; readonly radiusMm: number; readonly params?: Partial<GrowParams> } & PaintRules)
  | ({ readonly tool: "sphere" | "circle"; readonly radiusMm: number; /** Plane of the circle; axial when not said. */ readonly plane?: Plane } & PaintRules)
  | ({ /** A ball, or a circle where `planar`, of the voxels within the window; like growing it leaves erased voxels alone. */
       readonly tool: "threshold"; readonly radiusMm: number; readonly threshold: Threshold; readonly planar: boolean; readonly plane?: Plane } & PaintRules)
  | { readonly tool: "erase"; readonly radiusMm: number;
      /** true: in one plane only. */ readonly planar: boolean; readonly plane?: Plane;
      /** Segments to remove; null = every one that is not locked. */ readonly segments: readonly number[] | null;
      readonly locked: readonly number[] };

export type GrowRefusal = "normal_lung" | "nothing_within_bounds" | "over_ceiling" | "not_loaded";

export interface GrowResult {
  /** Voxels that were (or would be) painted. */
  readonly added: number;
  readonly refusal: GrowRefusal | null;
  /** Voxels that the ceiling refused. */
  readonly refused: number;
  readonly seedHu: number | null;
  readonly lowerHu: number | null;
  readonly milliseconds: number;
}

/** What a stroke would take (or, over the ceiling, would have taken), as one patch per watched slice; data 1 = would be painted. */
export interface Preview extends GrowResult { readonly patches: readonly SlicePatch[] }

export interface DabResult { readonly added: number; readonly removed: number; readonly grow: GrowResult | null }

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
  | { readonly kind: "conflict"; readonly unsent: number; readonly mine: string; readonly theirs: string;
      /** Voxels that both changed, to different values. */ readonly overlap: number; readonly box: Box }
  | { readonly kind: "signed-out"; readonly unsent: number }
  /** The server will not take this save; `detail` says why. The strokes stay in the journal. */
  | { readonly kind: "refused"; readonly unsent: number; readonly code: string; readonly detail: string }
  | { readonly kind: "read-only"; readonly reason: ReadOnlyReason; readonly unsent: number };

export interface SegmentStats { readonly segment: number; readonly voxels: number; readonly ml: number }

export interface Stats { readonly segments: readonly SegmentStats[]; readonly erasedVoxels: number }

/** A region of an overlay, and the voxels of it that each segment of the mask takes. */
export interface Region { readonly region: number; readonly voxels: number; readonly taken: Readonly<Record<number, number>> }

/** A connected part of one segment (26-connected), largest first. */
export interface Lesion {
  readonly segment: number;
  readonly voxels: number;
  readonly ml: number;
  readonly meanHu: number | null;
  /** What the model had marked of it; 0 for a new one, null where there is no model to compare with. */
  readonly modelMl: number | null;
  /** The region of the anatomy that most of it lies in; null where none is known. */
  readonly region: number | null;
  readonly box: Box;
  /** The voxel of the lesion nearest to its centre. */
  readonly ijk: Ijk;
}

/** An axial slice of the mask, as the page keeps it. */
export interface SliceFacts {
  /** Labels, `rows × columns`; null when nothing is marked. */
  readonly labels: Uint8Array | null;
  /** Marked voxels in each row and column. */
  readonly rows: Uint16Array | null;
  readonly columns: Uint16Array | null;
  readonly marked: number;
  /** Marked voxels outside the lung limit, and the first of them. */
  readonly outside: number;
  readonly firstOutside: number;
  /** Against the overlay that is compared with. */
  readonly added: number;
  readonly removed: number;
}

/** How much of each block of voxels a segment fills, 255 = all of it; layers × rows × columns of blocks. */
export interface CoarseField { readonly segment: number; readonly data: Uint8Array }

/** Voxels by HU: bin n counts from `lo + n·step` on. `lung`: healthy lung round the lesion, all 0 where no limit is known. */
export interface LesionHistogram { readonly lo: number; readonly step: number; readonly lesion: Uint32Array; readonly lung: Uint32Array }

/** Overlays that lesions are told beside: the model's, and one of anatomy. */
export interface Beside { readonly model: string | null; readonly anatomy: string | null }

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

export interface VoxelValue { readonly hu: number | null; readonly label: number; readonly inLimit: boolean }

export interface EditorEvents {
  /** Labels changed inside `box`; `patches` hold the new labels of the watched slices. */
  changed: { readonly box: Box; readonly patches: readonly SlicePatch[] };
  stats: Stats;
  history: HistoryState;
  "save-state": SaveState;
  /** Another reader's save was merged: their voxels where you changed nothing, yours elsewhere. One undo takes it back. */
  merged: { readonly mine: string; readonly theirs: string; readonly theirVoxels: number; readonly overlap: number };
  /** A fault that was not expected; the journal keeps everything. */
  error: { readonly message: string };
  /** Whether this browser keeps the strokes: in its journal, not just now (disk full), or not at all (private window). */
  keeping: { readonly kind: Keeping; readonly why: string };
}

export type Keeping = "journal" | "failing" | "memory";

/** A lesion in which the mask differs from another: only here, only there, or otherwise. */
export interface Difference {
  readonly kind: "added" | "removed" | "changed";
  /** The segment that most of it has. */
  readonly segment: number;
  /** Voxels that only the mask marks, that only the other marks, and that both mark as different segments. */
  readonly added: number;
  readonly removed: number;
  readonly relabelled: number;
  /** mL of the lesion in the mask as it is. */
  readonly ml: number;
  readonly addedMl: number;
  readonly removedMl: number;
  readonly relabelledMl: number;
  readonly box: Box;
  /** A changed voxel where most has changed. */
  readonly ijk: Ijk;
}

/** A point that belongs to the lesion, or does not. */
export interface ClickPrompt { readonly ijk: Ijk; readonly belongs: boolean }

/** Operations on the whole mask; each is one undoable stroke. */
export type Operation =
  | ({ readonly op: "copy"; /** overlay to copy from */ readonly overlay: string;
       /** null: everything; else the connected part under this voxel */ readonly at: Ijk | null;
       /** keep the overlay's own segment numbers when null */ readonly into: number | null;
       readonly overwrite: boolean; readonly locked: readonly number[] })
  | { readonly op: "fill-holes"; readonly segment: number; readonly perSlice: boolean; readonly overwrite: boolean; readonly locked: readonly number[] }
  | ({ /** Lasso: paint what a closed line encloses. Points are (column, row) of the slice; whole numbers are voxel centres. */
       readonly op: "lasso"; readonly plane: Plane; readonly slices: readonly [number, number];
       readonly points: readonly (readonly [number, number])[] } & PaintRules)
  | { /** Scissors: remove what lies inside or outside a closed line, on slices from…to (both included). */
      readonly op: "scissors"; readonly plane: Plane; readonly slices: readonly [number, number];
      readonly points: readonly (readonly [number, number])[]; readonly outside: boolean;
      readonly segments: readonly number[] | null; readonly locked: readonly number[] }
  | ({ /** Fill between the slices on which the segment was drawn. */ readonly op: "interpolate"; readonly plane: Plane } & PaintRules)
  | ({ /** Grow (mm > 0) or shrink (mm < 0) the segment by a ball. */ readonly op: "resize"; readonly mm: number } & PaintRules)
  | ({ /** Smooth the segment's surface; details below about `mm` go. */ readonly op: "smooth"; readonly mm: number } & PaintRules)
  | ({ /** Click-to-segment: the lesion that points, in their order, or a box ask for. */ readonly op: "click";
       readonly prompts: readonly ClickPrompt[]; readonly box: Box | null; /** As of the growing brush. */ readonly tolerance: number;
       /** An overlay that holds the answer of a server, instead of what is found here. */ readonly overlay: string | null } & PaintRules)
  | { /** The lesion under a voxel becomes what it is in an overlay. */ readonly op: "revert"; readonly overlay: string; readonly at: Ijk;
      readonly locked: readonly number[] }
  | { /** Add to the segment what another region has (union), or keep of it what that has (intersect) or has not (subtract). */
      readonly op: "union" | "intersect" | "subtract"; readonly segment: number;
      /** Where the other region is; null = in this mask, whose segments never overlap: a margin or a union, then. */
      readonly overlay: string | null;
      /** one segment there; null = any */ readonly with: number | null;
      /** The other region is first grown by a ball of this radius; default 0. */ readonly marginMm?: number;
      readonly overwrite?: boolean; readonly locked?: readonly number[] }
  | { readonly op: "remove-islands"; readonly segment: number; readonly underMl: number; readonly locked?: readonly number[] }
  | { readonly op: "remove-lesion"; readonly at: Ijk; readonly locked?: readonly number[] }
  | { readonly op: "convert"; /** null: whatever segment lies at `at` */ readonly from: number | null; readonly to: number;
      /** null: all of it; else the connected part under this voxel */ readonly at: Ijk | null; readonly locked?: readonly number[] }
  | { readonly op: "clear"; readonly segment: number; readonly locked?: readonly number[] }
  | { /** Make the whole mask what an overlay holds, erased voxels too. */
      readonly op: "restore"; readonly overlay: string; readonly revision: string };

export interface OperationResult { readonly added: number; readonly removed: number }

/** What an operation would change, as one patch per watched slice; data 1 = would change. */
export interface Proposed extends OperationResult {
  readonly patches: readonly SlicePatch[];
  /** Click-to-segment only: what it rests on, the radius it chose, and why it found nothing. */
  readonly source: "model" | "image" | "server" | null;
  readonly radiusMm: number | null;
  readonly refusal: GrowRefusal | null;
  readonly milliseconds: number;
}
