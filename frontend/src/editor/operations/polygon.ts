/** Lasso and scissors: what lies inside a closed line on one slice, or on a stack of slices behind it. */

import { planeOf } from "../geometry";
import type { Plane, Zyx } from "../types";

/** A point of a slice in voxels: (column, row); a whole number is the middle of a voxel. */
export type Point = readonly [number, number];

/** For every row, the columns inside the closed line (even-odd rule), as pairs from…to (half open). */
export function rowsInside(points: readonly Point[], width: number, height: number): number[][] {
  const rows: number[][] = [];
  for (let v = 0; v < height; v++) {
    const crossings: number[] = [];
    for (let n = 0; n < points.length; n++) {
      const [u0, v0] = points[n]!,
        [u1, v1] = points[(n + 1) % points.length]!;
      // Half open in v, so that a corner on the row counts once.
      if (v0 <= v !== v1 <= v) crossings.push(u0 + ((v - v0) / (v1 - v0)) * (u1 - u0));
    }
    crossings.sort((a, b) => a - b);
    const row: number[] = [];
    for (let n = 0; n + 1 < crossings.length; n += 2) {
      const from = Math.max(0, Math.ceil(crossings[n]!)),
        to = Math.min(width, Math.ceil(crossings[n + 1]!));
      if (from < to) row.push(from, to);
    }
    rows.push(row);
  }
  return rows;
}

/** The voxels inside (or, of those slices, outside) a closed line, ascending. */
export function voxelsOfPolygon(
  shape: Zyx,
  plane: Plane,
  slices: readonly [number, number],
  points: readonly Point[],
  outside: boolean,
): Uint32Array {
  const { width, height, count, column, row, step } = planeOf(shape, plane);
  const inside = rowsInside(points, width, height).map((pairs) => (outside ? complement(pairs, width) : pairs));
  const found: number[] = [];
  const [first, last] = [Math.max(0, Math.min(...slices)), Math.min(count - 1, Math.max(...slices))];
  for (let index = first; index <= last; index++) {
    inside.forEach((pairs, v) => {
      for (let n = 0; n < pairs.length; n += 2) {
        for (let u = pairs[n]!; u < pairs[n + 1]!; u++) found.push(index * step + v * row + u * column);
      }
    });
  }
  return Uint32Array.from(found).sort();
}

function complement(pairs: readonly number[], width: number): number[] {
  const edges = [0, ...pairs, width];
  const out: number[] = [];
  for (let n = 0; n < edges.length; n += 2) if (edges[n]! < edges[n + 1]!) out.push(edges[n]!, edges[n + 1]!);
  return out;
}
