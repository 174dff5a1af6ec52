/**
 * Morphology on bit-packed rows. A box of voxels lies in a frame that is `MARGIN` voxels wider on each side, one bit a
 * voxel, one or more 32-bit words a row, so that a row of a lesion is one or two machine words and flood, opening,
 * closing and hole filling cost a few operations a row. Bits beyond the frame are always 0.
 */

/** Room around the box, as in the reference: opening and closing see zeros beyond it. */
export const MARGIN = 4;

/** Rows that may hold bits: z and y in frame coordinates, half open. */
export interface Range { z0: number; z1: number; y0: number; y1: number }

/** One row of a structuring element: it reaches `half` voxels to both sides along x. */
export interface ElementRow { readonly dz: number; readonly dy: number; readonly half: number }

export type Bits = Int32Array;

/**
 * Memory that is used again from one stroke to the next: a stroke needs a dozen small arrays, and leaving them to the
 * garbage collector costs more than the stroke. What was taken is void after the next `reset`.
 */
export class Scratch {
  #store = new Int32Array(1 << 18);
  #used = 0;

  reset(): void { this.#used = 0; }

  /** `length` zeros. */
  take(length: number): Int32Array {
    if (this.#used + length > this.#store.length) {
      // What was taken before stays with the old store.
      this.#store = new Int32Array(Math.max(2 * this.#store.length, length));
      this.#used = 0;
    }
    const part = this.#store.subarray(this.#used, this.#used + length);
    this.#used += length;
    return part.fill(0);
  }
}

export class BitFrame {
  readonly depth: number;
  readonly height: number;
  readonly words: number;
  readonly #valid: Int32Array;
  readonly #queue: Int32Array;
  readonly #queued: Int32Array;

  /** A frame around a box of `nz × ny × nx` voxels; its bits come from `scratch` where given. */
  constructor(readonly nz: number, readonly ny: number, readonly nx: number, private readonly scratch: Scratch | null = null) {
    this.depth = nz + 2 * MARGIN;
    this.height = ny + 2 * MARGIN;
    const width = nx + 2 * MARGIN;
    this.words = (width + 31) >>> 5;
    this.#valid = this.#take(this.words).fill(-1);
    if (width & 31) this.#valid[this.words - 1] = (1 << (width & 31)) - 1;
    this.#queue = this.#take(this.depth * this.height);
    this.#queued = this.#take(this.depth * this.height);
  }

  #take(length: number): Int32Array { return this.scratch ? this.scratch.take(length) : new Int32Array(length); }

  create(): Bits { return this.#take(this.depth * this.height * this.words); }

  /** First word of the row of box voxel (z, y, ·). */
  rowOf(z: number, y: number): number { return ((z + MARGIN) * this.height + y + MARGIN) * this.words; }

  has(bits: Bits, z: number, y: number, x: number): boolean {
    return ((bits[this.rowOf(z, y) + ((x + MARGIN) >>> 5)] >>> ((x + MARGIN) & 31)) & 1) === 1;
  }

  set(bits: Bits, z: number, y: number, x: number): void {
    bits[this.rowOf(z, y) + ((x + MARGIN) >>> 5)] |= 1 << ((x + MARGIN) & 31);
  }

  /** Sets the bits of box voxels from `x0` to `x1` (half open) of a row. */
  setRun(bits: Bits, row: number, x0: number, x1: number): void {
    for (let at = x0 + MARGIN, end = x1 + MARGIN; at < end;) {
      const word = at >>> 5, from = at & 31, to = Math.min(32, end - (word << 5));
      bits[row + word] |= (to - from === 32 ? -1 : (1 << (to - from)) - 1) << from;
      at = (word + 1) << 5;
    }
  }

  whole(): Range { return { z0: 0, z1: this.depth, y0: 0, y1: this.height }; }

  /** The rows that hold a bit; `null` when there is none. */
  range(bits: Bits, within: Range = this.whole()): Range | null {
    const { words, height } = this;
    let z0 = -1, z1 = -1, y0 = Infinity, y1 = -1;
    for (let z = within.z0; z < within.z1; z++) {
      for (let y = within.y0; y < within.y1; y++) {
        const row = (z * height + y) * words;
        let any = 0;
        for (let w = 0; w < words; w++) any |= bits[row + w];
        if (!any) continue;
        if (z0 < 0) z0 = z;
        z1 = z + 1;
        if (y < y0) y0 = y;
        if (y >= y1) y1 = y + 1;
      }
    }
    return z0 < 0 ? null : { z0, z1, y0, y1 };
  }

  count(bits: Bits, within: Range): number {
    let sum = 0;
    for (let z = within.z0; z < within.z1; z++) {
      const from = (z * this.height + within.y0) * this.words, to = (z * this.height + within.y1) * this.words;
      for (let n = from; n < to; n++) {
        let v = bits[n];
        if (v === 0) continue;
        v -= (v >>> 1) & 0x55555555;
        v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
        sum += Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
      }
    }
    return sum;
  }

  widen(range: Range, by: number): Range {
    return {
      z0: Math.max(0, range.z0 - by), z1: Math.min(this.depth, range.z1 + by),
      y0: Math.max(0, range.y0 - by), y1: Math.min(this.height, range.y1 + by),
    };
  }

  /** The 6-connected component of box voxel (z, y, x) in `open`, which must hold that voxel. */
  flood(open: Bits, z: number, y: number, x: number): Bits {
    const found = this.create();
    this.set(found, z, y, x);
    const first = (z + MARGIN) * this.height + y + MARGIN;
    this.#fillRow(open, found, first * this.words);
    this.#spread(open, found, [first], true, this.whole());
    return found;
  }

  /** Voxels that `taken` encloses: background that the outside does not reach, 6-connected, or 4-connected by slice. */
  holes(taken: Bits, bySlice: boolean): Bits | null {
    const tight = this.range(taken);
    if (!tight) return null;
    const { words, height } = this;
    const within = this.widen(tight, 1);
    const free = this.create(), outside = this.create();
    const unreached: number[] = [];
    for (let z = within.z0; z < within.z1; z++) {
      for (let y = within.y0; y < within.y1; y++) {
        const row = z * height + y, at = row * words;
        for (let w = 0; w < words; w++) free[at + w] = ~taken[at + w] & this.#valid[w];
        if (y === within.y0 || y === within.y1 - 1 || (!bySlice && (z === within.z0 || z === within.z1 - 1))) {
          for (let w = 0; w < words; w++) outside[at + w] = free[at + w];
          continue;
        }
        // The frame's columns on both sides are outside; from there along the row.
        outside[at] = free[at] & 1;
        outside[at + words - 1] |= free[at + words - 1] & (this.#valid[words - 1] ^ (this.#valid[words - 1] >>> 1));
        this.#fillRow(free, outside, at);
        for (let w = 0; w < words; w++) if (free[at + w] !== outside[at + w]) { unreached.push(row); break; }
      }
    }
    if (unreached.length === 0) return null;
    const neighbours = bySlice ? [-1, 1] : [-1, 1, -height, height];
    const starts: number[] = [];
    for (const row of unreached) for (const step of neighbours) starts.push(row + step);
    this.#spread(free, outside, starts, !bySlice, within);
    const holes = this.create();
    let any = 0;
    for (const row of unreached) {
      for (let w = row * words; w < (row + 1) * words; w++) any |= holes[w] = free[w] & ~outside[w];
    }
    return any ? holes : null;
  }

  /** Opening by an element; `null` when nothing is left. */
  open(bits: Bits, element: readonly ElementRow[]): Bits | null {
    const range = this.range(bits);
    if (!range) return null;
    const core = this.erode(bits, element, range);
    const left = this.range(core, range);
    return left && this.dilate(core, element, this.widen(left, reach(element)), left);
  }

  /** Closing by an element; the result may hold bits outside the box, as far as the margin goes. */
  close(bits: Bits, element: readonly ElementRow[]): Bits {
    const range = this.range(bits);
    if (!range) return bits;
    const wide = this.widen(range, reach(element));
    return this.erode(this.dilate(bits, element, wide, range), element, wide);
  }

  /** Rows of `source` eroded or dilated along x by 0, 1, 2, … voxels, as many as the element needs. */
  #alongX(source: Bits, element: readonly ElementRow[], range: Range, grow: boolean): Bits[] {
    const { words, height } = this;
    const most = element.reduce((half, row) => Math.max(half, row.half), 0);
    const steps = [source];
    for (let step = 1; step <= most; step++) {
      const from = steps[step - 1], to = this.create();
      for (let z = range.z0; z < range.z1; z++) {
        for (let row = (z * height + range.y0) * words, end = (z * height + range.y1) * words; row < end; row += words) {
          for (let w = 0; w < words; w++) {
            const bits = from[row + w];
            const up = (bits << 1) | (w > 0 ? from[row + w - 1] >>> 31 : 0);
            const down = (bits >>> 1) | (w + 1 < words ? from[row + w + 1] << 31 : 0);
            to[row + w] = grow ? (bits | up | down) & this.#valid[w] : bits & up & down;
          }
        }
      }
      steps.push(to);
    }
    return steps;
  }

  /** Erosion of the rows of `range`, where all of `bits` lies; zeros lie beyond the frame. */
  erode(bits: Bits, element: readonly ElementRow[], range: Range): Bits {
    const { words, height, depth } = this;
    const thinned = this.#alongX(bits, element, range, false);
    const out = this.create();
    for (let z = range.z0; z < range.z1; z++) {
      for (let y = range.y0; y < range.y1; y++) {
        const at = (z * height + y) * words;
        for (let w = 0; w < words; w++) {
          let all = -1;
          for (let n = 0; n < element.length && all !== 0; n++) {
            const row = element[n], zz = z + row.dz, yy = y + row.dy;
            const inside = zz >= 0 && zz < depth && yy >= 0 && yy < height;
            all &= inside ? thinned[row.half][(zz * height + yy) * words + w] : 0;
          }
          out[at + w] = all;
        }
      }
    }
    return out;
  }

  /** Dilation: `range` are the rows to compute, `source` those where `bits` may be set. */
  dilate(bits: Bits, element: readonly ElementRow[], range: Range, source: Range): Bits {
    const { words, height } = this;
    const widened = this.#alongX(bits, element, source, true);
    const out = this.create();
    for (let z = range.z0; z < range.z1; z++) {
      for (let y = range.y0; y < range.y1; y++) {
        const at = (z * height + y) * words;
        for (let n = 0; n < element.length; n++) {
          const row = element[n], zz = z + row.dz, yy = y + row.dy;
          if (zz < source.z0 || zz >= source.z1 || yy < source.y0 || yy >= source.y1) continue;
          const from = (zz * height + yy) * words, wide = widened[row.half];
          for (let w = 0; w < words; w++) out[at + w] |= wide[from + w];
        }
      }
    }
    return out;
  }

  /** Fills every stretch of `open` in a row that holds a bit of `found`. */
  #fillRow(open: Bits, found: Bits, row: number): void {
    const { words } = this;
    let carry = 0;
    for (let w = row; w < row + words; w++) {
      let p = open[w];
      let g = (found[w] | carry) & p;
      if (g !== 0 && g !== p) {
        g |= p & (g << 1); p &= p << 1;
        g |= p & (g << 2); p &= p << 2;
        g |= p & (g << 4); p &= p << 4;
        g |= p & (g << 8); p &= p << 8;
        g |= p & (g << 16);
      }
      found[w] = g;
      carry = g >>> 31;
    }
    carry = 0;
    for (let w = row + words - 1; w >= row; w--) {
      let p = open[w];
      let g = (found[w] | carry) & p;
      if (g !== 0 && g !== p) {
        g |= p & (g >>> 1); p &= p >>> 1;
        g |= p & (g >>> 2); p &= p >>> 2;
        g |= p & (g >>> 4); p &= p >>> 4;
        g |= p & (g >>> 8); p &= p >>> 8;
        g |= p & (g >>> 16);
      }
      found[w] = g;
      carry = g << 31;
    }
  }

  /** Lets `found` spread within `open` from the rows given to their neighbours, until nothing changes. */
  #spread(open: Bits, found: Bits, starts: readonly number[], acrossSlices: boolean, within: Range): void {
    const { words, height } = this;
    const queue = this.#queue, queued = this.#queued, size = queue.length;
    let head = 0, waiting = 0;
    for (const row of starts) {
      if (queued[row]) continue;
      queued[row] = 1;
      queue[(head + waiting++) % size] = row;
    }
    while (waiting > 0) {
      const row = queue[head];
      head = head + 1 === size ? 0 : head + 1;
      waiting--;
      queued[row] = 0;
      const from = row * words;
      const y = row % height, z = (row - y) / height;
      for (let side = 0; side < (acrossSlices ? 4 : 2); side++) {
        let next: number;
        if (side === 0) { if (y - 1 < within.y0) continue; next = row - 1; }
        else if (side === 1) { if (y + 1 >= within.y1) continue; next = row + 1; }
        else if (side === 2) { if (z - 1 < within.z0) continue; next = row - height; }
        else { if (z + 1 >= within.z1) continue; next = row + height; }
        const to = next * words;
        let any = 0;
        for (let w = 0; w < words; w++) {
          const fresh = found[from + w] & open[to + w] & ~found[to + w];
          found[to + w] |= fresh;
          any |= fresh;
        }
        if (any === 0) continue;
        this.#fillRow(open, found, to);
        if (!queued[next]) {
          queued[next] = 1;
          let place = head + waiting++;
          if (place >= size) place -= size;
          queue[place] = next;
        }
      }
    }
  }
}

const reach = (element: readonly ElementRow[]): number =>
  element.reduce((most, row) => Math.max(most, Math.abs(row.dz), Math.abs(row.dy)), 0);
