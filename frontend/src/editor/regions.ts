/**
 * How much of each region of an overlay (lobe, lung, lung limit) each segment of the mask takes. Kept by chunk: a
 * stroke costs only the chunks that it touched.
 */

import { CHUNK_VOXELS } from "./chunks";
import { ERASED, type Box, type Region } from "./types";
import type { Labelmap } from "./labelmap";
import type { SparseMask } from "./sparsemask";

export class Regions {
  /** Voxels of each region. */
  readonly #sizes = new Uint32Array(256);
  /** Voxels of region × 256 + label of the mask, over all chunks and for each. */
  readonly #total = new Map<number, number>();
  readonly #parts = new Map<number, ReadonlyMap<number, number>>();
  readonly #stale: Set<number>;

  constructor(
    private readonly overlay: SparseMask,
    private readonly labels: Labelmap,
  ) {
    const numbers = overlay.chunkNumbers();
    const scratch = new Uint8Array(CHUNK_VOXELS);
    for (const chunk of numbers) {
      const voxels = overlay.readChunk(chunk, scratch);
      if (voxels) tally(voxels, this.#sizes);
    }
    this.#stale = new Set(numbers);
  }

  /** Labels inside the box have changed. */
  touch({ z0, z1, y0, y1, x0, x1 }: Box): void {
    for (let z = z0 >> 5; z <= (z1 - 1) >> 5; z++) {
      for (let y = y0 >> 5; y <= (y1 - 1) >> 5; y++) {
        for (let x = x0 >> 5; x <= (x1 - 1) >> 5; x++) {
          const chunk = this.labels.chunkNumber([z, y, x]);
          if (this.overlay.holds(chunk)) this.#stale.add(chunk);
        }
      }
    }
  }

  /** The regions in the order of their numbers, each with the voxels that every segment takes of it. */
  figures(): Region[] {
    const scratch = new Uint8Array(CHUNK_VOXELS),
      room = new Uint8Array(CHUNK_VOXELS);
    for (const chunk of this.#stale) {
      const now = this.#count(chunk, scratch, room);
      for (const [key, voxels] of this.#parts.get(chunk) ?? []) this.#add(key, -voxels);
      for (const [key, voxels] of now) this.#add(key, voxels);
      this.#parts.set(chunk, now);
    }
    this.#stale.clear();
    const found: Region[] = [];
    for (let region = 1; region < 256; region++) {
      if (!this.#sizes[region]) continue;
      const taken: Record<number, number> = {};
      for (let segment = 1; segment < ERASED; segment++) {
        const voxels = this.#total.get(region * 256 + segment);
        if (voxels) taken[segment] = voxels;
      }
      found.push({ region, voxels: this.#sizes[region]!, taken });
    }
    return found;
  }

  #add(key: number, voxels: number): void {
    this.#total.set(key, (this.#total.get(key) ?? 0) + voxels);
  }

  /** `scratch`, `room`: memory for the voxels of a chunk each. */
  #count(chunk: number, scratch: Uint8Array, room: Uint8Array): ReadonlyMap<number, number> {
    const found = new Map<number, number>();
    if (!this.labels.occupied[chunk]) return found;
    const regions = this.overlay.readChunk(chunk, room);
    if (!regions) return found;
    const labels = this.labels.readChunk(this.labels.chunkIndex(chunk), scratch);
    for (let n = 0; n < labels.length; n++) {
      if (!labels[n] || !regions[n]) continue;
      const key = regions[n]! * 256 + labels[n]!;
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    return found;
  }
}

/** Adds the voxels of each value of a chunk, stretch by stretch: regions are large. */
function tally(voxels: Uint8Array, sizes: Uint32Array): void {
  const end = voxels.length;
  for (let n = 0; n < end; ) {
    const from = n,
      value = voxels[n]!;
    do n++;
    while (n < end && voxels[n] === value);
    sizes[value]! += n - from;
  }
}
