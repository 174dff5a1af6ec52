/** Grow and shrink a segment by millimetres, and smooth its surface. */

import { type Bits, MARGIN, type Range, dilate, erode, type BitFrame } from "../bits";
import { type BoxBits, bitsOf } from "../components";
import { reachOf } from "../geometry";
import { ballRows } from "../growing";
import type { Labelmap } from "../labelmap";
import { type Zyx, perAxis } from "../types";

/**
 * The voxels that a segment would have after growing (`mm` > 0) or shrinking (`mm` < 0) by a ball; `null` where there
 * is none.
 */
export function resized(labels: Labelmap, spacing: Zyx, segment: number, mm: number): BoxBits | null {
  const grow = mm > 0;
  const found = bitsOf(
    labels,
    (label) => label === segment,
    grow ? (spacing.map((s) => reachOf(mm, s)) as unknown as Zyx) : [0, 0, 0],
  );
  if (!found) return null;
  const { frame, bits } = found;
  const element = ballRows(Math.abs(mm), spacing, Infinity);
  const all: Range = frame.whole();
  return { ...found, bits: grow ? dilate(frame, bits, element, all, all) : erode(frame, bits, element, all) };
}

/**
 * The voxels that a segment would have after smoothing: where its Gaussian mean (sigma = `mm` / 2) exceeds one half.
 * Slice by slice, so that both lungs need no more memory than a nodule. The edge voxel goes on beyond the box, so that
 * a lesion at the edge of the scan is not eaten.
 */
export function smoothed(labels: Labelmap, spacing: Zyx, segment: number, mm: number): BoxBits | null {
  const sigma = mm / 2;
  const reach = perAxis((axis) => Math.ceil((3 * sigma) / spacing[axis]));
  const found = bitsOf(labels, (label) => label === segment, reach);
  if (!found) return null;
  const { frame, box, bits: set } = found;
  const { nz, ny, nx } = frame;
  const [alongZ, alongY, alongX] = perAxis((axis) => kernelOf(sigma / spacing[axis], reach[axis]));
  const near = 2 * reach[0] + 1,
    area = ny * nx;
  // The slices round the one that is made, as numbers, each in its slot of a ring; then what they sum up to.
  const ring = new Float64Array(near * area),
    across = new Float64Array(area),
    sum = new Float64Array(nx);
  const wide = new Float64Array(nx + 2 * reach[2]);
  const holds = new Uint8Array(nz * ny),
    plane = new Uint8Array(ny);
  const bits = frame.create();
  const pairs = new Pairs(Math.max(reach[0], reach[1]) + 1);
  let ready = 0;
  for (let z = 0; z < nz; z++) {
    for (; ready <= Math.min(nz - 1, z + reach[0]); ready++)
      unpackSlice(frame, set, ready, ring, (ready % near) * area, holds);
    for (let y = 0; y < ny; y++) {
      pairs.count = 0;
      for (let k = 0; k <= reach[0]; k++) {
        const before = Math.max(0, z - k),
          after = Math.min(nz - 1, z + k);
        if (holds[before * ny + y] || holds[after * ny + y])
          pairs.add((before % near) * area + y * nx, (after % near) * area + y * nx, alongZ[k]!);
      }
      plane[y] = Number(pairs.count > 0);
      if (!plane[y]) {
        across.fill(0, y * nx, (y + 1) * nx);
        continue;
      }
      pairs.sumUp(ring, sum);
      for (let x = 0; x < nx; x++) across[y * nx + x] = Math.fround(sum[x]!);
    }
    for (let y = 0; y < ny; y++) {
      pairs.count = 0;
      for (let k = 0; k <= reach[1]; k++) {
        const before = Math.max(0, y - k),
          after = Math.min(ny - 1, y + k);
        if (plane[before] || plane[after]) pairs.add(before * nx, after * nx, alongY[k]!);
      }
      if (pairs.count === 0) continue;
      pairs.sumUp(across, sum);
      widen(sum, reach[2], wide);
      overHalf(wide, alongX, bits, frame.rowOf(z, y));
    }
  }
  return { frame, bits, box };
}

/** A row whose first and last value go on by `reach` on both sides. */
function widen(row: Float64Array, reach: number, out: Float64Array): void {
  out
    .fill(row[0]!, 0, reach)
    .fill(row[row.length - 1]!, reach + row.length)
    .set(row, reach);
}

/** Slice z of the bits as numbers; `holds` says of each of its rows whether any bit is set. */
function unpackSlice(frame: BitFrame, set: Bits, z: number, to: Float64Array, at: number, holds: Uint8Array): void {
  const { ny, nx, words } = frame;
  for (let y = 0; y < ny; y++) holds[z * ny + y] = unpack(set, frame.rowOf(z, y), words, to, at + y * nx, nx);
}

/** A row of bits as numbers; 1 where any is set. */
function unpack(set: Bits, row: number, words: number, to: Float64Array, at: number, nx: number): number {
  let any = 0;
  for (let w = 0; w < words; w++) any |= set[row + w]!;
  if (any === 0) {
    to.fill(0, at, at + nx);
    return 0;
  }
  for (let x = 0; x < nx; x++) to[at + x] = (set[row + ((x + MARGIN) >>> 5)]! >>> ((x + MARGIN) & 31)) & 1;
  return 1;
}

/** Pairs of rows, one step after the other outwards from the middle, each pair with its weight. */
class Pairs {
  count = 0;
  readonly #before: Int32Array;
  readonly #after: Int32Array;
  readonly #weights: Float64Array;

  constructor(most: number) {
    this.#before = new Int32Array(most);
    this.#after = new Int32Array(most);
    this.#weights = new Float64Array(most);
  }

  add(before: number, after: number, weight: number): void {
    this.#before[this.count] = before;
    this.#after[this.count] = after;
    this.#weights[this.count++] = weight;
  }

  /** Four pairs in one go over the row, added in the order of one by one. */
  sumUp(values: Float64Array, sum: Float64Array): void {
    const before = this.#before,
      after = this.#after,
      weights = this.#weights;
    sum.fill(0);
    let n = 0;
    for (; n + 4 <= this.count; n += 4) {
      const b0 = before[n]!,
        b1 = before[n + 1]!,
        b2 = before[n + 2]!,
        b3 = before[n + 3]!;
      const a0 = after[n]!,
        a1 = after[n + 1]!,
        a2 = after[n + 2]!,
        a3 = after[n + 3]!;
      const w0 = weights[n]!,
        w1 = weights[n + 1]!,
        w2 = weights[n + 2]!,
        w3 = weights[n + 3]!;
      for (let x = 0; x < sum.length; x++) {
        const two = sum[x]! + w0 * (values[b0 + x]! + values[a0 + x]!) + w1 * (values[b1 + x]! + values[a1 + x]!);
        sum[x] = two + w2 * (values[b2 + x]! + values[a2 + x]!) + w3 * (values[b3 + x]! + values[a3 + x]!);
      }
    }
    for (; n < this.count; n++) {
      const b = before[n]!,
        a = after[n]!,
        weight = weights[n]!;
      for (let x = 0; x < sum.length; x++) sum[x]! += weight * (values[b + x]! + values[a + x]!);
    }
  }
}

/** Far more than rounding can make of a sum. */
const ROUNDING = 1e-5;

/**
 * Sets the bits of a row whose weighted mean along x exceeds one half; `values` (0 to 1) go on beyond both ends by the
 * reach of the kernel. Most are decided by their near neighbours: the rest weighs too little to change it.
 */
function overHalf(values: Float64Array, kernel: Float64Array, bits: Bits, row: number): void {
  const reach = kernel.length - 1,
    count = values.length - 2 * reach;
  const half = Math.min(kernel.length, 4);
  let rest = 0;
  for (let k = half; k <= reach; k++) rest += 2 * kernel[k]!;
  const surelyNot = 0.5 - ROUNDING - rest,
    surely = 0.5 + ROUNDING;
  for (let x = 0; x < count; x++) {
    const at = x + reach;
    let sum = 0;
    for (let k = 0; k < half; k++) sum += kernel[k]! * (values[at - k]! + values[at + k]!);
    if (sum < surelyNot) continue;
    if (sum < surely) {
      for (let k = half; k <= reach; k++) sum += kernel[k]! * (values[at - k]! + values[at + k]!);
      if (Math.fround(sum) <= 0.5) continue;
    }
    bits[row + ((x + MARGIN) >>> 5)]! |= 1 << ((x + MARGIN) & 31);
  }
}

/** Half of a Gaussian, from the middle on; the middle counts half, because both sides bring it. */
function kernelOf(sigma: number, reach: number): Float64Array {
  const kernel = Float64Array.from({ length: reach + 1 }, (_, n) =>
    sigma > 0 ? Math.exp(-(n ** 2) / (2 * sigma * sigma)) : Number(n === 0),
  );
  kernel[0]! /= 2;
  const sum = 2 * kernel.reduce((a, b) => a + b, 0);
  return kernel.map((weight) => weight / sum);
}
