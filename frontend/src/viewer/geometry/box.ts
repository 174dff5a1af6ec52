/** A box of the grid as it is spanned on a pane and as the pane sees it. */

import { perAxis, type Box } from "../../editor/types";
import type { PaneGeometry } from "./pane";
import type { Vector } from "./oblique";

type Point = readonly [number, number];

/**
 * Whole voxels round the rectangle between two screen points of slice `index`, as deep as it is wide on the whole,
 * within the volume.
 */
export function boxBetween(pane: PaneGeometry, from: Point, to: Point, index: number): Box {
  const {
    mmPerVoxel: mm,
    frame: { right, down, normal },
    size,
  } = pane;
  // The voxels at both ends belong to it, so its sides are one voxel longer than the way between their middles.
  const voxelMm = (along: Vector) => perAxis((n) => Math.abs(along[n]) * mm[n]).reduce((sum, part) => sum + part, 0);
  const halfMm =
    ((Math.abs(to[0] - from[0]) + Math.abs(to[1] - from[1])) / pane.scale + voxelMm(right) + voxelMm(down)) / 4;
  const corners = [from, to, [from[0], to[1]] as const, [to[0], from[1]] as const].flatMap(([x, y]) => {
    const middle = pane.toGrid(x, y, index);
    return [-halfMm, halfMm].map((off) => perAxis((n) => middle[n] + (normal[n] * off) / mm[n]));
  });
  const lo = perAxis((n) => Math.max(0, Math.floor(Math.min(...corners.map((c) => c[n])))));
  const hi = perAxis((n) => Math.min(size[n], Math.floor(Math.max(...corners.map((c) => c[n]))) + 1));
  return { x0: lo[0], x1: hi[0], y0: lo[1], y1: hi[1], z0: lo[2], z1: hi[2] };
}

/** Screen points, in order round, of the polygon in which a pane's plane cuts a box; empty where they do not meet. */
export function outlineOf(pane: PaneGeometry, { x0, x1, y0, y1, z0, z1 }: Box, index: number): Point[] {
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n): Vector => [n & 1 ? x1 : x0, n & 2 ? y1 : y0, n & 4 ? z1 : z0]);
  const found: Vector[] = [];
  corners.forEach((corner, n) => {
    const side = pane.beyondMm(corner, index);
    for (const step of [1, 2, 4]) {
      const other = corners[n | step];
      if (!other || other === corner) continue;
      const beyond = pane.beyondMm(other, index);
      if (side < 0 === beyond < 0) continue;
      const part = side / (side - beyond);
      found.push(perAxis((axis) => corner[axis] + (other[axis] - corner[axis]) * part));
    }
  });
  const points = found.map((point) => pane.toScreen(point));
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const middle: Point = [mean(0), mean(1)];
  // A plane cuts a box in a convex polygon: its corners follow each other by their angle about the middle.
  return points.sort(
    (a, b) => Math.atan2(a[1] - middle[1], a[0] - middle[0]) - Math.atan2(b[1] - middle[1], b[0] - middle[0]),
  );
}
