/**
 * Boxes, distances and slices of an anisotropic grid. Distances are doubles with a fixed margin, as in
 * `voxloop.volume`.
 */

import { perAxis, type Box, type Plane, type Zyx } from "./types";

/** A voxel exactly on the sphere counts as inside, whatever the last bit says. */
export const EPSILON = 1e-6;

export const voxelsOf = (shape: Zyx): number => shape[0] * shape[1] * shape[2];

/** How far a radius in mm reaches along an axis, in whole voxels. */
export const reachOf = (radiusMm: number, spacing: number): number => Math.trunc(radiusMm / spacing + EPSILON);

/** The part of the volume within the sphere, one voxel wider on each side, cut at the volume's edge. */
export function boxAround(shape: Zyx, spacing: Zyx, centre: Zyx, radiusMm: number): Box {
  const [z, y, x] = perAxis((axis) => {
    const reach = reachOf(radiusMm, spacing[axis]) + 1;
    return [Math.max(0, centre[axis] - reach), Math.min(shape[axis], centre[axis] + reach + 1)] as const;
  });
  return { z0: z[0], z1: z[1], y0: y[0], y1: y[1], x0: x[0], x1: x[1] };
}

/** Squares of the distance in mm along one axis, for the voxels from `from` to `to` (half open). */
export function squares(from: number, to: number, centre: number, spacing: number): Float64Array {
  const result = new Float64Array(to - from);
  for (let n = 0; n < result.length; n++) {
    const d = (from + n - centre) * spacing;
    result[n] = d * d;
  }
  return result;
}

/** The smallest box that holds both; `null` stands for none. */
export function unite(a: Box, b: Box): Box;
export function unite(a: Box | null, b: Box | null): Box | null;
export function unite(a: Box | null, b: Box | null): Box | null {
  if (!a || !b) return a ?? b;
  return {
    z0: Math.min(a.z0, b.z0),
    z1: Math.max(a.z1, b.z1),
    y0: Math.min(a.y0, b.y0),
    y1: Math.max(a.y1, b.y1),
    x0: Math.min(a.x0, b.x0),
    x1: Math.max(a.x1, b.x1),
  };
}

/** Where a plane's slices lie: size of the slice, and the steps in the volume for one column, one row, one index. */
export function planeOf(
  shape: Zyx,
  plane: Plane,
): { width: number; height: number; count: number; column: number; row: number; step: number } {
  const [nz, ny, nx] = shape;
  if (plane === "axial") return { width: nx, height: ny, count: nz, column: 1, row: nx, step: nx * ny };
  if (plane === "coronal") return { width: nx, height: nz, count: ny, column: 1, row: nx * ny, step: nx };
  return { width: ny, height: nz, count: nx, column: nx, row: nx * ny, step: 1 };
}

/** The rectangle of a slice that a box covers, or `null` when the slice misses the box. */
export function rectangleOf(
  box: Box,
  plane: Plane,
  index: number,
): { x: number; y: number; width: number; height: number } | null {
  const { z0, z1, y0, y1, x0, x1 } = box;
  if (plane === "axial") return index < z0 || index >= z1 ? null : { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
  if (plane === "coronal") return index < y0 || index >= y1 ? null : { x: x0, y: z0, width: x1 - x0, height: z1 - z0 };
  return index < x0 || index >= x1 ? null : { x: y0, y: z0, width: y1 - y0, height: z1 - z0 };
}
