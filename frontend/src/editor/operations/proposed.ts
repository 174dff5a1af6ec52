/** Accepting, dropping and regrowing a lesion that a model proposed; each is one stroke. */

import { type Writable, pushRow } from "../brushes";
import { componentsOf } from "../components";
import { type Ground, effectOf } from "../drawing";
import { FARTHEST_MM, LEAST_MM } from "../clickradius";
import type { Labelmap } from "../labelmap";
import { partsOf, proposedAt } from "../proposed";
import { NO_RUNS, RunBuilder, type Runs, compose, invert } from "../runs";
import type { SparseMask } from "../sparsemask";
import { ERASED, type GrowRefusal, type Operation, type Zyx } from "../types";
import type { Effect } from "./effect";

type On = Extract<Operation, { op: "accept" | "drop" | "regrow" }>;

/** The circle of a brush that just encloses a lesion stands this far beyond it. */
const ROOM_MM = 2;

const nothing = ({ at, overlay }: On, segment = 0): Effect => ({
  runs: NO_RUNS,
  segment,
  ijk: at,
  params: { overlay },
});

/** Changes no voxel: the stroke says that the lesion is right as it is. */
export function accepted(operation: Extract<On, { op: "accept" }>, overlay: SparseMask): Effect {
  const proposed = partsOf(overlay);
  const part = proposed.parts[proposedAt(proposed, overlay.shape, operation.at)];
  return { ...nothing(operation, part?.label), isKept: part !== undefined };
}

/** Nothing of the lesion stays, and growing does not bring it back. */
export function dropped(operation: Extract<On, { op: "drop" }>, labels: Labelmap, overlay: SparseMask): Effect {
  const runs = without(labels, overlay, operation, ERASED);
  const proposed = partsOf(overlay);
  const part = proposed.parts[proposedAt(proposed, overlay.shape, operation.at)];
  return { ...nothing(operation, part?.label), runs };
}

/** The lesion anew, as one press of the growing brush in its middle takes it. */
export function regrown(
  operation: Extract<On, { op: "regrow" }>,
  ground: Ground,
  overlay: SparseMask,
): Effect & { readonly refusal?: GrowRefusal } {
  const { at, tool } = operation;
  const proposed = partsOf(overlay);
  const part = proposed.parts[proposedAt(proposed, overlay.shape, at)];
  if (!part) return nothing(operation);
  const { labels, meta } = ground;
  const away = without(labels, overlay, operation, 0);
  const seed: Zyx = [at[2], at[1], at[0]];
  const radiusMm = enclosing(part, seed, meta.shapeZyx, meta.spacingMmZyx);
  const chunks = new Set<number>();
  labels.apply(away, chunks);
  const { runs, grow } = effectOf({ ...tool, segment: part.label, radiusMm }, seed, ground);
  labels.apply(invert(away), chunks);
  if (grow?.refusal || runs.count === 0)
    return { ...nothing(operation, part.label), refusal: grow?.refusal ?? "nothing_within_bounds" };
  const params = { overlay: operation.overlay, radius_mm: radiusMm, tolerance: tool.params?.tolerance ?? null };
  return { runs: compose(away, runs), segment: part.label, ijk: at, params, isKept: true };
}

/**
 * Runs that take the lesion away: what is marked of the proposed one, and what has been added to it; where it has run
 * together with another proposed lesion only the former.
 */
function without(
  labels: Labelmap,
  overlay: SparseMask,
  { at, locked }: Exclude<On, { op: "accept" }>,
  value: number,
): Runs {
  const proposed = partsOf(overlay);
  const index = proposedAt(proposed, labels.shape, at);
  const part = proposed.parts[index];
  if (!part) return NO_RUNS;
  const joined = componentsOf(labels).filter((lesion) => {
    const shared = proposed.sharedWith(lesion);
    return shared.has(index) && shared.size === 1;
  });
  const writable: Writable = new Uint8Array(256).fill(1);
  for (const label of [0, ERASED, ...locked]) writable[label] = 0;
  const stretches = [part, ...joined]
    .flatMap((one) => Array.from(one.starts, (start, n) => [start, start + one.lengths[n]!] as const))
    .sort((a, b) => a[0] - b[0]);
  const out = new RunBuilder();
  let end = 0;
  for (const [from, to] of stretches) {
    if (to > end) pushRow(out, labels.data, Math.max(from, end), to, writable, value);
    end = Math.max(end, to);
  }
  return out.build();
}

/** The radius in mm of the ball round `seed` that just encloses the part. */
function enclosing(
  part: { readonly starts: Uint32Array; readonly lengths: Uint32Array },
  seed: Zyx,
  [, ny, nx]: Zyx,
  spacing: Zyx,
): number {
  let most = 0;
  part.starts.forEach((start, n) => {
    const row = Math.floor(start / nx),
      from = start - row * nx;
    const zy = ((Math.floor(row / ny) - seed[0]) * spacing[0]) ** 2 + (((row % ny) - seed[1]) * spacing[1]) ** 2;
    for (const x of [from, from + part.lengths[n]! - 1]) most = Math.max(most, zy + ((x - seed[2]) * spacing[2]) ** 2);
  });
  return Math.min(FARTHEST_MM, Math.max(LEAST_MM, Math.sqrt(most) + ROOM_MM));
}
