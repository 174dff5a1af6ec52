/** The scan's voxels on the page: the preview first, then full slices in their place. What is not there yet is drawn from the preview. */

import type { Plane, Zyx } from "../../editor/types";
import { Sketch, type Preview } from "./enlarge";

/** The volume index of docs/formats.md. */
export interface VolumeIndex {
  readonly version: number;
  readonly scan: string;
  readonly modality: string;
  readonly shape_zyx: Zyx;
  readonly spacing_mm_zyx: Zyx;
  readonly lps_from_ijk: readonly (readonly number[])[];
  readonly pack: {
    readonly url: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly codec: string;
    readonly dtype: string;
    readonly slices: readonly (readonly [number, number])[];
    /** See `sums.ts`; absent in an index from before slices had sums. */
    readonly sums?: string;
  };
  readonly preview: {
    readonly url: string;
    readonly bytes: number;
    readonly shape_zyx: Zyx;
    readonly step_zyx: Zyx;
    readonly hu_lo: number;
    readonly hu_step: number;
  };
  readonly limit: { readonly url: string; readonly bytes: number; readonly background_hu: number } | null;
  readonly hu_range: readonly [number, number];
}

/**
 * What is taken from every value so that it fits int16: half of the range of a uint16 (X-ray), nothing of HU. Page, decoder and
 * editor keep values less this; only what people read has it added again.
 */
export function offsetOf(index: VolumeIndex): number {
  return index.pack.dtype === "uint16" ? 32768 : 0;
}

/** What lies in the place of a voxel whose slice is damaged: no scanner writes it, and nothing is computed from it. */
export const MISSING = -32768;

/** Stripes of a colour that no window gives (amber on black, ABGR), for what is damaged. */
export function stripe(x: number, y: number): number {
  return ((x + y) & 7) < 3 ? 0xff0a6a9a : 0xff000000;
}

/** Memory for the voxels of a scan; shared with the workers where the page may share memory (https or localhost). */
export function roomFor({ shape_zyx: [depth, rows, columns] }: VolumeIndex): Int16Array {
  const voxels = depth * rows * columns;
  return globalThis.crossOriginIsolated
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
  /** Grows with every arrival; renderers compare it. */
  version = 0;
  fullCount = 0;
  readonly #sketch: Sketch;

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
    this.#sketch = new Sketch(preview, this.shapeZyx);
  }

  /** Put whole slices (`n × rows × columns`, HU) from z0 on. */
  put(z0: number, hu: Int16Array): void {
    const [, rows, columns] = this.shapeZyx;
    this.hu.set(hu, z0 * rows * columns);
    for (let z = z0; z < z0 + hu.length / (rows * columns); z++) {
      this.fullCount += 1 - this.full[z];
      this.full[z] = this.known[z] = 1;
    }
    this.version++;
  }

  /** Give a slice up: it is damaged on the server or on the way, and shows nothing rather than something wrong. */
  lose(z: number): void {
    const [, rows, columns] = this.shapeZyx;
    this.hu.fill(MISSING, z * rows * columns, (z + 1) * rows * columns);
    this.lost[z] = this.known[z] = 1;
    this.version++;
  }

  get lostCount(): number {
    return this.lost.reduce((sum, one) => sum + one, 0);
  }

  /** Put slices made from the preview, where nothing better has come. */
  fill(z0: number, hu: Int16Array): void {
    const [, rows, columns] = this.shapeZyx;
    const area = rows * columns;
    for (let n = 0; n < hu.length / area; n++) {
      if (this.known[z0 + n]) continue;
      this.hu.set(hu.subarray(n * area, (n + 1) * area), (z0 + n) * area);
      this.known[z0 + n] = 1;
    }
    this.version++;
  }

  /** HU at (x, y, z); null outside, and where the slice is damaged. */
  at(x: number, y: number, z: number): number | null {
    const [depth, rows, columns] = this.shapeZyx;
    if (x < 0 || y < 0 || z < 0 || x >= columns || y >= rows || z >= depth || this.lost[z]) return null;
    return (this.known[z] ? this.hu[(z * rows + y) * columns + x] : this.#sketch.at(x, y, z)) + this.offset;
  }

  /** Width and height of a plane's slices, as `Slice` of the editor has them. */
  size(plane: Plane): readonly [number, number] {
    const [depth, rows, columns] = this.shapeZyx;
    return plane === "axial" ? [columns, rows] : plane === "coronal" ? [columns, depth] : [rows, depth];
  }

  /** Write one slice through a table (65 536 RGBA words, index value + 32 768) into `out`. */
  paint(plane: Plane, index: number, table: Uint32Array, out: Uint32Array): void {
    const [depth, rows, columns] = this.shapeZyx;
    const { hu, known, lost } = this;
    const sketch = this.#sketch;
    if (plane === "axial") {
      const start = index * rows * columns;
      if (lost[index]) for (let y = 0, p = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[p++] = stripe(x, y);
      else if (known[index]) for (let p = 0, n = rows * columns; p < n; p++) out[p] = table[hu[start + p] + 32768];
      else
        for (let y = 0, p = 0; y < rows; y++)
          for (let x = 0; x < columns; x++) out[p++] = table[sketch.at(x, y, index) + 32768];
    } else if (plane === "coronal") {
      for (let z = 0, p = 0; z < depth; z++) {
        const start = (z * rows + index) * columns;
        if (lost[z]) for (let x = 0; x < columns; x++) out[p++] = stripe(x, z);
        else if (known[z]) for (let x = 0; x < columns; x++) out[p++] = table[hu[start + x] + 32768];
        else for (let x = 0; x < columns; x++) out[p++] = table[sketch.at(x, index, z) + 32768];
      }
    } else {
      for (let z = 0, p = 0; z < depth; z++) {
        if (lost[z]) for (let y = 0; y < rows; y++) out[p++] = stripe(y, z);
        else if (known[z])
          for (let y = 0, at = z * rows * columns + index; y < rows; y++, at += columns)
            out[p++] = table[hu[at] + 32768];
        else for (let y = 0; y < rows; y++) out[p++] = table[sketch.at(index, y, z) + 32768];
      }
    }
  }
}
