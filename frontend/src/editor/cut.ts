/** Labels where an oblique plane cuts the volume. */

import { type Box, type Zyx, perAxis } from "./types";

type Step = readonly [x: number, y: number, z: number];

/**
 * A raster over such a plane: where the middle of pixel (0, 0) lies in voxels (a voxel's middle at +0.5), and how far
 * the next column and row are.
 */
export interface Cut {
  readonly start: Step;
  readonly column: Step;
  readonly row: Step;
  readonly width: number;
  readonly height: number;
}

/** Each pixel has the label of the voxel that its middle lies in, 0 outside. */
export function cutLabels(
  at: (z: number, y: number, x: number) => number,
  [nz, ny, nx]: Zyx,
  { start, column, row, width, height }: Cut,
): Uint8Array {
  const out = new Uint8Array(width * height);
  let p = 0;
  for (let b = 0; b < height; b++) {
    let x = start[0] + b * row[0],
      y = start[1] + b * row[1],
      z = start[2] + b * row[2];
    for (let a = 0; a < width; a++, p++, x += column[0], y += column[1], z += column[2]) {
      if (x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz) out[p] = at(z | 0, y | 0, x | 0);
    }
  }
  return out;
}

/** Columns of row `b` whose pixels may lie in the box, half open; empty where the row misses it. */
function columnsIn(box: Box, { start, column, row, width }: Cut, b: number): [number, number] {
  let first = 0,
    end = width;
  for (const [axis, low, high] of [
    [0, box.x0, box.x1],
    [1, box.y0, box.y1],
    [2, box.z0, box.z1],
  ] as const) {
    const at = start[axis] + b * row[axis],
      step = column[axis];
    if (Math.abs(step) < 1e-9) {
      if (at < low || at >= high) return [0, 0];
      continue;
    }
    const ends = [(low - at) / step, (high - at) / step];
    first = Math.max(first, Math.floor(Math.min(...ends)));
    end = Math.min(end, Math.ceil(Math.max(...ends)) + 1);
  }
  return first < end ? [first, end] : [0, 0];
}

/**
 * `cutLabels` of the voxels of a box only, as the rectangle of the raster that holds them; null where the plane misses
 * the box.
 */
export function boxLabels(
  at: (z: number, y: number, x: number) => number,
  box: Box,
  cut: Cut,
): { x: number; y: number; width: number; height: number; data: Uint8Array } | null {
  let x0 = cut.width,
    x1 = 0,
    y0 = -1,
    y1 = 0;
  for (let b = 0; b < cut.height; b++) {
    const [first, end] = columnsIn(box, cut, b);
    if (first >= end) continue;
    x0 = Math.min(x0, first);
    x1 = Math.max(x1, end);
    y0 = y0 < 0 ? b : y0;
    y1 = b + 1;
  }
  if (y0 < 0) return null;
  const start = perAxis((axis) => cut.start[axis] + x0 * cut.column[axis] + y0 * cut.row[axis]);
  const part = { ...cut, start, width: x1 - x0, height: y1 - y0 };
  const inBox = (z: number, y: number, x: number) =>
    z >= box.z0 && z < box.z1 && y >= box.y0 && y < box.y1 && x >= box.x0 && x < box.x1 ? at(z, y, x) : 0;
  return {
    x: x0,
    y: y0,
    width: part.width,
    height: part.height,
    data: cutLabels(inBox, [box.z1, box.y1, box.x1], part),
  };
}
