/** What is marked on the panes beside the mask. */

import type { Ijk, Plane } from "../../editor/types";

/** A line between two grid positions; shown on every pane whose slice holds both. */
export interface Measurement {
  readonly id: string;
  /** Somebody else's: it is looked at only. */
  readonly isForeign?: boolean;
  readonly from: Ijk;
  readonly to: Ijk;
}

/** The pointer over a pane. */
export interface Cursor {
  readonly plane: Plane;
  readonly x: number;
  readonly y: number;
  readonly ijk: Ijk | null;
  /** Part of the radius that a pen presses. */
  readonly reach?: number;
}

/** A closed line under way (lasso, scissors). */
export interface Line {
  readonly plane: Plane;
  /** The slice where it began. */
  readonly index: number;
  /** Along a row and down the rows of the slice; a voxel's middle is at +0.5. */
  readonly points: readonly (readonly [number, number])[];
}

/** Words beside the cursor: what a stroke takes, or why it took nothing. */
export interface Hud {
  readonly title: string;
  readonly detail: string;
  readonly tone: "plain" | "warn";
}
