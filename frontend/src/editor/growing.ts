/**
 * The region-growing brush, voxel for voxel the one of `voxloop.volume.growing` (vectors: tests/vectors/growing.json).
 * Smoothing is a 1-2-1 binomial kept as integers (64 × HU), so that every comparison with a bound is exact. Only
 * voxels within the sphere are smoothed; all that follows works on bit-packed rows of the box.
 */

import { type Bits, BitFrame, type ElementRow, MARGIN, Scratch, closed, floodFrom, holesIn, opened } from "./bits";
import { EPSILON, boxAround, reachOf, squares } from "./geometry";
import type { BitVolume } from "./bitvolume";
import { seedValue, withinBounds } from "./smoothing";
import { ERASED, GROW_DEFAULTS, type Box, type GrowParams, type GrowRefusal, type Zyx } from "./types";

const LEAST_SEED_MM = 1.5;
/** mm²: how far a noisy seed may move to an accepted voxel. */
const SNAP_MM2 = 4;
/** Above 64 × any HU of an int16. */
const HIGHEST64 = 64 * 32768;
/** Background where the scan holds no aerated lung. */
export const NORMAL_LUNG_HU = -860;

export interface GrowInput {
  readonly shape: Zyx;
  readonly spacing: Zyx;
  readonly hu: Int16Array;
  readonly labels: Uint8Array;
  readonly limit: BitVolume | null;
  readonly backgroundHu: number;
}

/**
 * What a stroke takes: `taken` are the voxels of the sphere that belong to it, whatever label they have now. Void after
 * the next call of `grow`, which uses the same memory.
 */
export interface Grown {
  readonly box: Box;
  readonly frame: BitFrame | null;
  readonly taken: Bits | null;
  readonly seedHu: number;
  readonly lowerHu: number | null;
  readonly refusal: GrowRefusal | null;
}

const scratch = new Scratch();

/** Half-widths along x, in voxels, of the rows of a sphere; −1 where the row misses it. */
function halfWidths(z2: Float64Array, y2: Float64Array, spacingX: number, radiusMm: number): Int32Array {
  const limit = radiusMm * radiusMm + EPSILON;
  const out = scratch.take(z2.length * y2.length).fill(-1);
  for (let z = 0, n = 0; z < z2.length; z++) {
    for (let y = 0; y < y2.length; y++, n++) {
      const zy = z2[z]! + y2[y]!;
      if (zy > limit) continue;
      // A good first guess, then the exact comparison that the reference makes.
      let half = Math.trunc(Math.sqrt(limit - zy) / spacingX);
      while (zy + half * spacingX * (half * spacingX) > limit) half--;
      while (zy + (half + 1) * spacingX * ((half + 1) * spacingX) <= limit) half++;
      out[n] = half;
    }
  }
  return out;
}

/** Rows of the ball of `radiusMm`; flat (one slice) where slices are thicker than `thickestMm`. */
export function ballRows(radiusMm: number, spacing: Zyx, thickestMm: number): ElementRow[] {
  const reachZ = spacing[0] > thickestMm ? 0 : reachOf(radiusMm, spacing[0]);
  const reachY = reachOf(radiusMm, spacing[1]);
  const z2 = squares(-reachZ, reachZ + 1, 0, spacing[0]),
    y2 = squares(-reachY, reachY + 1, 0, spacing[1]);
  const half = halfWidths(z2, y2, spacing[2], radiusMm);
  const rows: ElementRow[] = [];
  half.forEach((width, n) => {
    // The reference cuts the element at the same reach along x.
    const within = Math.min(width, reachOf(radiusMm, spacing[2]));
    if (within >= 0) rows.push({ dz: Math.floor(n / y2.length) - reachZ, dy: (n % y2.length) - reachY, half: within });
  });
  return rows;
}

/** One stroke of `segment` from the seed (z, y, x), within a sphere of `radiusMm`. Changes nothing. */
export function grow(
  input: GrowInput,
  segment: number,
  seed: Zyx,
  radiusMm: number,
  choices: Partial<GrowParams> = {},
): Grown {
  scratch.reset();
  const params = { ...GROW_DEFAULTS, ...choices };
  const { shape, spacing, backgroundHu } = input;
  const box = boxAround(shape, spacing, seed, radiusMm);
  const acrossSlices = spacing[0] <= params.smoothZMax;
  const reach = Math.max(Math.min(params.seedMm, Math.max(LEAST_SEED_MM, radiusMm / 4)), 1.01 * spacing[1]);
  const seed64 = seedValue(input, box, seed, reach, acrossSlices);
  const nothing = { box, frame: null, taken: null, seedHu: seed64 / 64 };
  if (seed64 < 64 * (backgroundHu + params.minContrast)) return { ...nothing, lowerHu: null, refusal: "normal_lung" };
  const lower64 =
    params.lowerHu === null
      ? 64 * backgroundHu + Math.floor((params.tolerance * (seed64 - 64 * backgroundHu)) / 100)
      : 64 * params.lowerHu;
  const upper64 = params.upperHu === null ? HIGHEST64 : seed64 + 64 * params.upperHu;

  const sphere = sphereIn(box, spacing, seed, radiusMm, params.planar);
  const { frame, domain, own } = candidates(input, segment, seed, sphere, params.useLimit);
  const accepted = withinBounds(input, box, sphere.half, seed[2], acrossSlices, lower64, upper64, frame, scratch);
  restrict(accepted, domain);
  const start = startIn(frame, accepted, sphere);
  if (!start) return { ...nothing, lowerHu: lower64 / 64, refusal: "nothing_within_bounds" };

  const found = floodFrom(frame, accepted, ...start);
  const taken = shaped(frame, found, start, sphere, spacing, params, domain, own);
  return { box, frame, taken, seedHu: seed64 / 64, lowerHu: lower64 / 64, refusal: null };
}

/**
 * What was found, cut where bridges are thin, closed over small gaps, and its holes filled. `own` are the segment's
 * voxels of before, which enclose holes too.
 */
function shaped(
  frame: BitFrame,
  found: Bits,
  start: Zyx,
  sphere: Sphere,
  spacing: Zyx,
  params: GrowParams,
  domain: Bits,
  own: Bits,
): Bits {
  let taken = found;
  const thickest = params.planar ? 0 : params.smoothZMax;
  if (params.openMm) {
    const core = opened(frame, taken, ballRows(Math.max(params.openMm, spacing[1]), spacing, thickest));
    const from = core && (frame.has(core, ...start) ? start : nearestTo(frame, core, sphere)?.at);
    if (core && from) taken = floodFrom(frame, core, ...from);
  }
  if (params.closeMm) {
    const bridged = closed(frame, taken, ballRows(Math.max(params.closeMm, spacing[1]), spacing, thickest));
    include(taken, bridged, domain);
  }
  if (params.fill) {
    const bySlice = params.planar || spacing[0] > params.smoothZMax || frame.nz === 1;
    include(own, taken, taken);
    const holes = holesIn(frame, own, bySlice);
    if (holes) include(taken, holes, domain);
  }
  return taken;
}

/** The sphere round the seed, in a box: squares of the distance along each axis, and the half-widths of its rows. */
interface Sphere {
  readonly box: Box;
  /** The seed in the box. */
  readonly middle: Zyx;
  readonly z2: Float64Array;
  readonly y2: Float64Array;
  readonly x2: Float64Array;
  readonly half: Int32Array;
}

function sphereIn(box: Box, spacing: Zyx, seed: Zyx, radiusMm: number, planar: boolean): Sphere {
  const middle: Zyx = [seed[0] - box.z0, seed[1] - box.y0, seed[2] - box.x0];
  const z2 = squares(box.z0, box.z1, seed[0], spacing[0]),
    y2 = squares(box.y0, box.y1, seed[1], spacing[1]);
  const x2 = squares(box.x0, box.x1, seed[2], spacing[2]);
  const half = halfWidths(z2, y2, spacing[2], radiusMm);
  if (planar) for (let n = 0; n < half.length; n++) if (Math.floor(n / y2.length) !== middle[0]) half[n] = -1;
  return { box, middle, z2, y2, x2, half };
}

/**
 * What a stroke may take (`domain`): the sphere within the lung limit (only when the cursor is inside it), less what
 * the reader has erased; and the voxels that are the segment's already (`own`).
 */
function candidates(
  { shape, labels, limit }: GrowInput,
  segment: number,
  seed: Zyx,
  { box, middle, half, z2, y2, x2 }: Sphere,
  wantsLimit: boolean,
): { frame: BitFrame; domain: Bits; own: Bits } {
  const [nz, ny, nx] = [z2.length, y2.length, x2.length];
  const frame = new BitFrame(nz, ny, nx, scratch);
  const domain = frame.create(),
    own = frame.create();
  const within = wantsLimit && limit?.has(seed[0], seed[1], seed[2]) ? limit : null;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = frame.rowOf(z, y);
      const h = half[z * ny + y]!;
      if (h >= 0) frame.setRun(domain, row, Math.max(0, middle[2] - h), Math.min(nx, middle[2] + h + 1));
      if (h >= 0 && within) {
        for (let w = 0; w < frame.words; w++)
          domain[row + w]! &= within.word(box.z0 + z, box.y0 + y, box.x0 - MARGIN + 32 * w);
      }
      readLabels(labels, ((box.z0 + z) * shape[1] + box.y0 + y) * shape[2] + box.x0, nx, segment, domain, own, row);
    }
  }
  return { frame, domain, own };
}

/** Where the growing starts: at the seed, or at the nearest accepted voxel close to it; null where there is none. */
function startIn(frame: BitFrame, accepted: Bits, sphere: Sphere): Zyx | null {
  if (frame.has(accepted, ...sphere.middle)) return sphere.middle;
  const snapped = nearestTo(frame, accepted, sphere);
  return snapped && snapped.distance2 <= SNAP_MM2 + EPSILON ? snapped.at : null;
}

/** Takes erased voxels out of the domain and notes those that are the segment's already. */
function readLabels(
  labels: Uint8Array,
  from: number,
  nx: number,
  segment: number,
  domain: Bits,
  own: Bits,
  row: number,
): void {
  for (let x = 0; x < nx; x++) {
    const label = labels[from + x];
    if (label === 0) continue;
    const bit = 1 << ((x + MARGIN) & 31),
      word = row + ((x + MARGIN) >>> 5);
    if (label === ERASED) domain[word]! &= ~bit;
    else if (label === segment) own[word]! |= bit;
  }
}

function restrict(bits: Bits, to: Bits): void {
  for (let n = 0; n < bits.length; n++) bits[n]! &= to[n]!;
}

function include(bits: Bits, more: Bits, within: Bits): void {
  for (let n = 0; n < bits.length; n++) bits[n]! |= more[n]! & within[n]!;
}

/** The set voxel nearest to the seed; of equals the first in z, y, x order. */
function nearestTo(frame: BitFrame, bits: Bits, { z2, y2, x2 }: Sphere): { at: Zyx; distance2: number } | null {
  let best: Zyx | null = null;
  let distance2 = Infinity;
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const zy = z2[z]! + y2[y]!;
      if (zy >= distance2) continue;
      for (let x = 0; x < frame.nx; x++) {
        const d2 = zy + x2[x]!;
        if (d2 < distance2 && frame.has(bits, z, y, x)) {
          distance2 = d2;
          best = [z, y, x];
        }
      }
    }
  }
  return best && { at: best, distance2 };
}
