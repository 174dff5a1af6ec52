/** Grow and shrink a segment by millimetres, and smooth its surface. */

import { type Bits, MARGIN, type Range, dilate, erode } from "../bits";
import { type BoxBits, bitsOf } from "../components";
import { reachOf } from "../geometry";
import { ballRows } from "../growing";
import type { Labelmap } from "../labelmap";
import type { Zyx } from "../types";

/** The voxels that a segment would have after growing (`mm` > 0) or shrinking (`mm` < 0) by a ball; `null` where there is none. */
export function resized(labels: Labelmap, spacing: Zyx, segment: number, mm: number): BoxBits | null {
  const grow = mm > 0;
  const found = bitsOf(labels, (label) => label === segment, grow ? spacing.map((s) => reachOf(mm, s)) as unknown as Zyx : [0, 0, 0]);
  if (!found) return null;
  const { frame, bits } = found;
  const element = ballRows(Math.abs(mm), spacing, Infinity);
  const all: Range = frame.whole();
  return { ...found, bits: grow ? dilate(frame, bits, element, all, all) : erode(frame, bits, element, all) };
}

/**
 * The voxels that a segment would have after smoothing: where its Gaussian mean (sigma = `mm` / 2) exceeds one half. Slice by
 * slice, so that both lungs need no more memory than a nodule. The edge voxel goes on beyond the box, so that a lesion at
 * the edge of the scan is not eaten.
 */
export function smoothed(labels: Labelmap, spacing: Zyx, segment: number, mm: number): BoxBits | null {
  const sigma = mm / 2;
  const reach = spacing.map((s) => Math.ceil((3 * sigma) / s)) as unknown as Zyx;
  const found = bitsOf(labels, (label) => label === segment, reach);
  if (!found) return null;
  const { frame, box, bits: set } = found;
  const { nz, ny, nx, words } = frame;
  const [alongZ, alongY, alongX] = reach.map((r, axis) => kernelOf(sigma / spacing[axis], r));
  const across = new Float32Array(ny * nx);
  const sum = new Float64Array(nx);
  const bits = frame.create();
  const holds = new Uint8Array(nz * ny), plane = new Uint8Array(ny);
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = frame.rowOf(z, y);
      for (let w = 0; w < words; w++) if (set[row + w]) { holds[z * ny + y] = 1; break; }
    }
  }
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      plane[y] = 0;
      sum.fill(0);
      for (let k = 0; k <= reach[0]; k++) {
        const before = Math.max(0, z - k), after = Math.min(nz - 1, z + k);
        if (!holds[before * ny + y] && !holds[after * ny + y]) continue;
        plane[y] = 1;
        const from = labels.indexOf(box.z0 + before, box.y0 + y, box.x0), to = labels.indexOf(box.z0 + after, box.y0 + y, box.x0);
        addLabels(labels.data, from, to, segment, alongZ[k], sum);
      }
      across.set(sum, y * nx);
    }
    for (let y = 0; y < ny; y++) {
      let any = 0;
      sum.fill(0);
      for (let k = 0; k <= reach[1]; k++) {
        const before = Math.max(0, y - k), after = Math.min(ny - 1, y + k);
        if (!plane[before] && !plane[after]) continue;
        any = 1;
        addRows(across, before * nx, after * nx, alongY[k], sum);
      }
      if (any) overHalf(sum, alongX, bits, frame.rowOf(z, y));
    }
  }
  return { frame, bits, box };
}

function addLabels(labels: Uint8Array, before: number, after: number, segment: number, weight: number, sum: Float64Array): void {
  for (let x = 0; x < sum.length; x++) sum[x] += weight * (Number(labels[before + x] === segment) + Number(labels[after + x] === segment));
}

function addRows(values: Float32Array, before: number, after: number, weight: number, sum: Float64Array): void {
  for (let x = 0; x < sum.length; x++) sum[x] += weight * (values[before + x] + values[after + x]);
}

/** Sets the bits of a row whose weighted mean along x exceeds one half. */
function overHalf(values: Float64Array, kernel: Float64Array, bits: Bits, row: number): void {
  const last = values.length - 1, reach = kernel.length - 1;
  for (let x = 0; x <= last; x++) {
    let sum = 0;
    if (x >= reach && x + reach <= last) for (let k = 0; k <= reach; k++) sum += kernel[k] * (values[x - k] + values[x + k]);
    else for (let k = 0; k <= reach; k++) sum += kernel[k] * (values[Math.max(0, x - k)] + values[Math.min(last, x + k)]);
    if (Math.fround(sum) > 0.5) bits[row + ((x + MARGIN) >>> 5)] |= 1 << ((x + MARGIN) & 31);
  }
}

/** Half of a Gaussian, from the middle on; the middle counts half, because both sides bring it. */
function kernelOf(sigma: number, reach: number): Float64Array {
  const kernel = Float64Array.from({ length: reach + 1 }, (_, n) => (sigma > 0 ? Math.exp(-(n ** 2) / (2 * sigma * sigma)) : Number(n === 0)));
  kernel[0] /= 2;
  const sum = 2 * kernel.reduce((a, b) => a + b, 0);
  return kernel.map((weight) => weight / sum);
}
