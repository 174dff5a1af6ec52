/** Exact Euclidean distances on a slice (Felzenszwalb and Huttenlocher, 2012), in mm. */

/** Squared distance in mm² of every pixel to the nearest set one; Infinity where none is set. */
function squaredDistance(set: Uint8Array, width: number, height: number, spacingU: number, spacingV: number): Float64Array {
  const out = new Float64Array(set.length);
  for (let n = 0; n < set.length; n++) out[n] = set[n] ? 0 : Infinity;
  const longest = Math.max(width, height);
  const line = new Float64Array(longest), result = new Float64Array(longest);
  const apex = new Int32Array(longest), bound = new Float64Array(longest + 1);
  const along = (start: number, step: number, count: number, spacing: number): void => {
    for (let n = 0; n < count; n++) line[n] = out[start + n * step];
    envelope(line, count, spacing, apex, bound, result);
    for (let n = 0; n < count; n++) out[start + n * step] = result[n];
  };
  for (let v = 0; v < height; v++) along(v * width, 1, width, spacingU);
  for (let u = 0; u < width; u++) along(u, width, height, spacingV);
  return out;
}

/** Lower envelope of the parabolas of a line. */
function envelope(line: Float64Array, count: number, spacing: number, apex: Int32Array, bound: Float64Array, out: Float64Array): void {
  let last = -1;
  for (let q = 0; q < count; q++) {
    if (line[q] === Infinity) continue;
    let from = -Infinity;
    while (last >= 0) {
      const p = apex[last];
      from = (line[q] - line[p] + spacing * spacing * (q * q - p * p)) / (2 * spacing * spacing * (q - p));
      if (from > bound[last]) break;
      last--;
      from = -Infinity;
    }
    last++;
    apex[last] = q;
    bound[last] = from;
    bound[last + 1] = Infinity;
  }
  for (let q = 0, n = 0; q < count; q++) {
    if (last < 0) { out[q] = Infinity; continue; }
    while (n < last && bound[n + 1] < q) n++;
    const d = (q - apex[n]) * spacing;
    out[q] = d * d + line[apex[n]];
  }
}

/** Distance in mm to the edge of a shape: positive inside, negative outside. */
export function signedDistance(set: Uint8Array, width: number, height: number, spacingU: number, spacingV: number): Float64Array {
  const inverse = set.map((value) => (value ? 0 : 1));
  const toSet = squaredDistance(set, width, height, spacingU, spacingV);
  const toRest = squaredDistance(inverse, width, height, spacingU, spacingV);
  return toSet.map((outside, n) => (set[n] ? Math.sqrt(toRest[n]) : -Math.sqrt(outside)));
}
