import type { Zyx } from "./types";

/** One bit a voxel for the whole volume: the lung limit. */
export class BitVolume {
  readonly wordsPerRow: number;
  readonly bits: Int32Array;

  constructor(readonly shape: Zyx) {
    this.wordsPerRow = (shape[2] + 31) >>> 5;
    this.bits = new Int32Array(shape[0] * shape[1] * this.wordsPerRow);
  }

  has(z: number, y: number, x: number): boolean {
    return ((this.bits[(z * this.shape[1] + y) * this.wordsPerRow + (x >>> 5)]! >>> (x & 31)) & 1) === 1;
  }

  /** The 32 voxels of a row from `x` on (which may be negative or beyond the row: zeros). */
  word(z: number, y: number, x: number): number {
    const row = (z * this.shape[1] + y) * this.wordsPerRow;
    const at = x >> 5,
      shift = x & 31;
    const low = at >= 0 && at < this.wordsPerRow ? this.bits[row + at]! : 0;
    if (shift === 0) return low;
    const high = at + 1 >= 0 && at + 1 < this.wordsPerRow ? this.bits[row + at + 1]! : 0;
    return (low >>> shift) | (high << (32 - shift));
  }
}
