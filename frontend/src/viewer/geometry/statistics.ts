/** Figures of the voxels inside an ellipse or a rectangle on a slice. */

import type { Plane, Zyx } from "../../editor/types";
import { planeOf } from "../../editor/geometry";

export type RegionKind = "ellipse" | "rectangle";

/** Opposite corners in slice coordinates: column, row; a voxel's middle is at +0.5. */
export interface RegionBox {
  readonly u0: number;
  readonly v0: number;
  readonly u1: number;
  readonly v1: number;
}

export interface RegionFacts {
  readonly voxels: number;
  readonly areaMm2: number;
  /** HU; null where no voxel's middle lies inside. `sd` is that of these voxels (divided by n). */
  readonly mean: number | null;
  readonly sd: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** A voxel counts when its middle lies inside. `hu` is zyx, less `offset`; `mm2` the area of a voxel on the slice. */
export function regionFacts(
  hu: Int16Array,
  shape: Zyx,
  plane: Plane,
  index: number,
  kind: RegionKind,
  box: RegionBox,
  mm2: number,
  offset = 0,
): RegionFacts {
  const { width, height, column, row, step } = planeOf(shape, plane);
  const [left, right] = [Math.min(box.u0, box.u1), Math.max(box.u0, box.u1)];
  const [top, bottom] = [Math.min(box.v0, box.v1), Math.max(box.v0, box.v1)];
  const [cu, cv, ru, rv] = [(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2];
  let voxels = 0,
    sum = 0,
    squares = 0,
    min = Infinity,
    max = -Infinity;
  for (let v = Math.max(0, Math.ceil(top - 0.5)); v < height && v + 0.5 <= bottom; v++) {
    for (let u = Math.max(0, Math.ceil(left - 0.5)); u < width && u + 0.5 <= right; u++) {
      if (kind === "ellipse" && ((u + 0.5 - cu) / ru) ** 2 + ((v + 0.5 - cv) / rv) ** 2 > 1) continue;
      const value = hu[index * step + v * row + u * column]! + offset;
      voxels++;
      sum += value;
      squares += value * value;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (!voxels) return { voxels, areaMm2: 0, mean: null, sd: null, min: null, max: null };
  const mean = sum / voxels;
  return { voxels, areaMm2: voxels * mm2, mean, sd: Math.sqrt(Math.max(0, squares / voxels - mean * mean)), min, max };
}
