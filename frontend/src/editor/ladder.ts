/**
 * How large the flood of one stroke would be at every lower bound: each voxel of the sphere with the bound at which the
 * flood reaches it, found once by taking the brightest way first. Whole HU; a voxel belongs from its own HU downwards.
 */

import { EPSILON, boxAround, squares } from "./geometry";
import type { GrowInput } from "./growing";
import { smoothedBox } from "./smoothing";
import { type Box, ERASED, type GrowParams, type Zyx } from "./types";

/** How far from the seed's own value the flood may have to look for its first voxel, as in growing: mm². */
const SNAP_MM2 = 4;
/** A step changes the flood by at least this part of it, and by so many voxels. */
const LEAST_PART = 0.08,
  LEAST_VOXELS = 6;
/** HU above the background: further down all lung would belong. */
const LEAST_CONTRAST = 20;
/** Where one HU more brings this many times as much, it may have run over into something else. */
const LEAP = 1.4;

export class Ladder {
  /** `reached[n]`: voxels that the flood takes at the lower bound `top − n`. */
  constructor(
    private readonly top: number,
    private readonly reached: Uint32Array,
  ) {}

  sizeAt(lowerHu: number): number {
    const n = this.top - Math.ceil(lowerHu);
    return n < 0 ? 0 : this.reached[Math.min(n, this.reached.length - 1)]!;
  }

  /** Whether the last HU down to this bound brought much at once. */
  isLeap(lowerHu: number): boolean {
    return this.sizeAt(lowerHu) > LEAP * Math.max(LEAST_VOXELS, this.sizeAt(lowerHu + 1));
  }

  /** The next bound at which the flood is really larger (`by` 1) or smaller (−1); null where there is none. */
  next(lowerHu: number, by: 1 | -1): number | null {
    const now = this.sizeAt(lowerHu);
    const least = Math.max(LEAST_VOXELS, Math.ceil(LEAST_PART * now));
    const lowest = this.top - this.reached.length + 1;
    for (let at = Math.ceil(lowerHu) - by; at >= lowest && at <= this.top; at -= by) {
      const size = this.sizeAt(at);
      if (size === 0) return null;
      if (by * (size - now) >= least) return at;
    }
    return null;
  }
}

/** The ladder of a stroke from the seed (z, y, x) of `seedHu`, as values are kept. */
export function ladderOf(input: GrowInput, seed: Zyx, seedHu: number, radiusMm: number, params: GrowParams): Ladder {
  const { shape, spacing } = input;
  const around = boxAround(shape, spacing, seed, radiusMm);
  const box = params.planar ? { ...around, z0: seed[0], z1: seed[0] + 1 } : around;
  const values = smoothedBox(input, box, spacing[0] <= params.smoothZMax);
  const open = domainOf(input, box, seed, radiusMm, params.useLimit);
  const lowest = Math.ceil(input.backgroundHu) + LEAST_CONTRAST;
  let top = lowest;
  const most = params.upperHu === null ? Infinity : 64 * (seedHu + params.upperHu);
  for (let n = 0; n < values.length; n++) {
    if (values[n]! > most) open[n] = 0;
    values[n]! >>= 6;
    if (open[n] && values[n]! > top) top = values[n]!;
  }
  const levels = top - lowest + 1;
  const start = startOf(values, open, box, seed, spacing);
  const reached = start < 0 ? new Uint32Array(levels) : flood(values, open, box, start, top, levels);
  for (let n = 1; n < levels; n++) reached[n]! += reached[n - 1]!;
  return new Ladder(top, reached);
}

const sizeOf = (box: Box): Zyx => [box.z1 - box.z0, box.y1 - box.y0, box.x1 - box.x0];

function indexOf(box: Box, [z, y, x]: Zyx): number {
  const [, ny, nx] = sizeOf(box);
  return ((z - box.z0) * ny + y - box.y0) * nx + x - box.x0;
}

/** 1 for every voxel of the box that a stroke may take. */
function domainOf(
  { shape, spacing, labels, limit }: GrowInput,
  box: Box,
  seed: Zyx,
  radiusMm: number,
  useLimit: boolean,
): Uint8Array {
  const [nz, ny, nx] = sizeOf(box);
  const open = new Uint8Array(nz * ny * nx);
  const most = radiusMm * radiusMm + EPSILON;
  const z2 = squares(box.z0, box.z1, seed[0], spacing[0]),
    y2 = squares(box.y0, box.y1, seed[1], spacing[1]),
    x2 = squares(box.x0, box.x1, seed[2], spacing[2]);
  const within = useLimit && limit?.has(seed[0], seed[1], seed[2]) ? limit : null;
  for (let z = 0, n = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = ((box.z0 + z) * shape[1] + box.y0 + y) * shape[2] + box.x0;
      for (let x = 0; x < nx; x++, n++) {
        if (z2[z]! + y2[y]! + x2[x]! > most || labels[row + x] === ERASED) continue;
        if (!within || within.has(box.z0 + z, box.y0 + y, box.x0 + x)) open[n] = 1;
      }
    }
  }
  return open;
}

/** The seed, or where it is shut out the brightest open voxel close to it; −1 for none. */
function startOf(values: Int32Array, open: Uint8Array, box: Box, seed: Zyx, spacing: Zyx): number {
  const at = indexOf(box, seed);
  if (open[at]) return at;
  const [nz, ny, nx] = sizeOf(box);
  let best = -1;
  for (let n = 0; n < nz * ny * nx; n++) {
    if (!open[n] || (best >= 0 && values[n]! <= values[best]!)) continue;
    const row = Math.floor(n / nx);
    const d2 =
      ((box.z0 + Math.floor(row / ny) - seed[0]) * spacing[0]) ** 2 +
      ((box.y0 + (row % ny) - seed[1]) * spacing[1]) ** 2 +
      ((box.x0 + (n % nx) - seed[2]) * spacing[2]) ** 2;
    if (d2 <= SNAP_MM2) best = n;
  }
  return best;
}

/**
 * Voxels by the level (`top` − HU) at which a 6-connected flood reaches them. Voxels wait in one list a level; the
 * first neighbour to reach one does so on the brightest way, because levels come in order.
 */
function flood(
  values: Int32Array,
  open: Uint8Array,
  box: Box,
  start: number,
  top: number,
  levels: number,
): Uint32Array {
  const [nz, ny, nx] = sizeOf(box);
  const found = new Uint32Array(levels);
  const first = new Int32Array(levels).fill(-1),
    next = new Int32Array(values.length);
  const put = (n: number, from: number): void => {
    open[n] = 0;
    const level = Math.max(from, top - values[n]!);
    if (level >= levels) return;
    next[n] = first[level]!;
    first[level] = n;
  };
  put(start, 0);
  for (let level = 0; level < levels; level++) {
    for (let n = first[level]!; n >= 0; n = first[level]!) {
      first[level] = next[n]!;
      found[level]!++;
      const row = Math.floor(n / nx),
        x = n - row * nx,
        y = row % ny,
        z = (row - y) / ny;
      if (x > 0 && open[n - 1]) put(n - 1, level);
      if (x + 1 < nx && open[n + 1]) put(n + 1, level);
      if (y > 0 && open[n - nx]) put(n - nx, level);
      if (y + 1 < ny && open[n + nx]) put(n + nx, level);
      if (z > 0 && open[n - ny * nx]) put(n - ny * nx, level);
      if (z + 1 < nz && open[n + ny * nx]) put(n + ny * nx, level);
    }
  }
  return found;
}
