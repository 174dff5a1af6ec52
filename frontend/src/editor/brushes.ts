/** The plain brushes and the runs of a grown region: which voxels of a shape change, under the rules of the tool. */

import { type BitFrame, type Bits, MARGIN } from "./bits";
import { EPSILON, boxAround, squares } from "./geometry";
import { type GrowInput, type Grown, grow } from "./growing";
import { NO_RUNS, RunBuilder, type Runs, voxelsIn } from "./runs";
import { type Box, ERASED, type GrowParams, type Plane, type Threshold, type Zyx, perAxis } from "./types";

/** For every label, 1 where a tool may change it. */
export type Writable = Uint8Array;

/** Painting takes background and erased voxels, and other segments when told, but never a locked one. */
export function writableByPaint(segment: number, overwrite: boolean, locked: readonly number[]): Writable {
  const writable = new Uint8Array(256);
  if (locked.includes(segment)) return writable;
  if (overwrite) writable.fill(1);
  writable[0] = writable[ERASED] = 1;
  writable[segment] = 0;
  for (const label of locked) writable[label] = 0;
  return writable;
}

/** Growing is painting that leaves erased voxels alone. */
export function writableByGrowing(segment: number, overwrite: boolean, locked: readonly number[]): Writable {
  const writable = writableByPaint(segment, overwrite, locked);
  writable[ERASED] = 0;
  return writable;
}

/** Erasing takes background too, so that growing never paints it; `segments` null = every one that is not locked. */
export function writableByErasing(segments: readonly number[] | null, locked: readonly number[]): Writable {
  const writable = new Uint8Array(256);
  if (segments === null) writable.fill(1);
  else for (const label of segments) writable[label] = 1;
  for (const label of locked) writable[label] = 0;
  writable[0] = 1;
  writable[ERASED] = 0;
  return writable;
}

/** Adds the voxels `from`…`to` (half open) of a row that may change. */
export function pushRow(
  out: RunBuilder,
  labels: Uint8Array,
  from: number,
  to: number,
  writable: Writable,
  value: number,
): void {
  for (let at = from; at < to; ) {
    const label = labels[at]!;
    const start = at;
    do at++;
    while (at < to && labels[at] === label);
    if (writable[label]) out.push(start, at - start, label, value);
  }
}

export interface BrushInput {
  readonly shape: Zyx;
  readonly spacing: Zyx;
  readonly labels: Uint8Array;
  readonly hu: Int16Array;
}

/** A ball around a voxel (z, y, x), or its circle in one plane, set to `value` wherever `writable` allows. */
export function ballRuns(
  input: BrushInput,
  centre: Zyx,
  radiusMm: number,
  plane: Plane | null,
  writable: Writable,
  value: number,
  threshold: Threshold | null,
): Runs {
  const { shape, spacing, labels } = input;
  const box = { ...boxAround(shape, spacing, centre, radiusMm), ...(plane && SLICE[plane](centre)) };
  const limit = radiusMm * radiusMm + EPSILON;
  const z2 = squares(box.z0, box.z1, centre[0], spacing[0]),
    y2 = squares(box.y0, box.y1, centre[1], spacing[1]);
  const x2 = squares(box.x0, box.x1, centre[2], spacing[2]);
  const out = new RunBuilder();
  for (let z = box.z0; z < box.z1; z++) {
    for (let y = box.y0; y < box.y1; y++) {
      const zy = z2[z - box.z0]! + y2[y - box.y0]!;
      if (zy > limit) continue;
      let first = 0,
        last = x2.length - 1;
      while (first <= last && zy + x2[first]! > limit) first++;
      while (last >= first && zy + x2[last]! > limit) last--;
      if (first > last) continue;
      const row = (z * shape[1] + y) * shape[2] + box.x0;
      if (threshold) pushBetween(out, input, row + first, row + last + 1, writable, value, threshold);
      else pushRow(out, labels, row + first, row + last + 1, writable, value);
    }
  }
  return out.build();
}

/** The one slice of a plane through a voxel, as a part of a box. */
const SLICE: Readonly<Record<Plane, (centre: Zyx) => Partial<Box>>> = {
  axial: ([z]) => ({ z0: z, z1: z + 1 }),
  coronal: ([, y]) => ({ y0: y, y1: y + 1 }),
  sagittal: ([, , x]) => ({ x0: x, x1: x + 1 }),
};

/** Adds the voxels `from`…`to` (half open) of a row that may change and whose HU lie within the bounds. */
function pushBetween(
  out: RunBuilder,
  { labels, hu }: BrushInput,
  from: number,
  to: number,
  writable: Writable,
  value: number,
  { lo, hi }: Threshold,
): void {
  for (let at = from; at < to; at++) {
    if (hu[at]! >= lo && hu[at]! <= hi && writable[labels[at]!]) out.push(at, 1, labels[at]!, value);
  }
}

/** Calls `visit` for every stretch of set bits of box row (z, y), as columns from…to (half open) of the box. */
export function forEachBitRun(
  frame: BitFrame,
  bits: Bits,
  z: number,
  y: number,
  visit: (from: number, to: number) => void,
): void {
  const row = frame.rowOf(z, y);
  for (let w = 0; w < frame.words; w++) {
    for (let word = bits[row + w]!; word !== 0; ) {
      const from = 31 - Math.clz32(word & -word);
      const ones = ~(word >>> from);
      const length = ones === 0 ? 32 : 31 - Math.clz32(ones & -ones);
      const at = 32 * w + from - MARGIN;
      visit(at, at + length);
      word = from + length >= 32 ? 0 : word & (-1 << (from + length));
    }
  }
}

/** Runs that set the voxels of `bits` to `value` wherever `writable` allows. */
export function runsOfBits(
  shape: Zyx,
  labels: Uint8Array,
  box: Box,
  frame: BitFrame,
  bits: Bits,
  writable: Writable,
  value: number,
): Runs {
  const out = new RunBuilder();
  let base = 0;
  const push = (from: number, to: number): void => pushRow(out, labels, base + from, base + to, writable, value);
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      base = ((box.z0 + z) * shape[1] + box.y0 + y) * shape[2] + box.x0;
      forEachBitRun(frame, bits, z, y, push);
    }
  }
  return out.build();
}

/** Runs that set the voxels a grown region takes. */
export function grownRuns(input: BrushInput, { box, frame, taken }: Grown, writable: Writable, value: number): Runs {
  return frame && taken ? runsOfBits(input.shape, input.labels, box, frame, taken, writable, value) : NO_RUNS;
}

/** One stroke of the growing brush; what the ceiling kept from being painted comes as `refused`. */
export function growStroke(
  input: GrowInput,
  segment: number,
  seed: Zyx,
  radiusMm: number,
  params: Partial<GrowParams>,
  writable: Writable,
): { readonly runs: Runs; readonly refused: Runs; readonly grown: Grown } {
  const grown = grow(input, segment, seed, radiusMm, params);
  const runs = grownRuns(input, grown, writable, segment);
  const { ceiling } = params;
  if (ceiling == null || voxelsIn(runs) <= ceiling) return { runs, refused: NO_RUNS, grown };
  return { runs: NO_RUNS, refused: runs, grown: { ...grown, refusal: "over_ceiling" } };
}

/**
 * The voxels between two dabs of a stroke, so close that spheres of this radius leave no gap; the first is left out.
 */
export function between(from: Zyx, to: Zyx, spacing: Zyx, radiusMm: number): Zyx[] {
  const distance = Math.hypot(...perAxis((axis) => (to[axis] - from[axis]) * spacing[axis]));
  const steps = Math.max(1, Math.ceil(distance / Math.max(radiusMm / 4, Math.min(...spacing))));
  const path: Zyx[] = [];
  for (let step = 1; step <= steps; step++) {
    const part = step / steps;
    path.push(perAxis((axis) => Math.round(from[axis] + (to[axis] - from[axis]) * part)));
  }
  return path;
}
