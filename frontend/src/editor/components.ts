/** Connected parts of a labelmap (26-connected, one label each), and what is done with them. */

import { BitFrame, type Bits, MARGIN, holesIn } from "./bits";
import { Extent } from "./extent";
import type { Labelmap } from "./labelmap";
import type { Stretches } from "./stretches";
import { RunBuilder, type Runs } from "./runs";
import { ERASED, type Box, type Ijk, type Zyx } from "./types";
import { pushRow, type Writable } from "./brushes";

/** A connected part: stretches within rows, ascending. */
export interface Component {
  readonly label: number;
  readonly voxels: number;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

/**
 * Stretches of the wanted labels, those that chunk borders cut joined again; row r holds rowFirst[r] … rowFirst[r + 1].
 */
interface Found {
  count: number;
  starts: Uint32Array;
  lengths: Uint32Array;
  labels: Uint8Array;
  readonly rowFirst: Int32Array;
}

function stretchesOf(mask: Stretches, wanted: (label: number) => boolean): Found {
  const [nz, ny, nx] = mask.shape;
  const found: Found = {
    count: 0,
    starts: new Uint32Array(1024),
    lengths: new Uint32Array(1024),
    labels: new Uint8Array(1024),
    rowFirst: new Int32Array(nz * ny + 1),
  };
  const accepts = Uint8Array.from({ length: 256 }, (_, label) => Number(wanted(label)));
  let lastRow = -1,
    end = -1;
  mask.forEachStretch((start, length, label) => {
    if (!accepts[label]) return;
    const row = Math.floor(start / nx);
    if (start === end && row === lastRow && found.labels[found.count - 1] === label) {
      found.lengths[found.count - 1]! += length;
      end += length;
      return;
    }
    if (row !== lastRow) {
      found.rowFirst.fill(found.count, lastRow + 1, row + 1);
      lastRow = row;
    }
    if (found.count === found.starts.length) widen(found);
    found.starts[found.count] = start;
    found.lengths[found.count] = length;
    found.labels[found.count++] = label;
    end = start + length;
  });
  found.rowFirst.fill(found.count, lastRow + 1);
  return found;
}

function widen(found: Found): void {
  const twice = <T extends Uint32Array | Uint8Array>(empty: T, array: T): T => {
    empty.set(array);
    return empty;
  };
  found.starts = twice(new Uint32Array(2 * found.count), found.starts);
  found.lengths = twice(new Uint32Array(2 * found.count), found.lengths);
  found.labels = twice(new Uint8Array(2 * found.count), found.labels);
}

/** Joins the stretches of row `row` with those of the same label in row `other` that touch them, corners counted. */
function join(
  { starts, lengths, labels, rowFirst }: Found,
  parents: Int32Array,
  row: number,
  other: number,
  nx: number,
): void {
  const shift = (other - row) * nx;
  const end = rowFirst[row + 1]!,
    otherEnd = rowFirst[other + 1]!;
  let b = rowFirst[other]!;
  for (let a = rowFirst[row]!; a < end; a++) {
    const from = starts[a]! + shift - 1,
      to = from + lengths[a]! + 2;
    while (b < otherEnd && starts[b]! + lengths[b]! <= from) b++;
    for (let n = b; n < otherEnd && starts[n]! < to; n++) {
      if (labels[n] !== labels[a]) continue;
      const p = rootOf(parents, n),
        q = rootOf(parents, a);
      // The earlier one leads, so that the roots come in the order of the voxels.
      if (p < q) parents[q] = p;
      else parents[p] = q;
    }
  }
}

function rootOf(parents: Int32Array, n: number): number {
  while (parents[n] !== n) n = parents[n] = parents[parents[n]!]!;
  return n;
}

/** Every connected part of the labels that `wanted` accepts, the largest first. */
export function componentsOf(
  mask: Stretches,
  wanted: (label: number) => boolean = (label) => label !== ERASED,
): Component[] {
  const [nz, ny, nx] = mask.shape;
  const found = stretchesOf(mask, wanted);
  const { count, starts, lengths, labels, rowFirst } = found;
  const parents = Int32Array.from({ length: count }, (_, n) => n);
  for (let row = 0; row < nz * ny; row++) {
    if (rowFirst[row] === rowFirst[row + 1]) continue;
    const y = row % ny;
    if (y > 0) join(found, parents, row, row - 1, nx);
    if (row < ny) continue;
    for (let dy = y > 0 ? -1 : 0; dy <= (y + 1 < ny ? 1 : 0); dy++) join(found, parents, row, row - ny + dy, nx);
  }
  // Roots precede what hangs on them: one pass numbers the parts and counts their stretches, a second one deals them
  // out.
  const part = new Int32Array(count);
  const sizes: number[] = [],
    voxels: number[] = [],
    roots: number[] = [];
  for (let n = 0; n < count; n++) {
    const root = rootOf(parents, n);
    if (root === n) {
      part[n] = sizes.push(0) - 1;
      voxels.push(0);
      roots.push(n);
    } else part[n] = part[root]!;
    sizes[part[n]!]!++;
    voxels[part[n]!]! += lengths[n]!;
  }
  const parts = sizes.map((size, n) => ({
    label: labels[roots[n]!]!,
    voxels: voxels[n]!,
    starts: new Uint32Array(size),
    lengths: new Uint32Array(size),
  }));
  const filled = new Int32Array(parts.length);
  for (let n = 0; n < count; n++) {
    const one = parts[part[n]!]!,
      slot = filled[part[n]!]!++;
    one.starts[slot] = starts[n]!;
    one.lengths[slot] = lengths[n]!;
  }
  return parts.sort((a, b) => b.voxels - a.voxels);
}

/** The part that holds a voxel, if it lies in one. */
export function componentAt(mask: Stretches, ijk: Ijk): Component | null {
  const at = (ijk[2] * mask.shape[1] + ijk[1]) * mask.shape[2] + ijk[0];
  return (
    componentsOf(mask).find((part) => part.starts.some((start, n) => at >= start && at < start + part.lengths[n]!)) ??
    null
  );
}

/** Runs that set these parts to `value` wherever `writable` allows. */
export function runsOfParts(labels: Labelmap, parts: readonly Component[], writable: Writable, value: number): Runs {
  const out = new RunBuilder();
  const all = parts.flatMap((part) => Array.from(part.starts, (start, n) => [start, part.lengths[n]!] as const));
  for (const [start, length] of all.sort((a, b) => a[0] - b[0]))
    pushRow(out, labels.data, start, start + length, writable, value);
  return out.build();
}

/** Voxels as bits of a box. */
export interface BoxBits {
  readonly frame: BitFrame;
  readonly bits: Bits;
  readonly box: Box;
}

/** The voxels of a mask as bits of the smallest box around them, wider by `room` within the volume; `null` for none. */
export function bitsOf(mask: Stretches, wanted: (label: number) => boolean, room: Zyx = [0, 0, 0]): BoxBits | null {
  const [, ny, nx] = mask.shape;
  const found: [number, number][] = [];
  const extent = new Extent(mask.shape);
  mask.forEachStretch((start, length, label) => {
    if (!wanted(label)) return;
    found.push([start, length]);
    extent.add(start, length);
  });
  if (found.length === 0) return null;
  const box = extent.box(room);
  const frame = new BitFrame(box.z1 - box.z0, box.y1 - box.y0, box.x1 - box.x0);
  const bits = frame.create();
  for (const [start, length] of found) {
    const row = Math.floor(start / nx),
      x = start - row * nx - box.x0;
    frame.setRun(bits, frame.rowOf(Math.floor(row / ny) - box.z0, (row % ny) - box.y0), x, x + length);
  }
  return { frame, bits, box };
}

/** Runs that fill the enclosed holes of a segment. */
export function fillHoles(labels: Labelmap, segment: number, bySlice: boolean, writable: Writable): Runs {
  const found = bitsOf(labels, (label) => label === segment);
  const out = new RunBuilder();
  const holes = found && holesIn(found.frame, found.bits, bySlice);
  if (!found || !holes) return out.build();
  const { frame, box } = found;
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const row = frame.rowOf(z, y);
      const start = labels.indexOf(box.z0 + z, box.y0 + y, box.x0);
      for (let x = 0; x < frame.nx; x++) {
        if ((holes[row + ((x + MARGIN) >>> 5)]! >>> ((x + MARGIN) & 31)) & 1)
          pushRow(out, labels.data, start + x, start + x + 1, writable, segment);
      }
    }
  }
  return out.build();
}
