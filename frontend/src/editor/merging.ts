/** Two versions of a mask come together. */

import type { Step } from "./keeper";
import type { Labelmap } from "./labelmap";
import type { MaskMessage } from "./message";
import { type Runs, invert, separate, tally } from "./runs";
import type { Stroke } from "./types";
import { uuid } from "./uuid";

/**
 * What another version changed since the two parted: all of it, what lies apart from `mine`, and what overlaps with it.
 * The labels hold `mine` and are the same afterwards.
 */
export function changesOf(
  other: MaskMessage,
  labels: Labelmap,
  mine: Runs,
): { theirs: Runs; apart: Runs; overlap: Runs } {
  const touched = new Set<number>();
  labels.apply(invert(mine), touched);
  const theirs = labels.differenceTo(other);
  labels.apply(mine, touched);
  return { theirs, ...separate(theirs, mine) };
}

/** The stroke that brings in what another version of the mask has. */
export function mergeStroke(runs: Runs, params: Readonly<Record<string, unknown>>): Stroke {
  const counts = tally(runs);
  const at = new Date().toISOString();
  return { id: uuid(), tool: "merge", segment: 0, ijk: [0, 0, 0], radius_mm: 0, params, ...counts, at };
}

/** Another save came in: what of it, and how much of it this one had changed too. */
export interface Merged extends Step {
  readonly mine: string;
  readonly theirs: string;
  readonly theirVoxels: number;
  readonly overlap: number;
}
