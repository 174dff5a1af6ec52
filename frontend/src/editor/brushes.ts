/** The plain brushes and the runs of a grown region: which voxels of a shape change, under the rules of the tool. */

import { MARGIN } from "./bits";
import { EPSILON, boxAround, squares } from "./geometry";
import type { Grown } from "./growing";
import { RunBuilder, type Runs } from "./runs";
import { ERASED, type Plane, type Threshold, type Zyx } from "./types";

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
export function pushRow(out: RunBuilder, labels: Uint8Array, from: number, to: number, writable: Writable, value: number): void {
  for (let at = from; at < to;) {
    const label = labels[at];
    const start = at;
    do at++; while (at < to && labels[at] === label);
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
  input: BrushInput, centre: Zyx, radiusMm: number, plane: Plane | null, writable: Writable, value: number, threshold: Threshold | null,
): Runs {
  const { shape, spacing, labels, hu } = input;
  const box = { ...boxAround(shape, spacing, centre, radiusMm) };
  if (plane === "axial") { box.z0 = centre[0]; box.z1 = centre[0] + 1; }
  if (plane === "coronal") { box.y0 = centre[1]; box.y1 = centre[1] + 1; }
  if (plane === "sagittal") { box.x0 = centre[2]; box.x1 = centre[2] + 1; }
  const limit = radiusMm * radiusMm + EPSILON;
  const z2 = squares(box.z0, box.z1, centre[0], spacing[0]), y2 = squares(box.y0, box.y1, centre[1], spacing[1]);
  const x2 = squares(box.x0, box.x1, centre[2], spacing[2]);
  const out = new RunBuilder();
  for (let z = box.z0; z < box.z1; z++) {
    for (let y = box.y0; y < box.y1; y++) {
      const zy = z2[z - box.z0] + y2[y - box.y0];
      if (zy > limit) continue;
      let first = 0, last = x2.length - 1;
      while (first <= last && zy + x2[first] > limit) first++;
      while (last >= first && zy + x2[last] > limit) last--;
      if (first > last) continue;
      const row = (z * shape[1] + y) * shape[2] + box.x0;
      if (!threshold) { pushRow(out, labels, row + first, row + last + 1, writable, value); continue; }
      for (let at = row + first; at <= row + last; at++) {
        if (hu[at] >= threshold.lo && hu[at] <= threshold.hi && writable[labels[at]]) out.push(at, 1, labels[at], value);
      }
    }
  }
  return out.build();
}

/** Runs that set the voxels a grown region takes. */
export function grownRuns(input: BrushInput, grown: Grown, writable: Writable, value: number): Runs {
  const { box, frame, taken } = grown;
  const out = new RunBuilder();
  if (!frame || !taken) return out.build();
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const row = frame.rowOf(z, y);
      const base = ((box.z0 + z) * input.shape[1] + box.y0 + y) * input.shape[2] + box.x0 - MARGIN;
      for (let w = 0; w < frame.words; w++) {
        for (let word = taken[row + w]; word !== 0;) {
          const from = 31 - Math.clz32(word & -word);
          const ones = ~(word >>> from);
          const length = ones === 0 ? 32 : 31 - Math.clz32(ones & -ones);
          const at = base + 32 * w + from;
          pushRow(out, input.labels, at, at + length, writable, value);
          word = from + length >= 32 ? 0 : word & (-1 << (from + length));
        }
      }
    }
  }
  return out.build();
}

/** The voxels between two dabs of a stroke, so close that spheres of this radius leave no gap; the first is left out. */
export function between(from: Zyx, to: Zyx, spacing: Zyx, radiusMm: number): Zyx[] {
  const distance = Math.hypot(...[0, 1, 2].map((axis) => (to[axis] - from[axis]) * spacing[axis]));
  const steps = Math.max(1, Math.ceil(distance / Math.max(radiusMm / 4, Math.min(...spacing))));
  const path: Zyx[] = [];
  for (let step = 1; step <= steps; step++) {
    const part = step / steps;
    path.push([0, 1, 2].map((axis) => Math.round(from[axis] + (to[axis] - from[axis]) * part)) as unknown as Zyx);
  }
  return path;
}
