/** Grow and shrink a segment by millimetres, and smooth its surface. */

import { MARGIN, type Range, dilate, erode } from "../bits";
import { bitsOf } from "../components";
import { reachOf } from "../geometry";
import { ballRows } from "../growing";
import type { Labelmap } from "../labelmap";
import type { Box, Zyx } from "../types";

/** The voxels that a segment would have after growing (`mm` > 0) or shrinking (`mm` < 0) by a ball, ascending. */
export function resized(labels: Labelmap, spacing: Zyx, segment: number, mm: number): Uint32Array {
  const grow = mm > 0;
  const found = bitsOf(labels, (label) => label === segment, grow ? spacing.map((s) => reachOf(mm, s)) as unknown as Zyx : [0, 0, 0]);
  if (!found) return new Uint32Array(0);
  const { frame, bits, box } = found;
  const element = ballRows(Math.abs(mm), spacing, Infinity);
  const all: Range = frame.whole();
  const result = grow ? dilate(frame, bits, element, all, all) : erode(frame, bits, element, all);
  const out: number[] = [];
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const row = frame.rowOf(z, y), start = labels.indexOf(box.z0 + z, box.y0 + y, box.x0);
      for (let x = 0; x < frame.nx; x++) {
        if ((result[row + ((x + MARGIN) >>> 5)] >>> ((x + MARGIN) & 31)) & 1) out.push(start + x);
      }
    }
  }
  return Uint32Array.from(out);
}

/** The voxels that a segment would have after smoothing: where its Gaussian mean (sigma = `mm` / 2) exceeds one half. */
export function smoothed(labels: Labelmap, spacing: Zyx, segment: number, mm: number): Uint32Array {
  const sigma = mm / 2;
  const reach = spacing.map((s) => Math.ceil((3 * sigma) / s)) as unknown as Zyx;
  const found = bitsOf(labels, (label) => label === segment, reach);
  if (!found) return new Uint32Array(0);
  const { box } = found;
  const [nz, ny, nx] = [box.z1 - box.z0, box.y1 - box.y0, box.x1 - box.x0];
  let values = read(labels, box, segment);
  for (const [axis, count, step] of [[0, nz, ny * nx], [1, ny, nx], [2, nx, 1]] as const) {
    values = blur(values, count, step, kernelOf(sigma / spacing[axis], reach[axis]));
  }
  const out: number[] = [];
  for (let n = 0; n < values.length; n++) {
    if (values[n] <= 0.5) continue;
    const row = Math.floor(n / nx);
    out.push(labels.indexOf(box.z0 + Math.floor(row / ny), box.y0 + (row % ny), box.x0 + (n - row * nx)));
  }
  return Uint32Array.from(out);
}

function read(labels: Labelmap, box: Box, segment: number): Float32Array {
  const [ny, nx] = [box.y1 - box.y0, box.x1 - box.x0];
  const out = new Float32Array((box.z1 - box.z0) * ny * nx);
  for (let z = box.z0, n = 0; z < box.z1; z++) {
    for (let y = box.y0; y < box.y1; y++) {
      const from = labels.indexOf(z, y, box.x0);
      for (let x = 0; x < nx; x++) out[n++] = labels.data[from + x] === segment ? 1 : 0;
    }
  }
  return out;
}

function kernelOf(sigma: number, reach: number): Float64Array {
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, n) => (sigma > 0 ? Math.exp(-((n - reach) ** 2) / (2 * sigma * sigma)) : Number(n === reach)));
  const sum = kernel.reduce((a, b) => a + b, 0);
  return kernel.map((weight) => weight / sum);
}

/** Along one axis; the edge voxel goes on beyond the box, so that a lesion at the edge of the scan is not eaten. */
function blur(values: Float32Array, count: number, step: number, kernel: Float64Array): Float32Array {
  const reach = (kernel.length - 1) / 2;
  const out = new Float32Array(values.length);
  for (let n = 0; n < values.length; n++) {
    const place = Math.floor(n / step) % count;
    let sum = 0;
    for (let k = -reach; k <= reach; k++) {
      const at = Math.min(count - 1, Math.max(0, place + k));
      sum += kernel[k + reach] * values[n + (at - place) * step];
    }
    out[n] = sum;
  }
  return out;
}
