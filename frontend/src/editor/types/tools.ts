/** The brushes: what a press is told, and what it answers. */

import type { Plane, SlicePatch } from "./space";

/** Label of a voxel that a reader removed: background in every measure, and region growing never brings it back. */
export const ERASED = 255;

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
  /** This lower bound instead of the one that the tolerance gives, as values are kept; null = by the tolerance. */
  readonly lowerHu: number | null;
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
  tolerance: 30,
  lowerHu: null,
  upperHu: null,
  planar: false,
  useLimit: true,
  openMm: 1,
  closeMm: 1,
  fill: true,
  seedMm: 2.5,
  minContrast: 40,
  smoothZMax: 1.5,
  ceiling: null,
};

/** HU window of the threshold brush, both ends included. */
export interface Threshold {
  readonly lo: number;
  readonly hi: number;
}

export type Tool =
  | ({ readonly tool: "grow"; readonly radiusMm: number; readonly params?: Partial<GrowParams> } & PaintRules)
  | ({
      readonly tool: "sphere" | "circle";
      readonly radiusMm: number;
      /** Plane of the circle; axial when not said. */
      readonly plane?: Plane;
    } & PaintRules)
  | ({
      /**
       * A ball, or a circle where `planar`, of the voxels within the window; like growing it leaves erased voxels
       * alone.
       */
      readonly tool: "threshold";
      readonly radiusMm: number;
      readonly threshold: Threshold;
      readonly planar: boolean;
      readonly plane?: Plane;
    } & PaintRules)
  | {
      readonly tool: "erase";
      readonly radiusMm: number;
      /** true: in one plane only. */
      readonly planar: boolean;
      readonly plane?: Plane;
      /** Segments to remove; null = every one that is not locked. */
      readonly segments: readonly number[] | null;
      readonly locked: readonly number[];
    };

/** `erased`: the seed itself was taken away before, and growing never brings that back. */
export type GrowRefusal =
  | "normal_lung"
  | "nothing_within_bounds"
  | "over_ceiling"
  | "not_loaded"
  | "erased"
  | "outside_limit";

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

/**
 * What a stroke would take (or, over the ceiling, would have taken), as one patch per watched slice; data 1 = would be
 * painted.
 */
export interface Preview extends GrowResult {
  readonly patches: readonly SlicePatch[];
}

/**
 * What a step of the last stroke brought: the lower bound of its first dab, by how many HU all its dabs' bounds now
 * differ from those it was drawn with, voxels more or less than before the step, and whether it grew by much at once,
 * as a leak does. `why`: there was no step, and why.
 */
export type StepResult =
  | {
      readonly kind: "stepped";
      readonly added: number;
      readonly removed: number;
      readonly lowerHu: number;
      readonly shiftHu: number;
      readonly dabs: number;
      readonly isLeap: boolean;
      readonly milliseconds: number;
    }
  | { readonly kind: "stays"; readonly why: "no-stroke" | "no-more" | "no-less" | "over_ceiling" };

export interface DabResult {
  readonly added: number;
  readonly removed: number;
  readonly grow: GrowResult | null;
}
