/** Labels as stretches of one value, row by row through the chunks. */

import { CHUNK, gridOf } from "./chunks";
import type { Zyx } from "./types";

/**
 * Voxels that can be read as stretches of one label other than 0: ascending, within one row, split at chunk borders.
 */
export interface Stretches {
  readonly shape: Zyx;
  forEachStretch(visit: (start: number, length: number, label: number) => void): void;
}

/** The same of some slices only: z0 <= z < z1. */
export interface StretchesOfSlices extends Stretches {
  forEachStretch(visit: (start: number, length: number, label: number) => void, z0?: number, z1?: number): void;
}

/** Every row of every chunk that holds something, in the order of the voxels, slices z0 <= z < z1. */
export function forEachRow(
  shape: Zyx,
  holds: (chunk: number) => boolean,
  visit: (z: number, y: number, cx: number, chunk: number) => void,
  z0 = 0,
  z1: number = shape[0],
): void {
  const [, gridY, gridX] = gridOf(shape);
  const columns: number[][] = Array.from({ length: gridY }, () => []);
  for (let z = z0; z < z1; z++) {
    const slab = (z >> 5) * gridY;
    if ((z & 31) === 0 || z === z0) {
      for (let cy = 0; cy < gridY; cy++) {
        const held: number[] = (columns[cy] = []);
        for (let cx = 0; cx < gridX; cx++) if (holds((slab + cy) * gridX + cx)) held.push(cx);
      }
    }
    for (let cy = 0; cy < gridY; cy++) {
      const held = columns[cy]!;
      if (held.length === 0) continue;
      for (let y = cy * CHUNK; y < Math.min(shape[1], (cy + 1) * CHUNK); y++) {
        for (const cx of held) visit(z, y, cx, (slab + cy) * gridX + cx);
      }
    }
  }
}

export function visitRow(
  labels: Uint8Array,
  from: number,
  to: number,
  shift: number,
  visit: (start: number, length: number, label: number) => void,
): void {
  for (let at = from; at < to; ) {
    const label = labels[at],
      start = at;
    do at++;
    while (at < to && labels[at] === label);
    if (label) visit(start + shift, at - start, label);
  }
}
