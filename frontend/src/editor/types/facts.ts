/** What is told of a mask: voxels, lesions, slices, differences. */

import type { Box, Ijk } from "./space";

export interface SegmentStats {
  readonly segment: number;
  readonly voxels: number;
  readonly ml: number;
}

export interface Stats {
  readonly segments: readonly SegmentStats[];
  readonly erasedVoxels: number;
}

/** A region of an overlay, and the voxels of it that each segment of the mask takes. */
export interface Region {
  readonly region: number;
  readonly voxels: number;
  readonly taken: Readonly<Record<number, number>>;
}

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

/**
 * What became of a lesion that a model proposed: nobody said anything yet, voxels of it were changed, the reader
 * accepted it, or nothing of it is marked any more.
 */
export type Fate = "proposed" | "changed" | "accepted" | "dropped";

/** A lesion that a model proposed, as it proposed it. */
export interface ProposedLesion {
  readonly segment: number;
  readonly voxels: number;
  readonly ml: number;
  /** The model's mean probability over it, 0…1; null where the model left none. */
  readonly confidence: number | null;
  /** The region of the anatomy that most of it lies in; null where none is known. */
  readonly region: number | null;
  readonly box: Box;
  /** The voxel of the lesion nearest to its centre; it names the lesion. */
  readonly ijk: Ijk;
  readonly fate: Fate;
}

/** The rectangle of an axial slice outside of which every label is 0; labels `height × width`. */
export interface SlicePart {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** An axial slice of the mask, as the page keeps it. */
export interface SliceFacts {
  /** What holds labels; null when nothing is marked. */
  readonly labels: SlicePart | null;
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

/** How much of each block of voxels of a layer a segment fills, 255 = all of it; rows × columns of blocks. */
export interface CoarseField {
  readonly segment: number;
  readonly layer: number;
  readonly data: Uint8Array;
}

/**
 * Voxels by HU: bin n counts from `lo + n·step` on. `lung`: healthy lung round the lesion, all 0 where no limit is
 * known.
 */
export interface LesionHistogram {
  readonly lo: number;
  readonly step: number;
  readonly lesion: Uint32Array;
  readonly lung: Uint32Array;
}

/** Overlays that lesions are told beside: the model's, and one of anatomy. */
export interface Beside {
  readonly model: string | null;
  readonly anatomy: string | null;
}

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

export interface VoxelValue {
  readonly hu: number | null;
  readonly label: number;
  readonly inLimit: boolean;
}
