/**
 * Bit-packed rows. A box of voxels lies in a frame that is `MARGIN` voxels wider on each side, one bit a
 * voxel, one or more 32-bit words a row, so that a row of a lesion is one or two machine words and flood, opening,
 * closing and hole filling cost a few operations a row. Bits beyond the frame are always 0.
 */

/** Room around the box, as in the reference: opening and closing see zeros beyond it. */
export const MARGIN = 4;

/** Rows that may hold bits: z and y in frame coordinates, half open. */
export interface Range {
  z0: number;
  z1: number;
  y0: number;
  y1: number;
}

export type Bits = Int32Array;

/**
 * Memory that is used again from one stroke to the next: a stroke needs a dozen small arrays, and leaving them to the
 * garbage collector costs more than the stroke. What was taken is void after the next `reset`.
 */
export class Scratch {
  #store = new Int32Array(1 << 18);
  #used = 0;

  reset(): void {
    this.#used = 0;
  }

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
  /** The bits of a row's words that lie in the frame. */
  readonly valid: Int32Array;
  /** Room for one number a row, and a mark a row, for whoever walks over rows. */
  readonly queue: Int32Array;
  readonly queued: Int32Array;

  /** A frame around a box of `nz × ny × nx` voxels; its bits come from `scratch` where given. */
  constructor(
    readonly nz: number,
    readonly ny: number,
    readonly nx: number,
    private readonly scratch: Scratch | null = null,
  ) {
    this.depth = nz + 2 * MARGIN;
    this.height = ny + 2 * MARGIN;
    const width = nx + 2 * MARGIN;
    this.words = (width + 31) >>> 5;
    this.valid = this.#take(this.words).fill(-1);
    if (width & 31) this.valid[this.words - 1] = (1 << (width & 31)) - 1;
    this.queue = this.#take(this.depth * this.height);
    this.queued = this.#take(this.depth * this.height);
  }

  #take(length: number): Int32Array {
    return this.scratch ? this.scratch.take(length) : new Int32Array(length);
  }

  create(): Bits {
    return this.#take(this.depth * this.height * this.words);
  }

  /** First word of the row of box voxel (z, y, ·). */
  rowOf(z: number, y: number): number {
    return ((z + MARGIN) * this.height + y + MARGIN) * this.words;
  }

  has(bits: Bits, z: number, y: number, x: number): boolean {
    return ((bits[this.rowOf(z, y) + ((x + MARGIN) >>> 5)]! >>> ((x + MARGIN) & 31)) & 1) === 1;
  }

  set(bits: Bits, z: number, y: number, x: number): void {
    bits[this.rowOf(z, y) + ((x + MARGIN) >>> 5)]! |= 1 << ((x + MARGIN) & 31);
  }

  /** Sets the bits of box voxels from `x0` to `x1` (half open) of a row. */
  setRun(bits: Bits, row: number, x0: number, x1: number): void {
    for (let at = x0 + MARGIN, end = x1 + MARGIN; at < end; ) {
      const word = at >>> 5,
        from = at & 31,
        to = Math.min(32, end - (word << 5));
      bits[row + word]! |= (to - from === 32 ? -1 : (1 << (to - from)) - 1) << from;
      at = (word + 1) << 5;
    }
  }

  whole(): Range {
    return { z0: 0, z1: this.depth, y0: 0, y1: this.height };
  }

  /** The rows that hold a bit; `null` when there is none. */
  range(bits: Bits, within: Range = this.whole()): Range | null {
    const { words, height } = this;
    let z0 = -1,
      z1 = -1,
      y0 = Infinity,
      y1 = -1;
    for (let z = within.z0; z < within.z1; z++) {
      for (let y = within.y0; y < within.y1; y++) {
        const row = (z * height + y) * words;
        let any = 0;
        for (let w = 0; w < words; w++) any |= bits[row + w]!;
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
      const from = (z * this.height + within.y0) * this.words,
        to = (z * this.height + within.y1) * this.words;
      for (let n = from; n < to; n++) {
        let v = bits[n]!;
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
      z0: Math.max(0, range.z0 - by),
      z1: Math.min(this.depth, range.z1 + by),
      y0: Math.max(0, range.y0 - by),
      y1: Math.min(this.height, range.y1 + by),
    };
  }
}
