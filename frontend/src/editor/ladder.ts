/**
 * How large the flood of a stroke would be if the lower bounds of all its dabs were shifted together: each voxel with
 * the shift at which the flood of a dab reaches it, found once by taking the brightest way first. Shifts are whole HU,
 * negative for more.
 */

import { EPSILON, boxAround, squares, unite } from "./geometry";
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
/** A voxel that no dab reaches, at whatever shift. */
const NEVER = -0x80000000;

/** A dab of the growing brush; `bound` is its lower bound, whole HU, as values are kept. */
export interface Dab {
  readonly seed: Zyx;
  readonly seedHu: number;
  readonly radiusMm: number;
  readonly bound: number;
}

/** `taken[n]`: voxels taken at the shift `top − n`, those of higher shifts included. */
class Sizes {
  constructor(
    readonly top: number,
    private readonly taken: Uint32Array,
  ) {
    for (let n = 1; n < taken.length; n++) taken[n]! += taken[n - 1]!;
  }

  get lowest(): number {
    return this.top - this.taken.length + 1;
  }

  at(shift: number): number {
    const n = this.top - shift;
    return n < 0 ? 0 : (this.taken[Math.min(n, this.taken.length - 1)] ?? 0);
  }
}

export class Ladder {
  /** `whole`: what the dabs take together; `dabs`: each by itself. */
  constructor(
    private readonly whole: Sizes,
    private readonly dabs: readonly Sizes[],
  ) {}

  sizeAt(shift: number): number {
    return this.whole.at(shift);
  }

  /** Whether the last HU down to this shift brought much at once: to a dab of its own, and to the stroke. */
  isLeap(shift: number): boolean {
    const brought = this.whole.at(shift) - this.whole.at(shift + 1);
    return this.dabs.some((dab) => {
      const before = Math.max(LEAST_VOXELS, dab.at(shift + 1));
      return dab.at(shift) > LEAP * before && brought > (LEAP - 1) * before;
    });
  }

  /**
   * The next shift at which the flood is really larger (`by` 1) or smaller (−1), null where there is none. A leap is
   * always a step, also where it is a small part of a long stroke.
   */
  next(shift: number, by: 1 | -1): number | null {
    const now = this.whole.at(shift);
    const least = Math.max(LEAST_VOXELS, Math.ceil(LEAST_PART * now));
    for (let at = shift - by; at >= this.whole.lowest && at <= this.whole.top; at -= by) {
      const size = this.whole.at(at);
      if (size === 0) return null;
      if (by * (size - now) >= least || (by === 1 && this.isLeap(at))) return at;
    }
    return null;
  }
}

/** The bound of a dab at a shift, as values are kept: not so low that all lung would belong. */
export const boundAt = (bound: number, shift: number, backgroundHu: number): number =>
  Math.max(Math.min(bound, Math.ceil(backgroundHu) + LEAST_CONTRAST), bound + shift);

/** The ladder of a stroke of these dabs. */
export function ladderOf(input: GrowInput, dabs: readonly Dab[], params: GrowParams): Ladder {
  const boxes = dabs.map(({ seed, radiusMm }) => {
    const box = boxAround(input.shape, input.spacing, seed, radiusMm);
    return params.planar ? { ...box, z0: seed[0], z1: seed[0] + 1 } : box;
  });
  const around = boxes.reduce((sum, box) => unite(sum, box));
  const shifts = new Int32Array(sizeOf(around).reduce((product, n) => product * n)).fill(NEVER);
  const each = dabs.map((dab, n) => climb(input, dab, boxes[n]!, params, { box: around, shifts }));
  const top = Math.max(...each.map((sizes) => sizes.top)),
    lowest = Math.min(...each.map((sizes) => sizes.lowest));
  const taken = new Uint32Array(top - lowest + 1);
  for (const shift of shifts) if (shift !== NEVER) taken[top - shift]!++;
  return new Ladder(new Sizes(top, taken), each);
}

/** The highest shift at which any dab reaches a voxel, over the box of all dabs. */
interface Reached {
  readonly box: Box;
  readonly shifts: Int32Array;
}

/** The flood of one dab at every shift; notes in `reached` what it reaches. */
function climb(input: GrowInput, dab: Dab, box: Box, params: GrowParams, reached: Reached): Sizes {
  const { seed, seedHu, radiusMm, bound } = dab;
  const { spacing } = input;
  const values = smoothedBox(input, box, spacing[0] <= params.smoothZMax);
  const open = domainOf(input, box, seed, radiusMm, params.useLimit);
  const lowest = boundAt(bound, -Infinity, input.backgroundHu);
  let top = lowest;
  const most = params.upperHu === null ? Infinity : 64 * (seedHu + params.upperHu);
  for (let n = 0; n < values.length; n++) {
    if (values[n]! > most) open[n] = 0;
    values[n]! >>= 6;
    if (open[n] && values[n]! > top) top = values[n]!;
  }
  const start = startOf(values, open, box, seed, spacing);
  const levels = top - lowest + 1;
  const found = new Uint32Array(levels);
  if (start >= 0) flood({ values, open, box, start, top }, found, top - bound, reached);
  return new Sizes(top - bound, found);
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

interface Basin {
  readonly values: Int32Array;
  readonly open: Uint8Array;
  readonly box: Box;
  readonly start: number;
  readonly top: number;
}

/**
 * Counts in `found` the voxels by the level (`top` − HU) at which a 6-connected flood reaches them. Voxels wait in one
 * list a level; the first neighbour to reach one does so on the brightest way, because levels come in order.
 * `highest`: the shift of level 0.
 */
function flood({ values, open, box, start, top }: Basin, found: Uint32Array, highest: number, reached: Reached): void {
  const [nz, ny, nx] = sizeOf(box);
  const [, wideY, wideX] = sizeOf(reached.box);
  const corner = indexOf(reached.box, [box.z0, box.y0, box.x0]);
  const levels = found.length;
  const first = new Int32Array(levels).fill(-1),
    next = new Int32Array(values.length);
  const put = (n: number, from: number): void => {
    open[n] = 0;
    const level = Math.max(from, top - values[n]!);
    if (level >= levels) return;
    next[n] = first[level]!;
    first[level] = n;
  };
  const note = (at: number, shift: number): void => {
    if (reached.shifts[at]! < shift) reached.shifts[at] = shift;
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
      note(corner + (z * wideY + y) * wideX + x, highest - level);
      if (x > 0 && open[n - 1]) put(n - 1, level);
      if (x + 1 < nx && open[n + 1]) put(n + 1, level);
      if (y > 0 && open[n - nx]) put(n - nx, level);
      if (y + 1 < ny && open[n + nx]) put(n + nx, level);
      if (z > 0 && open[n - ny * nx]) put(n - ny * nx, level);
      if (z + 1 < nz && open[n + ny * nx]) put(n + ny * nx, level);
    }
  }
}
