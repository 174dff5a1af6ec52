/** A chunk that is only looked at, in the one to eight bits a voxel that its values need. */

import { CHUNK_VOXELS, bitsFor } from "./chunks";

/** Bytes that the voxels of a payload take, values not counted: 0 where all are the same. */
export function bodyBytes(payload: Uint8Array): number {
  return payload.length - 1 - (payload[0] || 256);
}

export class PackedChunk {
  readonly #values: Uint8Array;
  readonly #bits: number;
  /** Voxels in a byte, as a power of two. */
  readonly #fold: number;
  readonly #mask: number;

  /** A payload as the mask message has it, checked; `body`: `bodyBytes(payload)` of memory for its voxels. */
  constructor(
    payload: Uint8Array,
    private readonly body: Uint8Array,
  ) {
    const count = payload[0] || 256;
    this.#values = payload.slice(1, 1 + count);
    this.#bits = bitsFor(count);
    this.#fold = 3 - Math.log2(this.#bits);
    this.#mask = (1 << this.#bits) - 1;
    body.set(payload.subarray(1 + count));
    // Each row of the payload is what differs from the row before.
    const row = 4 * this.#bits;
    for (let n = row; n < body.length; n++) body[n]! ^= body[n - row]!;
  }

  /** The value of voxel `n`, counted through z, y and x. */
  at(n: number): number {
    if (this.body.length === 0) return this.#values[0]!;
    const byte = this.body[n >> this.#fold]!;
    return this.#values[(byte >> ((n & ((1 << this.#fold) - 1)) * this.#bits)) & this.#mask]!;
  }

  /** Voxels `from` … `from + length` into `out`, from `to` on. */
  read(from: number, length: number, out: Uint8Array, to: number): void {
    if (this.body.length === 0) out.fill(this.#values[0]!, to, to + length);
    else for (let n = 0; n < length; n++) out[to + n] = this.at(from + n);
  }

  /** All 32 768 voxels. */
  readAll(out: Uint8Array): Uint8Array {
    this.read(0, CHUNK_VOXELS, out, 0);
    return out;
  }
}
