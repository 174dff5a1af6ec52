/**
 * HU smoothed by a 1-2-1 binomial along x, y and (thin slices) z, kept as integers (64 × HU), and compared with bounds.
 * Only the voxels of the sphere are ever computed.
 */

import { type Bits, type BitFrame, MARGIN, type Scratch } from "./bits";
import { EPSILON, squares } from "./geometry";
import type { Box, Zyx } from "./types";

export interface Voxels {
  readonly hu: Int16Array;
  readonly shape: Zyx;
  readonly spacing: Zyx;
}

/** 64 × HU of one voxel, smoothed 1-2-1 along x, y and (thin slices) z; the volume's edge is repeated. */
function smoothed(hu: Int16Array, shape: Zyx, z: number, y: number, x: number, acrossSlices: boolean): number {
  const [nz, ny, nx] = shape;
  const left = Math.max(0, x - 1),
    right = Math.min(nx - 1, x + 1);
  const plane = (zz: number): number => {
    const line = (yy: number): number => {
      const row = (zz * ny + yy) * nx;
      return hu[row + left]! + 2 * hu[row + x]! + hu[row + right]!;
    };
    return line(Math.max(0, y - 1)) + 2 * line(y) + line(Math.min(ny - 1, y + 1));
  };
  if (!acrossSlices || nz === 1) return 4 * plane(z);
  return plane(Math.max(0, z - 1)) + 2 * plane(z) + plane(Math.min(nz - 1, z + 1));
}

/** 64 × HU of the seed: the lower median of the smoothed HU in a small ball, within the box. */
export function seedValue(input: Voxels, box: Box, seed: Zyx, reachMm: number, acrossSlices: boolean): number {
  const { hu, shape, spacing } = input;
  const values: number[] = [];
  const limit = reachMm * reachMm + EPSILON;
  const x2 = squares(box.x0, box.x1, seed[2], spacing[2]);
  for (let z = box.z0; z < box.z1; z++) {
    const dz = (z - seed[0]) * spacing[0];
    if (dz * dz > limit) continue;
    for (let y = box.y0; y < box.y1; y++) {
      const dy = (y - seed[1]) * spacing[1];
      const zy = dz * dz + dy * dy;
      if (zy > limit) continue;
      for (let x = box.x0; x < box.x1; x++) {
        if (zy + x2[x - box.x0]! <= limit) values.push(smoothed(hu, shape, z, y, x, acrossSlices));
      }
    }
  }
  values.sort((a, b) => a - b);
  return values[(values.length - 1) >> 1]!;
}

/**
 * The voxels of the sphere whose smoothed value lies within the bounds. `half` are the half-widths of the sphere's
 * rows around column `centreX`; nothing outside them is computed. The inner loops are functions of their own, without
 * closures, so that they stay compiled whatever slice thickness comes next.
 */
export function withinBounds(
  input: Voxels,
  box: Box,
  half: Int32Array,
  centreX: number,
  acrossSlices: boolean,
  lower64: number,
  upper64: number,
  frame: BitFrame,
  scratch: Scratch,
): Bits {
  const [volumeZ, volumeY] = input.shape;
  const nz = box.z1 - box.z0,
    ny = box.y1 - box.y0,
    nx = box.x1 - box.x0;
  const smoothZ = acrossSlices && volumeZ > 1;
  const accepted = frame.create();
  const centre = centreX - box.x0;
  const needed = widthsNeeded(half, nz, ny, smoothZ, scratch);
  const lines = scratch.take((ny + 2) * nx);
  // Smoothed along x and y, for three slices in turn; slice z lies in slot (z + 3) % 3.
  const planes = [scratch.take(ny * nx), scratch.take(ny * nx), scratch.take(ny * nx)];
  const reach = smoothZ ? 1 : 0;
  for (let z = -reach; z < nz + reach; z++) {
    const volumeSlice = Math.min(volumeZ - 1, Math.max(0, box.z0 + z)) * volumeY;
    smoothSlice(input, box, volumeSlice, needed, (z + 1) * (ny + 2) + 1, centre, lines, planes[(z + 3) % 3]!);
    const done = z - reach;
    if (done < 0) continue;
    const here = planes[(done + 3) % 3]!;
    const before = smoothZ ? planes[(done + 2) % 3]! : here,
      after = smoothZ ? planes[(done + 4) % 3]! : here;
    for (let y = 0; y < ny; y++) {
      const wide = half[done * ny + y]!;
      if (wide < 0) continue;
      compare(
        before,
        here,
        after,
        y * nx,
        Math.max(0, centre - wide),
        Math.min(nx, centre + wide + 1),
        lower64,
        upper64,
        accepted,
        frame.rowOf(done, y),
      );
    }
  }
  return accepted;
}

/**
 * One slice of the box, of which row 0 of the volume is `volumeSlice`, smoothed along x and y into `plane`. `widths` is
 * where its half-widths begin in `needed`; `lines` is room.
 */
function smoothSlice(
  { hu, shape: [, volumeY, volumeX] }: Voxels,
  { x0, x1, y0, y1 }: Box,
  volumeSlice: number,
  needed: Int32Array,
  widths: number,
  centre: number,
  lines: Int32Array,
  plane: Int32Array,
): void {
  const nx = x1 - x0,
    ny = y1 - y0;
  for (let y = -1; y <= ny; y++) {
    const wide = Math.max(
      y < 0 ? -1 : needed[widths + y - 1]!,
      needed[widths + y]!,
      y < ny ? needed[widths + y + 1]! : -1,
    );
    if (wide < 0) continue;
    const row = (volumeSlice + Math.min(volumeY - 1, Math.max(0, y0 + y))) * volumeX;
    alongX(hu, row, volumeX, x0, Math.max(0, centre - wide), Math.min(nx, centre + wide + 1), lines, (y + 1) * nx);
  }
  for (let y = 0; y < ny; y++) {
    const wide = needed[widths + y]!;
    if (wide >= 0) alongY(lines, y * nx, nx, Math.max(0, centre - wide), Math.min(nx, centre + wide + 1), plane);
  }
}

/** Half-widths that slices −1…nz need along each row −1…ny: the sphere's there, and (thin slices) its neighbours'. */
function widthsNeeded(half: Int32Array, nz: number, ny: number, acrossSlices: boolean, scratch: Scratch): Int32Array {
  const needed = scratch.take((nz + 2) * (ny + 2)).fill(-1);
  const reach = acrossSlices ? 1 : 0;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const wide = half[z * ny + y]!;
      for (let dz = -reach; dz <= reach; dz++) {
        const at = (z + 1 + dz) * (ny + 2) + y + 1;
        if (wide > needed[at]!) needed[at] = wide;
      }
    }
  }
  return needed;
}

/** 1-2-1 along x, for columns `from`…`to` of the box; the volume's edge is repeated. */
function alongX(
  hu: Int16Array,
  row: number,
  volumeX: number,
  x0: number,
  from: number,
  to: number,
  out: Int32Array,
  target: number,
): void {
  const first = row + x0;
  for (let x = from; x < to; x++) {
    const v = first + x;
    out[target + x] = hu[x0 + x > 0 ? v - 1 : v]! + 2 * hu[v]! + hu[x0 + x < volumeX - 1 ? v + 1 : v]!;
  }
}

/** 1-2-1 along y, from three lines that start at `above`. */
function alongY(lines: Int32Array, above: number, nx: number, from: number, to: number, out: Int32Array): void {
  for (let n = above + from, end = above + to; n < end; n++)
    out[n] = lines[n]! + 2 * lines[n + nx]! + lines[n + 2 * nx]!;
}

/** 1-2-1 along z, and the bits of what lies within the bounds. */
function compare(
  before: Int32Array,
  here: Int32Array,
  after: Int32Array,
  line: number,
  from: number,
  to: number,
  lower: number,
  upper: number,
  out: Bits,
  row: number,
): void {
  let word = 0,
    at = (from + MARGIN) >>> 5;
  for (let x = from; x < to; x++) {
    const n = line + x,
      bit = x + MARGIN;
    if (bit >>> 5 !== at) {
      out[row + at]! |= word;
      word = 0;
      at = bit >>> 5;
    }
    const value = before[n]! + 2 * here[n]! + after[n]!;
    if (value >= lower && value <= upper) word |= 1 << (bit & 31);
  }
  out[row + at]! |= word;
}

/** 64 × HU of every voxel of a box, smoothed; the volume's edge is repeated. */
export function smoothedBox(
  { hu, shape: [volumeZ, volumeY, volumeX] }: Voxels,
  box: Box,
  acrossSlices: boolean,
): Int32Array {
  const { x0, y0, z0 } = box;
  const [nz, ny, nx] = [box.z1 - z0, box.y1 - y0, box.x1 - x0];
  const reach = acrossSlices && volumeZ > 1 ? 1 : 0;
  const out = new Int32Array(nz * ny * nx);
  const lines = new Int32Array((ny + 2) * nx),
    plane = new Int32Array(ny * nx);
  for (let z = -reach; z < nz + reach; z++) {
    const slice = Math.min(volumeZ - 1, Math.max(0, z0 + z)) * volumeY;
    for (let y = -1; y <= ny; y++) {
      const row = (slice + Math.min(volumeY - 1, Math.max(0, y0 + y))) * volumeX;
      alongX(hu, row, volumeX, x0, 0, nx, lines, (y + 1) * nx);
    }
    for (let y = 0; y < ny; y++) alongY(lines, y * nx, nx, 0, nx, plane);
    // Each slice counts twice for itself and once for those beside it; without neighbours four times.
    for (let dz = -reach; dz <= reach; dz++) {
      if (z + dz < 0 || z + dz >= nz) continue;
      const weight = reach === 0 ? 4 : dz === 0 ? 2 : 1;
      for (let n = 0, at = (z + dz) * ny * nx; n < ny * nx; n++, at++) out[at]! += weight * plane[n]!;
    }
  }
  return out;
}
