/** Connected parts of a labelmap (26-connected, one label each), and what is done with them. */

import { BitFrame, MARGIN } from "./bits";
import type { Labelmap, Stretches } from "./labelmap";
import { RunBuilder, type Runs } from "./runs";
import { ERASED, type Box, type Ijk, type Zyx } from "./types";
import { pushRow, type Writable } from "./brushes";

/** A connected part: stretches within rows, ascending. */
export interface Component {
  readonly label: number;
  readonly voxels: number;
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** Every connected part of the labels that `wanted` accepts, the largest first. */
export function componentsOf(mask: Stretches, wanted: (label: number) => boolean = (label) => label !== ERASED): Component[] {
  const [, ny, nx] = mask.shape;
  const starts: number[] = [], lengths: number[] = [], labels: number[] = [], parents: number[] = [];
  const rows = new Map<number, [number, number]>();
  mask.forEachStretch((start, length, label) => {
    if (!wanted(label)) return;
    const last = starts.length - 1;
    const row = Math.floor(start / nx);
    if (last >= 0 && starts[last] + lengths[last] === start && labels[last] === label && Math.floor(starts[last] / nx) === row) {
      lengths[last] += length;
      return;
    }
    const place = rows.get(row);
    if (place) place[1]++;
    else rows.set(row, [starts.length, starts.length + 1]);
    parents.push(starts.length);
    starts.push(start);
    lengths.push(length);
    labels.push(label);
  });
  const rootOf = (n: number): number => {
    while (parents[n] !== n) n = parents[n] = parents[parents[n]];
    return n;
  };
  for (const [row, [first, end]] of rows) {
    const y = row % ny;
    for (const [dz, dy] of [[0, -1], [-1, -1], [-1, 0], [-1, 1]]) {
      if (y + dy < 0 || y + dy >= ny) continue;
      const other = rows.get(row + dz * ny + dy);
      if (!other) continue;
      const shift = (dz * ny + dy) * nx;
      let b = other[0];
      for (let a = first; a < end; a++) {
        const from = starts[a] + shift - 1, to = starts[a] + lengths[a] + shift + 1;
        while (b > other[0] && starts[b - 1] + lengths[b - 1] > from) b--;
        while (b < other[1] && starts[b] + lengths[b] <= from) b++;
        for (let n = b; n < other[1] && starts[n] < to; n++) if (labels[n] === labels[a]) parents[rootOf(n)] = rootOf(a);
      }
    }
  }
  const parts = new Map<number, { label: number; voxels: number; starts: number[]; lengths: number[] }>();
  for (let n = 0; n < starts.length; n++) {
    const root = rootOf(n);
    let part = parts.get(root);
    if (!part) parts.set(root, part = { label: labels[n], voxels: 0, starts: [], lengths: [] });
    part.starts.push(starts[n]);
    part.lengths.push(lengths[n]);
    part.voxels += lengths[n];
  }
  return [...parts.values()].sort((a, b) => b.voxels - a.voxels);
}

/** The part that holds a voxel, if it lies in one. */
export function componentAt(mask: Stretches, ijk: Ijk): Component | null {
  const at = (ijk[2] * mask.shape[1] + ijk[1]) * mask.shape[2] + ijk[0];
  return componentsOf(mask).find((part) => part.starts.some((start, n) => at >= start && at < start + part.lengths[n])) ?? null;
}

/** Runs that set these parts to `value` wherever `writable` allows. */
export function runsOfParts(labels: Labelmap, parts: readonly Component[], writable: Writable, value: number): Runs {
  const out = new RunBuilder();
  const all = parts.flatMap((part) => part.starts.map((start, n) => [start, part.lengths[n]]));
  for (const [start, length] of all.sort((a, b) => a[0] - b[0])) pushRow(out, labels.data, start, start + length, writable, value);
  return out.build();
}

/** The voxels of a mask as bits of the smallest box around them, wider by `room` within the volume; `null` for none. */
export function bitsOf(mask: Stretches, wanted: (label: number) => boolean, room: Zyx = [0, 0, 0]): { readonly frame: BitFrame; bits: Int32Array; readonly box: Box } | null {
  const [nz, ny, nx] = mask.shape;
  const found: [number, number][] = [];
  let z0 = Infinity, z1 = -1, y0 = Infinity, y1 = -1, x0 = Infinity, x1 = -1;
  mask.forEachStretch((start, length, label) => {
    if (!wanted(label)) return;
    found.push([start, length]);
    const row = Math.floor(start / nx), x = start - row * nx, y = row % ny, z = Math.floor(row / ny);
    z0 = Math.min(z0, z); z1 = Math.max(z1, z + 1); y0 = Math.min(y0, y); y1 = Math.max(y1, y + 1);
    x0 = Math.min(x0, x); x1 = Math.max(x1, x + length);
  });
  if (found.length === 0) return null;
  const box = {
    z0: Math.max(0, z0 - room[0]), z1: Math.min(nz, z1 + room[0]), y0: Math.max(0, y0 - room[1]), y1: Math.min(ny, y1 + room[1]),
    x0: Math.max(0, x0 - room[2]), x1: Math.min(nx, x1 + room[2]),
  };
  const frame = new BitFrame(box.z1 - box.z0, box.y1 - box.y0, box.x1 - box.x0);
  const bits = frame.create();
  for (const [start, length] of found) {
    const row = Math.floor(start / nx), x = start - row * nx - box.x0;
    frame.setRun(bits, frame.rowOf(Math.floor(row / ny) - box.z0, (row % ny) - box.y0), x, x + length);
  }
  return { frame, bits, box };
}

/** Runs that fill the enclosed holes of a segment. */
export function fillHoles(labels: Labelmap, segment: number, bySlice: boolean, writable: Writable): Runs {
  const found = bitsOf(labels, (label) => label === segment);
  const out = new RunBuilder();
  const holes = found?.frame.holes(found.bits, bySlice);
  if (!found || !holes) return out.build();
  const { frame, box } = found;
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const row = frame.rowOf(z, y);
      const start = labels.indexOf(box.z0 + z, box.y0 + y, box.x0);
      for (let x = 0; x < frame.nx; x++) {
        if ((holes[row + ((x + MARGIN) >>> 5)] >>> ((x + MARGIN) & 31)) & 1) pushRow(out, labels.data, start + x, start + x + 1, writable, segment);
      }
    }
  }
  return out.build();
}
