/** A press on a pane and what follows until release. */

import type { Ijk } from "../../editor/types";
import type { Pane } from "./pane";

/** Where the pointer is on a pane. */
export interface PanePoint {
  readonly pane: Pane;
  /** CSS pixels in the pane. */
  readonly x: number;
  readonly y: number;
  /** Continuous voxel coordinates; the middle of a voxel is at +0.5. */
  readonly grid: readonly [number, number, number];
  /** null outside the volume. */
  readonly voxel: Ijk | null;
  /** Alt, Ctrl or Cmd is held: the opposite of what the tool does. */
  readonly inverse: boolean;
  /** Part of the radius that the pressure of a pen gives a brush; 1 for everything else. */
  readonly reach: number;
}

/**
 * What a press began, until release. `cancel` takes back what it did: a second finger came, or the browser took the
 * pointer away.
 */
export interface Gesture {
  move?(to: PanePoint): void;
  end?(at: PanePoint): void;
  cancel?(): void;
}
