/** Thick slices: the brightest, darkest or mean voxel along the way through the slices. Reads HU, writes one slice of HU. */

import type { Plane, Zyx } from "../../editor/types";
import { msg } from "../language";

export type SlabKind = "mip" | "minip" | "average";

export interface Slab { readonly kind: SlabKind; readonly mm: number }

export const SLAB_NAMES: Readonly<Record<SlabKind, string>> = { mip: msg("MIP"), minip: msg("MinIP"), average: msg("Average") };
export const SLAB_MM = { min: 2, max: 50 } as const;

/**
 * Slices of a slab round `index`, half open, cut at the volume's ends. Always as many on both sides of the middle slice, so
 * that its outline lies in the middle of what is seen.
 */
export function slabRange(index: number, count: number, spacing: number, mm: number): readonly [number, number] {
  const side = Math.max(0, Math.round((mm / spacing - 1) / 2));
  return [Math.max(0, index - side), Math.min(count, index + side + 1)];
}

/** Project the slices `from` <= n < `to` of a plane of `hu` (zyx) into `out` (as `Slice` of the editor has them). */
export function project(hu: Int16Array, shape: Zyx, plane: Plane, from: number, to: number, kind: SlabKind, out: Int16Array): void {
  const [depth, rows, columns] = shape;
  if (plane === "sagittal") {
    // The voxels of the slab lie side by side in memory.
    for (let row = 0; row < depth * rows; row++) out[row] = along(hu, row * columns + from, row * columns + to, kind);
    return;
  }
  const width = columns;
  const height = plane === "axial" ? rows : depth;
  const rowStep = plane === "axial" ? columns : rows * columns;
  const sliceStep = plane === "axial" ? rows * columns : columns;
  const sums = kind === "average" ? new Int32Array(width) : null;
  for (let v = 0; v < height; v++) {
    const line = out.subarray(v * width, (v + 1) * width);
    let at = from * sliceStep + v * rowStep;
    if (sums) sums.fill(0);
    else line.set(hu.subarray(at, at + width));
    for (let n = from; n < to; n++, at += sliceStep) {
      if (sums) for (let u = 0; u < width; u++) sums[u] += hu[at + u];
      else if (kind === "mip") { for (let u = 0; u < width; u++) if (hu[at + u] > line[u]) line[u] = hu[at + u]; }
      else for (let u = 0; u < width; u++) if (hu[at + u] < line[u]) line[u] = hu[at + u];
    }
    if (sums) for (let u = 0; u < width; u++) line[u] = Math.round(sums[u] / (to - from));
  }
}

function along(hu: Int16Array, from: number, to: number, kind: SlabKind): number {
  let value = hu[from];
  if (kind === "mip") { for (let at = from + 1; at < to; at++) if (hu[at] > value) value = hu[at]; }
  else if (kind === "minip") { for (let at = from + 1; at < to; at++) if (hu[at] < value) value = hu[at]; }
  else {
    for (let at = from + 1; at < to; at++) value += hu[at];
    value = Math.round(value / (to - from));
  }
  return value;
}
