/**
 * The scan's voxels on the page: the preview first, then full slices instead. What is not there yet is drawn
 * from the preview.
 */

import type { Plane, Zyx } from "../editor/types";
import type { VolumeIndex } from "../ground/contract";
import { Sketch, type Preview } from "./enlarge";

/**
 * What is taken from every value so that it fits int16: half of the range of a uint16 (X-ray), nothing of HU. Page,
 * decoder and editor keep values less this; only what people read has it added again.
 */
export function offsetOf(index: VolumeIndex): number {
  return index.pack.dtype === "uint16" ? 32768 : 0;
}

/** What stands for a voxel whose slice is damaged: no scanner writes it, and nothing is computed from it. */
export const MISSING = -32768;

/** Stripes of a colour that no window gives (amber on black, ABGR), for what is damaged. */
export function stripe(x: number, y: number): number {
  return ((x + y) & 7) < 3 ? 0xff0a6a9a : 0xff000000;
}

/**
 * Memory for the voxels of a scan; shared with the workers where the page may share memory (https or localhost).
 * WebKitGTK has no shared memory on an isolated page either.
 */
export function roomFor({ shape_zyx: [depth, rows, columns] }: VolumeIndex): Int16Array {
  const voxels = depth * rows * columns;
  return globalThis.crossOriginIsolated && "SharedArrayBuffer" in globalThis
    ? new Int16Array(new SharedArrayBuffer(voxels * Int16Array.BYTES_PER_ELEMENT))
    : new Int16Array(voxels);
}

/** Whether a worker that is told of this memory sees it, rather than a copy. */
export function isShared(room: Int16Array): boolean {
  return !(room.buffer instanceof ArrayBuffer);
}

export class Volume {
  readonly shapeZyx: Zyx;
  readonly offset: number;
  /** Per slice: 1 when its full-resolution voxels have arrived. */
  readonly full: Uint8Array;
  /** Per slice: 1 when `hu` holds it, in full or from the preview. */
  readonly known: Uint8Array;
  /** Per slice: 1 when it is damaged: its voxels are `MISSING`, and it is shown as stripes. */
  readonly lost: Uint8Array;
  /** Per slice: 1 when a decoder writes it, or has. */
  readonly #expected: Uint8Array;
  /** Grows with every arrival; renderers compare it. */
  version = 0;
  fullCount = 0;
  /** What is shown where nothing has come; it goes once every slice is known. */
  #sketch: Sketch | null;

  /** `hu`: `roomFor(index)`; HU less `offset`. Slices that are not `known` hold nothing yet. */
  constructor(
    index: VolumeIndex,
    preview: Preview,
    readonly hu = roomFor(index),
  ) {
    const [depth] = (this.shapeZyx = index.shape_zyx);
    this.offset = offsetOf(index);
    this.full = new Uint8Array(depth);
    this.known = new Uint8Array(depth);
    this.lost = new Uint8Array(depth);
    this.#expected = new Uint8Array(depth);
    this.#sketch = new Sketch(preview, this.shapeZyx);
  }

  /** Memory that decoders may write into; null where they cannot see it. */
  get room(): Int16Array | null {
    return isShared(this.hu) ? this.hu : null;
  }

  /** Whole slices are about to be written into `room`: nothing of the preview is put over them. */
  expect(z0: number, count: number): void {
    this.#expected.fill(1, z0, z0 + count);
  }

  /** Whole slices (HU) from z0 on have come: in `hu` (`count × rows × columns`), or they lie in `room`. */
  put(z0: number, count: number, hu: Int16Array | null): void {
    const [, rows, columns] = this.shapeZyx;
    if (hu) this.hu.set(hu, z0 * rows * columns);
    for (let z = z0; z < z0 + count; z++) {
      this.fullCount += 1 - this.full[z]!;
      this.full[z] = this.known[z] = 1;
    }
    this.#arrived();
  }

  /** Give a slice up: it is damaged on the server or on the way, and shows nothing rather than something wrong. */
  lose(z: number): void {
    const [, rows, columns] = this.shapeZyx;
    this.hu.fill(MISSING, z * rows * columns, (z + 1) * rows * columns);
    this.lost[z] = this.known[z] = 1;
    this.#arrived();
  }

  /** Whether the preview is kept. */
  get hasSketch(): boolean {
    return this.#sketch !== null;
  }

  #arrived(): void {
    this.version++;
    if (this.known.every((one) => one === 1)) this.#sketch = null;
  }

  get lostCount(): number {
    return this.lost.reduce((sum, one) => sum + one, 0);
  }

  /** Put slices made from the preview, where nothing better has come. */
  fill(z0: number, hu: Int16Array): void {
    const [, rows, columns] = this.shapeZyx;
    const area = rows * columns;
    for (let n = 0; n < hu.length / area; n++) {
      if (this.known[z0 + n] || this.#expected[z0 + n]) continue;
      this.hu.set(hu.subarray(n * area, (n + 1) * area), (z0 + n) * area);
      this.known[z0 + n] = 1;
    }
    this.#arrived();
  }

  /** HU at (x, y, z); null outside, and where the slice is damaged. */
  at(x: number, y: number, z: number): number | null {
    const [depth, rows, columns] = this.shapeZyx;
    if (x < 0 || y < 0 || z < 0 || x >= columns || y >= rows || z >= depth || this.lost[z]) return null;
    const value = this.known[z] ? this.hu[(z * rows + y) * columns + x]! : this.#sketch?.at(x, y, z);
    return value === undefined ? null : value + this.offset;
  }

  /** Width and height of a plane's slices, as `Slice` of the editor has them. */
  size(plane: Plane): readonly [number, number] {
    const [depth, rows, columns] = this.shapeZyx;
    return plane === "axial" ? [columns, rows] : plane === "coronal" ? [columns, depth] : [rows, depth];
  }

  /** Write one slice through a table (65 536 RGBA words, index value + 32 768) into `out`. */
  paint(plane: Plane, index: number, table: Uint32Array, out: Uint32Array): void {
    const [width, height] = this.size(plane);
    // An axial slice that is there lies in memory as one row.
    if (plane === "axial" && this.known[index] && !this.lost[index]) {
      this.#paintRow(0, 0, index, 1, 0, 0, width * height, table, out);
      return;
    }
    for (let v = 0; v < height; v++) {
      if (plane === "axial") this.#paintRow(0, v, index, 1, 0, v, width, table, out);
      else if (plane === "coronal") this.#paintRow(0, index, v, 1, 0, v, width, table, out);
      else this.#paintRow(index, 0, v, 0, 1, v, width, table, out);
    }
  }

  /** Row `v` of a slice, which begins at (x, y, z) and goes on by (dx, dy, 0). */
  #paintRow(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    v: number,
    width: number,
    table: Uint32Array,
    out: Uint32Array,
  ): void {
    const [, rows, columns] = this.shapeZyx;
    const { hu } = this;
    const sketch = this.#sketch;
    const start = v * width;
    if (this.lost[z]) for (let u = 0; u < width; u++) out[start + u] = stripe(u, v);
    else if (this.known[z]) {
      const first = (z * rows + y) * columns + x;
      if (dx) for (let u = 0; u < width; u++) out[start + u] = table[hu[first + u]! + 32768]!;
      else for (let u = 0, at = first; u < width; u++, at += columns) out[start + u] = table[hu[at]! + 32768]!;
    } else if (sketch)
      for (let u = 0; u < width; u++) out[start + u] = table[sketch.at(x + u * dx, y + u * dy, z) + 32768]!;
  }
}
