/** A mask that is only looked at: the chunks that came, packed as they came, nothing where none did. */

import { CHUNK, gridOf } from "./chunks";
import { planeOf } from "./geometry";
import type { MaskMessage } from "./message";
import { PackedChunk, bodyBytes } from "./packedchunk";
import type { Plane, Slice, Zyx } from "./types";
import { type StretchesOfSlices, forEachRow, visitRow } from "./stretches";

/** A mask to look at (prediction, author, round before): only its chunks are kept. */
export class SparseMask implements StretchesOfSlices {
  readonly shape: Zyx;
  /** Bytes that its voxels take. */
  readonly bytes: number;
  readonly #grid: Zyx;
  readonly #chunks = new Map<number, PackedChunk>();

  constructor(message: MaskMessage) {
    this.shape = message.shapeZyx;
    this.#grid = gridOf(this.shape);
    this.bytes = message.chunks.reduce((sum, { payload }) => sum + bodyBytes(payload), 0);
    const store = new Uint8Array(this.bytes);
    let used = 0;
    // Chunks of one value (most of a lung) are one and the same.
    const plain = new Map<number, PackedChunk>();
    for (const {
      index: [z, y, x],
      payload,
    } of message.chunks) {
      if (payload.length <= 2 && payload[1] === 0) continue;
      const bytes = bodyBytes(payload);
      const known = bytes === 0 ? plain.get(payload[1]!) : undefined;
      const chunk = known ?? new PackedChunk(payload, store.subarray(used, used + bytes));
      if (bytes === 0) plain.set(payload[1]!, chunk);
      used += bytes;
      this.#chunks.set((z * this.#grid[1] + y) * this.#grid[2] + x, chunk);
    }
  }

  /** The numbers of the chunks that are not all 0. */
  chunkNumbers(): number[] {
    return [...this.#chunks.keys()];
  }

  holds(chunk: number): boolean {
    return this.#chunks.has(chunk);
  }

  /** The voxels of a chunk, into `out`; null where it holds nothing. */
  readChunk(chunk: number, out: Uint8Array): Uint8Array | null {
    return this.#chunks.get(chunk)?.readAll(out) ?? null;
  }

  at(z: number, y: number, x: number): number {
    const chunk = this.#chunks.get(((z >> 5) * this.#grid[1] + (y >> 5)) * this.#grid[2] + (x >> 5));
    return chunk ? chunk.at(((z & 31) * CHUNK + (y & 31)) * CHUNK + (x & 31)) : 0;
  }

  forEachStretch(
    visit: (start: number, length: number, label: number) => void,
    z0 = 0,
    z1: number = this.shape[0],
  ): void {
    const [, ny, nx] = this.shape;
    const labels = new Uint8Array(CHUNK);
    forEachRow(
      this.shape,
      (chunk) => this.#chunks.has(chunk),
      (z, y, cx, chunk) => {
        const width = Math.min(CHUNK, nx - cx * CHUNK);
        this.#chunks.get(chunk)?.read(((z & 31) * CHUNK + (y & 31)) * CHUNK, width, labels, 0);
        visitRow(labels, 0, width, (z * ny + y) * nx + cx * CHUNK, visit);
      },
      z0,
      z1,
    );
  }

  slice(plane: Plane, index: number): Slice<Uint8Array> {
    const { width, height } = planeOf(this.shape, plane);
    const data = new Uint8Array(width * height);
    if (plane === "axial") this.#axial(index, data);
    else
      for (let v = 0, n = 0; v < height; v++) {
        for (let u = 0; u < width; u++, n++)
          data[n] = plane === "coronal" ? this.at(v, index, u) : this.at(v, u, index);
      }
    return { plane, index, width, height, data };
  }

  #axial(z: number, data: Uint8Array): void {
    const nx = this.shape[2];
    forEachRow(
      this.shape,
      (chunk) => this.#chunks.has(chunk),
      (_, y, cx, chunk) => {
        const from = ((z & 31) * CHUNK + (y & 31)) * CHUNK;
        this.#chunks.get(chunk)?.read(from, Math.min(CHUNK, nx - cx * CHUNK), data, y * nx + cx * CHUNK);
      },
      z,
      z + 1,
    );
  }
}
