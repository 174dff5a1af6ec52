/** Exact Euclidean distances (Felzenszwalb and Huttenlocher, 2012), in mm. */

import type { Zyx } from "../types";

/** Squared distance in mm² of every pixel to the nearest set one; Infinity where none is set. */
function squaredDistance(
  set: Uint8Array,
  width: number,
  height: number,
  spacingU: number,
  spacingV: number,
): Float64Array {
  const out = new Float64Array(set.length);
  nearestInRows(set, 1, width, spacingU, out);
  const line = new Float64Array(height),
    result = new Float64Array(height);
  const apex = new Int32Array(height),
    bound = new Float64Array(height + 1);
  for (let u = 0; u < width; u++) {
    let any = 0;
    for (let v = 0, at = u; v < height; v++, at += width) any |= Number((line[v] = out[at]!) > 0);
    if (!any) continue;
    envelope(line, height, spacingV, apex, bound, result);
    for (let v = 0, at = u; v < height; v++, at += width) out[at] = result[v]!;
  }
  return out;
}

/**
 * Squared distance in mm² within its row of every voxel to the nearest one that is not set (`wanted` 0) or set (1);
 * Infinity where none is.
 */
function nearestInRows(set: Uint8Array, wanted: 0 | 1, width: number, spacing: number, out: Float64Array): void {
  for (let row = 0; row < set.length; row += width) {
    let last = -Infinity;
    for (let u = 0; u < width; u++) {
      if (Number(set[row + u] !== 0) === wanted) last = u;
      out[row + u] = ((u - last) * spacing) ** 2;
    }
    last = Infinity;
    for (let u = width - 1; u >= 0; u--) {
      if (Number(set[row + u] !== 0) === wanted) last = u;
      const d2 = ((last - u) * spacing) ** 2;
      if (d2 < out[row + u]!) out[row + u] = d2;
    }
  }
}

/** Lower envelope of the parabolas of a line. */
function envelope(
  line: Float64Array,
  count: number,
  spacing: number,
  apex: Int32Array,
  bound: Float64Array,
  out: Float64Array,
): void {
  let last = -1;
  for (let q = 0; q < count; q++) {
    if (line[q] === Infinity) continue;
    let from = -Infinity;
    while (last >= 0) {
      const p = apex[last]!;
      from = (line[q]! - line[p]! + spacing * spacing * (q * q - p * p)) / (2 * spacing * spacing * (q - p));
      if (from > bound[last]!) break;
      last--;
      from = -Infinity;
    }
    last++;
    apex[last] = q;
    bound[last] = from;
    bound[last + 1] = Infinity;
  }
  for (let q = 0, n = 0; q < count; q++) {
    if (last < 0) {
      out[q] = Infinity;
      continue;
    }
    while (n < last && bound[n + 1]! < q) n++;
    const d = (q - apex[n]!) * spacing;
    out[q] = d * d + line[apex[n]!]!;
  }
}

/** Distance in mm to the edge of a shape: positive inside, negative outside. */
export function signedDistance(
  set: Uint8Array,
  width: number,
  height: number,
  spacingU: number,
  spacingV: number,
): Float64Array {
  const inverse = set.map((value) => (value ? 0 : 1));
  const toSet = squaredDistance(set, width, height, spacingU, spacingV);
  const toRest = squaredDistance(inverse, width, height, spacingU, spacingV);
  return toSet.map((outside, n) => (set[n] ? Math.sqrt(toRest[n]!) : -Math.sqrt(outside)));
}

/** Distance in mm of every set voxel of a box (zyx) to the nearest one that is not set; 0 for the others. */
export function depthInside(set: Uint8Array, [nz, ny, nx]: Zyx, [sz, sy, sx]: Zyx): Float32Array {
  const out = new Float64Array(set.length);
  nearestInRows(set, 0, nx, sx, out);
  const longest = Math.max(nz, ny);
  const line = new Float64Array(longest),
    result = new Float64Array(longest);
  const apex = new Int32Array(longest),
    bound = new Float64Array(longest + 1);
  const along = (start: number, step: number, count: number, spacing: number): void => {
    for (let n = 0; n < count; n++) {
      if (out[start + n * step] === 0) continue;
      // A stretch of the set with the voxels before and after it: what lies beyond those is never nearer.
      const from = Math.max(0, n - 1);
      while (n < count && out[start + n * step]! > 0) n++;
      const length = Math.min(count, n + 1) - from;
      for (let m = 0; m < length; m++) line[m] = out[start + (from + m) * step]!;
      envelope(line, length, spacing, apex, bound, result);
      for (let m = 0; m < length; m++) out[start + (from + m) * step] = result[m]!;
    }
  };
  for (let z = 0; z < nz; z++) for (let x = 0; x < nx; x++) along(z * ny * nx + x, nx, ny, sy);
  for (let column = 0; column < ny * nx; column++) along(column, ny * nx, nz, sz);
  // `Float32Array.from` goes through an iterator, which takes longer than all that is above.
  const depth = new Float32Array(out.length);
  for (let n = 0; n < out.length; n++) if (out[n]! > 0) depth[n] = Math.sqrt(out[n]!);
  return depth;
}
