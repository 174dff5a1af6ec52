/** What an operation changes. */

import type { Runs } from "../runs";
import type { Ijk } from "../types";

/** Runs, and what the stroke log says of them. */
export interface Effect {
  readonly runs: Runs;
  readonly segment: number;
  readonly ijk: Ijk;
  readonly params: Readonly<Record<string, unknown>>;
  /** The history keeps it though no voxel changes. */
  readonly isKept?: boolean;
}
