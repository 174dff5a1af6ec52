/** How much of each block of voxels a segment fills: what the 3D surface is made of. */

import type { StretchesOfSlices } from "./stretches";
import { ERASED, type CoarseField, type Zyx } from "./types";

/**
 * Fill of the blocks in layers `from` <= z < `to` (blocks), layer by layer for every segment that is there: 255 = every
 * voxel of the block. Blocks at the volume's far edge are counted by the voxels that they have.
 */
export function coarseOf(mask: StretchesOfSlices, step: Zyx, from: number, to: number): CoarseField[] {
  const [nz, ny, nx] = mask.shape;
  const [rows, columns] = [Math.ceil(ny / step[1]), Math.ceil(nx / step[2])];
  const fields: CoarseField[] = [];
  // Voxels of each segment in the blocks of one layer; the memory serves the next layer, too.
  const counts = new Map<number, Uint16Array>();
  for (let layer = from; layer < to; layer++) {
    const found = new Set<number>();
    const [z0, z1] = [layer * step[0], Math.min(nz, (layer + 1) * step[0])];
    mask.forEachStretch(
      (start, length, label) => {
        if (label === ERASED) return;
        let count = counts.get(label);
        if (!count) counts.set(label, (count = new Uint16Array(rows * columns)));
        found.add(label);
        const line = Math.floor(start / nx);
        addStretch(count, Math.floor((line % ny) / step[1]) * columns, start - line * nx, length, step[2]);
      },
      z0,
      z1,
    );
    for (const [segment, count] of counts) {
      if (!found.has(segment)) continue;
      fields.push({ segment, layer, data: shares(count, mask.shape, step, z1 - z0, rows, columns) });
      count.fill(0);
    }
  }
  return fields;
}

/** Counts the voxels of a stretch from column `x` on into the blocks of its row, which begin at `row`. */
function addStretch(count: Uint16Array, row: number, x: number, length: number, step: number): void {
  for (let at = x, end = x + length; at < end; ) {
    const block = Math.floor(at / step);
    const next = Math.min(end, (block + 1) * step);
    count[row + block]! += next - at;
    at = next;
  }
}

/** `depth`: slices of the layer. */
function shares(
  count: Uint16Array,
  [, ny, nx]: Zyx,
  step: Zyx,
  depth: number,
  rows: number,
  columns: number,
): Uint8Array {
  const data = new Uint8Array(count.length);
  for (let y = 0, at = 0; y < rows; y++) {
    const area = depth * Math.min(step[1], ny - y * step[1]);
    for (let x = 0; x < columns; x++, at++)
      if (count[at]) data[at] = Math.round((count[at]! * 255) / (area * Math.min(step[2], nx - x * step[2])));
  }
  return data;
}
