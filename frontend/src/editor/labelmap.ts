/** The labelmap of one layer: every voxel of the scan, one byte each, allocated once and changed only by runs. */

import { CHUNK, CHUNK_VOXELS, decodeChunk, encodeChunk, gridOf, extentOf } from "./chunks";
import { planeOf, voxelsOf } from "./geometry";
import type { MaskMessage } from "./message";
import { RunBuilder, type Runs } from "./runs";
import type { Box, Plane, Slice, SlicePatch, Zyx } from "./types";
import { type StretchesOfSlices, forEachRow, visitRow } from "./stretches";

export class Labelmap implements StretchesOfSlices {
  readonly shape: Zyx;
  readonly grid: Zyx;
  readonly data: Uint8Array;
  /** Voxels of each label. */
  readonly counts = new Float64Array(256);
  /** Voxels other than 0 in each chunk (255 counts). */
  readonly occupied: Int32Array;

  constructor(shape: Zyx) {
    this.shape = shape;
    this.grid = gridOf(shape);
    this.data = new Uint8Array(voxelsOf(shape));
    this.occupied = new Int32Array(voxelsOf(this.grid));
    this.counts[0] = this.data.length;
  }

  indexOf(z: number, y: number, x: number): number {
    return (z * this.shape[1] + y) * this.shape[2] + x;
  }

  /**
   * The one way in which labels change. Returns the box that changed (`null` for no runs) and adds the number of
   * every chunk that it touched to `touched`.
   */
  apply(runs: Runs, touched: Set<number>): Box | null {
    const [, ny, nx] = this.shape;
    const [, gridY, gridX] = this.grid;
    let z0 = Infinity,
      z1 = -1,
      y0 = Infinity,
      y1 = -1,
      x0 = Infinity,
      x1 = -1;
    let last = -1;
    for (let n = 0; n < runs.count; n++) {
      const after = runs.after[n]!,
        before = runs.before[n]!;
      const change = Number(after !== 0) - Number(before !== 0);
      let at = runs.start[n]!,
        left = runs.length[n]!;
      this.counts[before]! -= left;
      this.counts[after]! += left;
      this.data.fill(after, at, at + left);
      let row = Math.floor(at / nx),
        x = at - row * nx;
      while (left > 0) {
        const z = Math.floor(row / ny),
          y = row - z * ny;
        const length = Math.min(left, CHUNK - (x & 31), nx - x);
        const chunk = ((z >> 5) * gridY + (y >> 5)) * gridX + (x >> 5);
        this.occupied[chunk]! += change * length;
        if (chunk !== last) {
          touched.add(chunk);
          last = chunk;
        }
        if (z < z0) z0 = z;
        if (z > z1) z1 = z;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
        if (x < x0) x0 = x;
        if (x + length - 1 > x1) x1 = x + length - 1;
        at += length;
        left -= length;
        x += length;
        if (x === nx) {
          x = 0;
          row++;
        }
      }
    }
    return runs.count ? { z0, z1: z1 + 1, y0, y1: y1 + 1, x0, x1: x1 + 1 } : null;
  }

  chunkIndex(chunk: number): Zyx {
    const [, gridY, gridX] = this.grid;
    return [Math.floor(chunk / (gridY * gridX)), Math.floor(chunk / gridX) % gridY, chunk % gridX];
  }

  chunkNumber(index: Zyx): number {
    return (index[0] * this.grid[1] + index[1]) * this.grid[2] + index[2];
  }

  /** The 32 768 voxels of a chunk, 0 beyond the volume's edge. */
  readChunk(index: Zyx, out: Uint8Array): Uint8Array {
    const { z, y, x, depth, height, width } = extentOf(this.shape, index);
    if (depth < CHUNK || height < CHUNK || width < CHUNK) out.fill(0);
    const { data } = this;
    for (let dz = 0; dz < depth; dz++) {
      for (let dy = 0; dy < height; dy++) {
        // One by one: a view of 32 voxels costs more than they do.
        for (let n = 0, from = this.indexOf(z + dz, y + dy, x), to = (dz * CHUNK + dy) * CHUNK; n < width; n++)
          out[to + n] = data[from + n]!;
      }
    }
    return out;
  }

  /** Payloads of these chunks, ascending. */
  payloads(chunks: Iterable<number>): MaskMessage["chunks"] {
    const scratch = new Uint8Array(CHUNK_VOXELS);
    return [...chunks]
      .sort((a, b) => a - b)
      .map((chunk) => {
        const index = this.chunkIndex(chunk);
        return {
          index,
          payload: this.occupied[chunk] ? encodeChunk(this.readChunk(index, scratch)) : Uint8Array.of(1, 0),
        };
      });
  }

  occupiedChunks(): number[] {
    const found: number[] = [];
    this.occupied.forEach((count, chunk) => {
      if (count) found.push(chunk);
    });
    return found;
  }

  /** Replaces everything by the chunks of a whole mask. */
  load(message: MaskMessage): void {
    if (this.counts[0] !== this.data.length) this.data.fill(0);
    this.occupied.fill(0);
    this.counts.fill(0);
    this.counts[0] = this.data.length;
    const voxels = new Uint8Array(CHUNK_VOXELS);
    for (const { index, payload } of message.chunks) {
      decodeChunk(payload, voxels);
      const { z, y, x, depth, height, width } = extentOf(this.shape, index);
      for (let dz = 0; dz < depth; dz++) {
        for (let dy = 0; dy < height; dy++) {
          const from = (dz * CHUNK + dy) * CHUNK;
          this.data.set(voxels.subarray(from, from + width), this.indexOf(z + dz, y + dy, x));
        }
      }
      let occupied = 0;
      for (let n = 0; n < CHUNK_VOXELS; n++) {
        if (voxels[n]) {
          occupied++;
          this.counts[voxels[n]!]!++;
        }
      }
      this.counts[0] -= occupied;
      this.occupied[this.chunkNumber(index)] = occupied;
    }
  }

  /** Runs from the labels as they are to a whole mask. */
  differenceTo(message: MaskMessage): Runs {
    const theirs = new Map(message.chunks.map(({ index, payload }) => [this.chunkNumber(index), payload]));
    const chunks = new Set([...theirs.keys(), ...this.occupiedChunks()]);
    const mine = new Uint8Array(CHUNK_VOXELS),
      other = new Uint8Array(CHUNK_VOXELS);
    const found: [number, number, number][] = [];
    const [nz, ny, nx] = this.shape;
    for (const chunk of chunks) {
      const index = this.chunkIndex(chunk);
      this.readChunk(index, mine);
      const payload = theirs.get(chunk);
      if (payload) decodeChunk(payload, other);
      else other.fill(0);
      for (let n = 0; n < CHUNK_VOXELS; n++) {
        if (mine[n] === other[n]) continue;
        const [z, y, x] = [index[0] * 32 + (n >> 10), index[1] * 32 + ((n >> 5) & 31), index[2] * 32 + (n & 31)];
        if (z < nz && y < ny && x < nx) found.push([this.indexOf(z, y, x), mine[n]!, other[n]!]);
      }
    }
    found.sort((a, b) => a[0] - b[0]);
    const out = new RunBuilder();
    for (const [at, before, after] of found) out.push(at, 1, before, after);
    return out.build();
  }

  forEachStretch(
    visit: (start: number, length: number, label: number) => void,
    z0 = 0,
    z1: number = this.shape[0],
  ): void {
    const nx = this.shape[2];
    forEachRow(
      this.shape,
      (chunk) => this.occupied[chunk]! > 0,
      (z, y, cx) => {
        const row = this.indexOf(z, y, 0);
        visitRow(this.data, row + cx * CHUNK, row + Math.min(nx, (cx + 1) * CHUNK), 0, visit);
      },
      z0,
      z1,
    );
  }

  /** The labels of an axial slice where they lie: not a copy. */
  axial(z: number): Uint8Array {
    return this.data.subarray(this.indexOf(z, 0, 0), this.indexOf(z + 1, 0, 0));
  }

  /** Whether any chunk that an axial slice runs through holds something. */
  holdsIn(z: number): boolean {
    const area = this.grid[1] * this.grid[2];
    return this.occupied.subarray((z >> 5) * area, ((z >> 5) + 1) * area).some((count) => count > 0);
  }

  slice(plane: Plane, index: number): Slice<Uint8Array> {
    const { width, height } = planeOf(this.shape, plane);
    if (plane === "axial") return { plane, index, width, height, data: this.axial(index).slice() };
    const { data } = this.patch(plane, index, { x: 0, y: 0, width, height });
    return { plane, index, width, height, data };
  }

  /** The labels of a rectangle of a slice. */
  patch(plane: Plane, index: number, part: { x: number; y: number; width: number; height: number }): SlicePatch {
    const { column, row, step } = planeOf(this.shape, plane);
    const data = new Uint8Array(part.width * part.height);
    for (let y = 0, to = 0; y < part.height; y++) {
      let from = index * step + (part.y + y) * row + part.x * column;
      if (column === 1) {
        data.set(this.data.subarray(from, from + part.width), to);
        to += part.width;
        continue;
      }
      for (let x = 0; x < part.width; x++, from += column) data[to++] = this.data[from]!;
    }
    return { plane, index, ...part, data };
  }
}
