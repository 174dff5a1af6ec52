/**
 * Thick slices: the brightest, darkest or mean voxel along the way through the slices. Reads HU, writes one slice of
 * HU.
 */

import type { Plane, Zyx } from "../../editor/types";
import { msg } from "../../ground/language";
import { MISSING } from "../../load/volume";

export type SlabKind = "mip" | "minip" | "average";

export interface Slab {
  readonly kind: SlabKind;
  readonly mm: number;
}

export const SLAB_NAMES: Readonly<Record<SlabKind, string>> = {
  mip: msg("MIP"),
  minip: msg("MinIP"),
  average: msg("Average"),
};
export const SLAB_MM = { min: 2, max: 50 } as const;

/**
 * Slices of a slab round `index`, half open, cut at the volume's ends. Always as many on both sides of the middle
 * slice, so that its outline lies in the middle of what is seen.
 */
export function slabRange(index: number, count: number, spacing: number, mm: number): readonly [number, number] {
  const side = sideOf(spacing, mm);
  return [Math.max(0, index - side), Math.min(count, index + side + 1)];
}

/** How thick a slab of `mm` becomes: it is made of whole slices, as many on both sides. */
export function thicknessOf(spacing: number, mm: number): number {
  return (2 * sideOf(spacing, mm) + 1) * spacing;
}

const sideOf = (spacing: number, mm: number): number => Math.max(0, Math.round((mm / spacing - 1) / 2));

/** What is seen of the values along the way: one of them is missing (null), and nothing is known. */
export function seenThrough(kind: SlabKind, values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length < values.length || known.length === 0) return null;
  if (kind === "mip") return Math.max(...known);
  if (kind === "minip") return Math.min(...known);
  return Math.round(known.reduce((sum, value) => sum + value, 0) / known.length);
}

/**
 * Project row `v` of the slices `from` <= n < `to` of a plane of `hu` (zyx) into `out`, which holds the whole picture
 * (as `Slice` of the editor has it).
 */
export function projectRow(
  hu: Int16Array,
  shape: Zyx,
  plane: Plane,
  from: number,
  to: number,
  kind: SlabKind,
  v: number,
  out: Int16Array,
): void {
  const [, rows, columns] = shape;
  if (plane === "sagittal") {
    // The voxels of the slab lie side by side in memory.
    for (let row = v * rows; row < (v + 1) * rows; row++)
      out[row] = along(hu, row * columns + from, row * columns + to, kind);
    return;
  }
  const sliceStep = plane === "axial" ? rows * columns : columns;
  const line = out.subarray(v * columns, (v + 1) * columns);
  const sum = new LineSum(kind, line);
  let at = from * sliceStep + v * (plane === "axial" ? columns : rows * columns);
  for (let n = from; n < to; n++, at += sliceStep) sum.add(hu, at);
  sum.end();
}

/**
 * Lines of voxels seen through each other: the brightest, darkest or mean of every column of `line`. Where one voxel of
 * the way is missing, nothing is known of the whole way.
 */
export class LineSum {
  readonly #gone: Uint8Array;
  readonly #sums: Int32Array | null;
  #count = 0;

  constructor(
    private readonly kind: SlabKind,
    private readonly line: Int16Array,
  ) {
    this.#gone = new Uint8Array(line.length);
    this.#sums = kind === "average" ? new Int32Array(line.length) : null;
  }

  /** One more line, from `at` on. */
  add(hu: Int16Array, at: number): void {
    const { line, kind } = this;
    noteMissing(hu, at, this.#gone);
    if (this.#sums) addUp(hu, at, this.#sums);
    else if (this.#count === 0) line.set(hu.subarray(at, at + line.length));
    else if (kind === "mip") takeBrighter(hu, at, line);
    else takeDarker(hu, at, line);
    this.#count++;
  }

  /** Puts the result into the line. */
  end(): void {
    const { line } = this;
    const gone = this.#gone,
      sums = this.#sums,
      count = this.#count;
    if (sums) for (let u = 0; u < line.length; u++) line[u] = Math.round(sums[u]! / count);
    for (let u = 0; u < line.length; u++) if (gone[u]) line[u] = MISSING;
  }
}

function noteMissing(hu: Int16Array, at: number, gone: Uint8Array): void {
  for (let u = 0, n = gone.length; u < n; u++) if (hu[at + u] === MISSING) gone[u] = 1;
}
function addUp(hu: Int16Array, at: number, sums: Int32Array): void {
  for (let u = 0, n = sums.length; u < n; u++) sums[u]! += hu[at + u]!;
}
function takeBrighter(hu: Int16Array, at: number, line: Int16Array): void {
  for (let u = 0, n = line.length; u < n; u++) if (hu[at + u]! > line[u]!) line[u] = hu[at + u]!;
}
function takeDarker(hu: Int16Array, at: number, line: Int16Array): void {
  for (let u = 0, n = line.length; u < n; u++) if (hu[at + u]! < line[u]!) line[u] = hu[at + u]!;
}

function along(hu: Int16Array, from: number, to: number, kind: SlabKind): number {
  let value = hu[from]!;
  if (value === MISSING) return MISSING; // the way lies within one slice
  if (kind === "mip") {
    for (let at = from + 1; at < to; at++) if (hu[at]! > value) value = hu[at]!;
  } else if (kind === "minip") {
    for (let at = from + 1; at < to; at++) if (hu[at]! < value) value = hu[at]!;
  } else {
    for (let at = from + 1; at < to; at++) value += hu[at]!;
    value = Math.round(value / (to - from));
  }
  return value;
}
