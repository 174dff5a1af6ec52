/**
 * What the page keeps of an axial slice of the mask: the part that holds labels, and figures that need limit and
 * overlay. The page asks for all slices whenever the mask is new: memory is taken for what is marked, not for slices.
 */

import type { BitVolume } from "./bitvolume";
import type { Labelmap } from "./labelmap";
import type { SparseMask } from "./sparsemask";
import { ERASED, type SliceFacts, type SlicePart } from "./types";

const isMarked = (label: number): boolean => label !== 0 && label !== ERASED;

/** `limit`, `other`: null where there is none to compare with. */
export function sliceFacts(labels: Labelmap, z: number, limit: BitVolume | null, other: SparseMask | null): SliceFacts {
  const data = labels.axial(z);
  const { theirs, both } = sharedWith(other, data, z, labels.indexOf(z, 0, 0));
  const marked = labels.holdsIn(z) ? markedIn(data) : 0;
  const changes = { added: other ? marked - both : 0, removed: theirs - both };
  if (marked === 0)
    return { labels: null, rows: null, columns: null, marked, outside: 0, firstOutside: -1, ...changes };
  const [, height, width] = labels.shape;
  const rows = new Uint16Array(height),
    columns = new Uint16Array(width);
  let outside = 0,
    firstOutside = -1;
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      if (!isMarked(data[p]!)) continue;
      rows[y]!++;
      columns[x]!++;
      if (limit && !limit.has(z, y, x)) {
        if (!outside) firstOutside = p;
        outside++;
      }
    }
  return { labels: partOf(data, width), rows, columns, marked, outside, firstOutside, ...changes };
}

/** The rectangle that holds every label of a slice, which has one at least; a copy. */
function partOf(data: Uint8Array, columns: number): SlicePart {
  let x0 = columns,
    x1 = 0,
    y0 = -1,
    y1 = 0;
  for (let row = 0, y = 0; row < data.length; row += columns, y++) {
    let first = 0;
    while (first < columns && !data[row + first]) first++;
    if (first === columns) continue;
    let last = columns - 1;
    while (!data[row + last]) last--;
    if (y0 < 0) y0 = y;
    y1 = y;
    x0 = Math.min(x0, first);
    x1 = Math.max(x1, last);
  }
  const width = x1 - x0 + 1,
    height = y1 - y0 + 1;
  const part = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (y0 + y) * columns + x0;
    part.set(data.subarray(from, from + width), y * width);
  }
  return { x: x0, y: y0, width, height, data: part };
}

function markedIn(data: Uint8Array): number {
  let marked = 0;
  for (let p = 0; p < data.length; p++) if (isMarked(data[p]!)) marked++;
  return marked;
}

/** Voxels of a slice that another mask has, and those that both have. `start`: the number of its first voxel. */
function sharedWith(
  other: SparseMask | null,
  data: Uint8Array,
  z: number,
  start: number,
): { theirs: number; both: number } {
  let theirs = 0,
    both = 0;
  other?.forEachStretch(
    (from, length) => {
      theirs += length;
      for (let p = from - start; p < from - start + length; p++) if (isMarked(data[p]!)) both++;
    },
    z,
    z + 1,
  );
  return { theirs, both };
}
