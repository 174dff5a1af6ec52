/**
 * The preview at the size of the scan, trilinear between the centres of its blocks, so that reslices of it look soft
 * instead of tiled and full slices can replace it one by one. `Sketch` answers at single positions, at once; `enlarge`
 * fills whole slices, in a worker. Both give the same values.
 */

import { perAxis, type Zyx } from "../editor/types";

/** The preview of a volume index, inflated; shapes and steps zyx, values less the page's offset. */
export interface Preview {
  readonly voxels: Uint8Array;
  /** Blocks, and voxels of the scan a block. */
  readonly from: Zyx;
  readonly step: Zyx;
  readonly huLo: number;
  readonly huStep: number;
}

export class Sketch {
  readonly #x: Weights;
  readonly #y: Weights;
  readonly #z: Weights;

  /** `to`: shape of the scan. */
  constructor(
    readonly preview: Preview,
    to: Zyx,
  ) {
    const { from, step } = preview;
    [this.#z, this.#y, this.#x] = perAxis((axis) => weights(to[axis], step[axis], from[axis]));
  }

  /** Value at a voxel of the scan. */
  at(x: number, y: number, z: number): number {
    const { voxels, from, huLo, huStep } = this.preview;
    const rows = from[1],
      columns = from[2];
    const i = this.#x.low[x]!,
      right = this.#x.high[x]! - i,
      s = this.#x.share[x]!,
      t = this.#y.share[y]!;
    const top = this.#y.low[y]! * columns + i,
      bottom = this.#y.high[y]! * columns + i;
    const low = this.#z.low[z]! * rows * columns,
      high = this.#z.high[z]! * rows * columns;
    const near = along(voxels, low + top, low + bottom, right, s, t);
    return Math.trunc(
      huLo + huStep * (near + (along(voxels, high + top, high + bottom, right, s, t) - near) * this.#z.share[z]!),
    );
  }
}

/**
 * Between four blocks of one layer: `top` and `bottom` are the left ones, their right neighbours lie `right` further.
 */
function along(voxels: Uint8Array, top: number, bottom: number, right: number, s: number, t: number): number {
  const a = voxels[top]! + (voxels[top + right]! - voxels[top]!) * s;
  const b = voxels[bottom]! + (voxels[bottom + right]! - voxels[bottom]!) * s;
  return a + (b - a) * t;
}

/** Slices z0 <= z < z1 of the scan, `(z1 - z0) × rows × columns` values. */
export function enlarge({ voxels, from, step, huLo, huStep }: Preview, to: Zyx, z0: number, z1: number): Int16Array {
  const [depth, rows, columns] = to;
  const area = rows * columns;
  const out = new Int16Array((z1 - z0) * area);
  const x = weights(columns, step[2], from[2]);
  const y = weights(rows, step[1], from[1]);
  const z = weights(depth, step[0], from[0]);
  const planes = new Map<number, Float32Array>();
  const plane = (index: number): Float32Array => {
    let found = planes.get(index);
    if (!found) {
      for (const old of planes.keys()) if (old < index - 1) planes.delete(old);
      found = enlargePlane(voxels, index * from[1] * from[2], from, x, y, huLo, huStep);
      planes.set(index, found);
    }
    return found;
  };
  for (let k = z0; k < z1; k++) {
    const low = plane(z.low[k]!);
    const high = plane(z.high[k]!);
    const share = z.share[k]!;
    const start = (k - z0) * area;
    if (share === 0) for (let p = 0; p < area; p++) out[start + p] = low[p]!;
    else for (let p = 0; p < area; p++) out[start + p] = low[p]! + (high[p]! - low[p]!) * share;
  }
  return out;
}

interface Weights {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
}

/** For every voxel of an axis: the blocks on both sides of it and the share of the upper one. */
function weights(voxels: number, step: number, blocks: number): Weights {
  const low = new Int32Array(voxels);
  const high = new Int32Array(voxels);
  const share = new Float32Array(voxels);
  for (let v = 0; v < voxels; v++) {
    const position = Math.min(Math.max((v + 0.5) / step - 0.5, 0), blocks - 1);
    low[v] = Math.floor(position);
    high[v] = Math.min(low[v]! + 1, blocks - 1);
    share[v] = position - low[v]!;
  }
  return { low, high, share };
}

function enlargePlane(
  preview: Uint8Array,
  start: number,
  from: Zyx,
  x: Weights,
  y: Weights,
  huLo: number,
  huStep: number,
): Float32Array {
  const width = from[2];
  const columns = x.low.length;
  const rows = y.low.length;
  const wide = new Float32Array(from[1] * columns);
  for (let j = 0, p = 0; j < from[1]; j++) {
    const row = start + j * width;
    for (let i = 0; i < columns; i++) {
      const low = preview[row + x.low[i]!]!;
      wide[p++] = huLo + huStep * (low + (preview[row + x.high[i]!]! - low) * x.share[i]!);
    }
  }
  const out = new Float32Array(rows * columns);
  for (let j = 0, p = 0; j < rows; j++) {
    const low = y.low[j]! * columns;
    const high = y.high[j]! * columns;
    const share = y.share[j]!;
    for (let i = 0; i < columns; i++) out[p++] = wide[low + i]! + (wide[high + i]! - wide[low + i]!) * share;
  }
  return out;
}
