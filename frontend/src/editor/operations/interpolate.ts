/**
 * Fills between drawn slices (shape-based interpolation, Raya and Udupa 1990): a drawn shape that the next slice does
 * not continue is joined to the next slice that it overlaps, through the mean of both signed distances.
 */

import { type Component, componentsOf } from "../components";
import { planeOf } from "../geometry";
import type { Labelmap } from "../labelmap";
import type { Plane, Zyx } from "../types";
import { signedDistance } from "./distance";

/** Farther apart than this, two drawn slices are two lesions. */
const MOST_SLICES = 40;

/** The voxels to add, ascending. */
export function voxelsBetween(labels: Labelmap, spacing: Zyx, plane: Plane, segment: number): Uint32Array {
  const { width, height, count, column, row, step } = planeOf(labels.shape, plane);
  const [spacingU, spacingV] =
    plane === "axial"
      ? [spacing[2], spacing[1]]
      : plane === "coronal"
        ? [spacing[2], spacing[0]]
        : [spacing[1], spacing[0]];
  const slices = Array.from({ length: count }, (_, index) => sliceOf(labels, plane, index, segment));
  const found = new Marks(labels.data.length);
  for (let index = 0; index < count; index++) {
    const slice = slices[index];
    if (!slice) continue;
    for (const [other, shapes] of joinsOf(shapesOf(slice, width, height), slices, index)) {
      const from = new Uint8Array(width * height),
        to = new Uint8Array(width * height);
      for (const shape of shapes) fill(from, shape);
      const across = slices[other];
      if (!across) continue;
      const others = shapesOf(across, width, height).filter((shape) => overlaps(shape, from));
      for (const shape of others) fill(to, shape);
      const frame = frameOf([...shapes, ...others], width, height);
      const distance = (filled: Uint8Array): Float64Array =>
        signedDistance(cut(filled, frame, width), frame.width, frame.height, spacingU, spacingV);
      const here = distance(from),
        there = distance(to);
      for (let between = index + 1; between < other; between++) {
        const part = (between - index) / (other - index);
        for (let v = 0, n = 0; v < frame.height; v++) {
          const start = between * step + (frame.v + v) * row + frame.u * column;
          for (let u = 0; u < frame.width; u++, n++) {
            if ((1 - part) * here[n]! + part * there[n]! > 0) found.add(start + u * column);
          }
        }
      }
    }
  }
  return found.list();
}

/** The shapes that end on slice `index`, by the later slice on which each goes on. */
function joinsOf(
  shapes: readonly Component[],
  slices: readonly (Uint8Array | null)[],
  index: number,
): Map<number, Component[]> {
  const joins = new Map<number, Component[]>();
  const end = Math.min(slices.length, index + 1 + MOST_SLICES);
  for (const shape of shapes) {
    const covers = (at: number): boolean => {
      const other = slices[at];
      return other != null && overlaps(shape, other);
    };
    if (index + 1 >= slices.length || covers(index + 1)) continue;
    let other = index + 2;
    while (other < end && !covers(other)) other++;
    if (other < end) joins.set(other, [...(joins.get(other) ?? []), shape]);
  }
  return joins;
}

/** A bit a voxel: where much is to be filled, a list with doubles would not fit. */
class Marks {
  readonly #bits: Uint32Array;
  #count = 0;

  constructor(voxels: number) {
    this.#bits = new Uint32Array(Math.ceil(voxels / 32));
  }

  add(at: number): void {
    const bit = 1 << (at & 31),
      word = at >>> 5;
    if (this.#bits[word]! & bit) return;
    this.#bits[word]! |= bit;
    this.#count++;
  }

  /** Ascending. */
  list(): Uint32Array {
    const out = new Uint32Array(this.#count);
    let n = 0;
    this.#bits.forEach((bits, word) => {
      for (let rest = bits; rest !== 0; rest &= rest - 1) out[n++] = 32 * word + 31 - Math.clz32(rest & -rest);
    });
    return out;
  }
}

interface Frame {
  readonly u: number;
  readonly v: number;
  readonly width: number;
  readonly height: number;
}

/** The part of a slice that holds these shapes, one pixel wider: what lies between them lies in it. */
function frameOf(shapes: readonly Component[], width: number, height: number): Frame {
  let u0 = width,
    u1 = 0,
    v0 = height,
    v1 = 0;
  for (const { starts, lengths } of shapes) {
    // A stretch stays within its row.
    for (let n = 0; n < starts.length; n++) {
      const v = Math.floor(starts[n]! / width),
        u = starts[n]! - v * width;
      u0 = Math.min(u0, u);
      u1 = Math.max(u1, u + lengths[n]!);
      v0 = Math.min(v0, v);
      v1 = Math.max(v1, v + 1);
    }
  }
  u0 = Math.max(0, u0 - 1);
  v0 = Math.max(0, v0 - 1);
  return { u: u0, v: v0, width: Math.min(width, u1 + 1) - u0, height: Math.min(height, v1 + 1) - v0 };
}

function cut(slice: Uint8Array, frame: Frame, width: number): Uint8Array {
  const out = new Uint8Array(frame.width * frame.height);
  for (let v = 0; v < frame.height; v++) {
    const start = (frame.v + v) * width + frame.u;
    out.set(slice.subarray(start, start + frame.width), v * frame.width);
  }
  return out;
}

/** A slice with 1 where the segment is; null where it is nowhere. */
function sliceOf(labels: Labelmap, plane: Plane, index: number, segment: number): Uint8Array | null {
  const { data } = labels.slice(plane, index);
  const first = data.indexOf(segment);
  if (first < 0) return null;
  data.fill(0, 0, first);
  for (let n = first; n < data.length; n++) data[n] = Number(data[n] === segment);
  return data;
}

/** The 8-connected shapes of a slice. */
function shapesOf(slice: Uint8Array, width: number, height: number): Component[] {
  return componentsOf({
    shape: [1, height, width],
    forEachStretch: (visit) => {
      for (let row = 0; row < slice.length; row += width) {
        for (let at = row; at < row + width; at++) {
          if (!slice[at]) continue;
          const start = at;
          while (at < row + width && slice[at]) at++;
          visit(start, at - start, 1);
        }
      }
    },
  });
}

function overlaps({ starts, lengths }: Component, slice: Uint8Array): boolean {
  for (let n = 0; n < starts.length; n++) {
    for (let at = starts[n]!, end = at + lengths[n]!; at < end; at++) if (slice[at]) return true;
  }
  return false;
}

function fill(slice: Uint8Array, { starts, lengths }: Component): void {
  starts.forEach((start, n) => slice.fill(1, start, start + lengths[n]!));
}
