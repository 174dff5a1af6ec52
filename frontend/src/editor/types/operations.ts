/** Operations on the whole mask. */

import type { Box, Ijk, Plane, SlicePatch } from "./space";
import type { GrowRefusal, PaintRules, Tool } from "./tools";

/** A point that belongs to the lesion, or does not. */
export interface ClickPrompt {
  readonly ijk: Ijk;
  readonly belongs: boolean;
}

/** Operations on the whole mask; each is one undoable stroke. */
export type Operation =
  | {
      readonly op: "copy";
      /** overlay to copy from */
      readonly overlay: string;
      /** null: everything; else the connected part under this voxel */
      readonly at: Ijk | null;
      /** keep the overlay's own segment numbers when null */
      readonly into: number | null;
      readonly overwrite: boolean;
      readonly locked: readonly number[];
    }
  | {
      readonly op: "fill-holes";
      readonly segment: number;
      readonly perSlice: boolean;
      readonly overwrite: boolean;
      readonly locked: readonly number[];
    }
  | ({
      /**
       * Lasso: paint what a closed line encloses. Points are (column, row) of the slice; whole numbers are voxel
       * centres.
       */
      readonly op: "lasso";
      readonly plane: Plane;
      readonly slices: readonly [number, number];
      readonly points: readonly (readonly [number, number])[];
    } & PaintRules)
  | {
      /** Scissors: remove what lies inside or outside a closed line, on slices from…to (both included). */
      readonly op: "scissors";
      readonly plane: Plane;
      readonly slices: readonly [number, number];
      readonly points: readonly (readonly [number, number])[];
      readonly outside: boolean;
      readonly segments: readonly number[] | null;
      readonly locked: readonly number[];
    }
  | ({
      /** Fill between the slices on which the segment was drawn. */
      readonly op: "interpolate";
      readonly plane: Plane;
    } & PaintRules)
  | ({
      /** Grow (mm > 0) or shrink (mm < 0) the segment by a ball. */
      readonly op: "resize";
      readonly mm: number;
    } & PaintRules)
  | ({
      /** Smooth the segment's surface; details below about `mm` go. */
      readonly op: "smooth";
      readonly mm: number;
    } & PaintRules)
  | ({
      /** Click-to-segment: the lesion that points, in their order, or a box ask for. */
      readonly op: "click";
      readonly prompts: readonly ClickPrompt[];
      readonly box: Box | null;
      /** As of the growing brush. */
      readonly tolerance: number;
      /** Nothing outside the lung limit is proposed. */
      readonly useLimit: boolean;
      /** An overlay that holds the answer of a server, instead of what is found here. */
      readonly overlay: string | null;
    } & PaintRules)
  | {
      /** The lesion that an overlay proposes under a voxel is right: no voxel changes, the history says so. */
      readonly op: "accept";
      readonly overlay: string;
      readonly at: Ijk;
    }
  | {
      /** That lesion is none: what is marked of it, and what was added to it, goes. */
      readonly op: "drop";
      readonly overlay: string;
      readonly at: Ijk;
      readonly locked: readonly number[];
    }
  | {
      /** That lesion anew, as one press of this brush takes it; the radius is made to enclose it. */
      readonly op: "regrow";
      readonly overlay: string;
      readonly at: Ijk;
      readonly locked: readonly number[];
      readonly tool: Extract<Tool, { tool: "grow" }>;
    }
  | {
      /** The lesion under a voxel becomes what it is in an overlay. */
      readonly op: "revert";
      readonly overlay: string;
      readonly at: Ijk;
      readonly locked: readonly number[];
    }
  | {
      /**
       * Add to the segment what another region has (union), or keep of it what that has (intersect) or has not
       * (subtract).
       */
      readonly op: "union" | "intersect" | "subtract";
      readonly segment: number;
      /** Where the other region is; null = in this mask, whose segments never overlap: a margin or a union, then. */
      readonly overlay: string | null;
      /** one segment there; null = any */
      readonly with: number | null;
      /** The other region is first grown by a ball of this radius; default 0. */
      readonly marginMm?: number;
      readonly overwrite?: boolean;
      readonly locked?: readonly number[];
    }
  | {
      readonly op: "remove-islands";
      readonly segment: number;
      readonly underMl: number;
      readonly locked?: readonly number[];
    }
  | { readonly op: "remove-lesion"; readonly at: Ijk; readonly locked?: readonly number[] }
  | {
      readonly op: "convert";
      /** null: whatever segment lies at `at` */
      readonly from: number | null;
      readonly to: number;
      /** null: all of it; else the connected part under this voxel */
      readonly at: Ijk | null;
      readonly locked?: readonly number[];
    }
  | { readonly op: "clear"; readonly segment: number; readonly locked?: readonly number[] }
  | {
      /** Make the whole mask what an overlay holds, erased voxels too. */
      readonly op: "restore";
      readonly overlay: string;
      readonly revision: string;
    };

export interface OperationResult {
  readonly added: number;
  readonly removed: number;
  /** Why nothing was grown; of operations that grow. */
  readonly refusal?: GrowRefusal | null;
}

/** What an operation would change, as one patch per watched slice; data 1 = would change. */
export interface Proposed extends Omit<OperationResult, "refusal"> {
  readonly patches: readonly SlicePatch[];
  /** Click-to-segment only: what it rests on, the radius it chose, and why it found nothing. */
  readonly source: "model" | "image" | "server" | null;
  readonly radiusMm: number | null;
  readonly refusal: GrowRefusal | null;
  readonly milliseconds: number;
}
