/** Union, intersection and difference of a segment with another region: of an overlay, or of the mask itself. */

import { dilate } from "../bits";
import { runsOfBits, writableByGrowing } from "../brushes";
import { bitsOf } from "../components";
import { reachOf } from "../geometry";
import { ballRows } from "../growing";
import type { Labelmap } from "../labelmap";
import type { Stretches } from "../stretches";
import { NO_RUNS, RunBuilder, type Runs } from "../runs";
import { ERASED, type Operation, type Zyx } from "../types";

type Boolean = Extract<Operation, { op: "union" | "intersect" | "subtract" }>;

/**
 * `other` is where the second region lies (the overlay, or the mask). A union takes what it holds of another segment
 * of the mask whether or not overwriting is on: that is what was asked for; erased and locked voxels it leaves alone.
 */
export function combined(operation: Boolean, labels: Labelmap, other: Stretches, spacing: Zyx): Runs {
  const { op, segment, with: wanted, overlay, marginMm = 0, overwrite = false, locked = [] } = operation;
  if (locked.includes(segment)) return NO_RUNS;
  const isWanted = (label: number): boolean => (wanted === null ? label !== ERASED : label === wanted);
  const bare = bitsOf(other, isWanted, spacing.map((s) => reachOf(marginMm, s)) as unknown as Zyx);
  const found =
    bare && marginMm > 0
      ? {
          ...bare,
          bits: dilate(
            bare.frame,
            bare.bits,
            ballRows(marginMm, spacing, Infinity),
            bare.frame.whole(),
            bare.frame.whole(),
          ),
        }
      : bare;
  if (op === "union") {
    if (!found) return NO_RUNS;
    const writable = writableByGrowing(segment, overwrite, locked);
    if (overlay === null && wanted !== null && wanted !== segment && !locked.includes(wanted)) writable[wanted] = 1;
    return runsOfBits(labels.shape, labels.data, found.box, found.frame, found.bits, writable, segment);
  }
  const [, ny, nx] = labels.shape;
  const has = (z: number, y: number, x: number): boolean => {
    if (!found) return false;
    const { box, frame, bits } = found;
    return (
      z >= box.z0 &&
      z < box.z1 &&
      y >= box.y0 &&
      y < box.y1 &&
      x >= box.x0 &&
      x < box.x1 &&
      frame.has(bits, z - box.z0, y - box.y0, x - box.x0)
    );
  };
  const out = new RunBuilder();
  labels.forEachStretch((start, length, label) => {
    if (label !== segment) return;
    const row = Math.floor(start / nx),
      x = start - row * nx,
      y = row % ny,
      z = Math.floor(row / ny);
    for (let n = 0; n < length; n++) if (has(z, y, x + n) === (op === "subtract")) out.push(start + n, 1, segment, 0);
  });
  return out.build();
}
