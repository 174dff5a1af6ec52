/** Regions of disagreement: connected parts of runs whose two labels are two versions of a mask. */

import { RunBuilder, type Runs } from "./runs";
import type { Box, Ijk, Zyx } from "./types";

/** A connected part in which two versions of a mask disagree; the labels are the commonest of each. */
export interface Disagreement {
  readonly voxels: number;
  readonly ml: number;
  readonly box: Box;
  readonly ijk: Ijk;
  readonly mine: number;
  readonly theirs: number;
}

/** Whose version holds: in every region, or region by region in the order of `disagreements`. */
export type Keep = "mine" | "theirs" | readonly ("mine" | "theirs")[];

/**
 * The number of the part each run belongs to, 0 … count − 1 in the order of their first voxels; 26-connected. Runs lie
 * within one row each (`splitRows`). Union-find over rows: the cost goes with the runs, not with the voxels between
 * them.
 */
export function partsOf(runs: Runs, [, ny, nx]: Zyx): { part: Uint32Array; count: number } {
  const parent = Uint32Array.from({ length: runs.count }, (_, n) => n);
  const root = (n: number): number => {
    while (parent[n] !== n) n = parent[n] = parent[parent[n]!]!;
    return n;
  };
  const rows = new Map<number, number[]>();
  for (let n = 0; n < runs.count; n++) {
    const row = Math.floor(runs.start[n]! / nx);
    const known = rows.get(row);
    if (known) known.push(n);
    else rows.set(row, [n]);
  }
  const joins = (row: number, other: number): void => {
    const mine = rows.get(row),
      theirs = rows.get(other);
    if (!mine || !theirs) return;
    for (const a of mine) {
      const a0 = runs.start[a]! - row * nx,
        a1 = a0 + runs.length[a]!;
      for (const b of theirs) {
        const b0 = runs.start[b]! - other * nx,
          b1 = b0 + runs.length[b]!;
        if (b0 > a1) break;
        if (b1 >= a0) parent[Math.max(root(a), root(b))] = Math.min(root(a), root(b));
      }
    }
  };
  for (const row of rows.keys()) {
    const y = row % ny;
    joins(row, row);
    if (y > 0) joins(row, row - 1);
    joins(row, row - ny);
    if (y > 0) joins(row, row - ny - 1);
    if (y < ny - 1) joins(row, row - ny + 1);
  }
  const names = new Map<number, number>();
  const part = new Uint32Array(runs.count);
  for (let n = 0; n < runs.count; n++) {
    const found = root(n);
    const name = names.get(found) ?? names.size;
    names.set(found, name);
    part[n] = name;
  }
  return { part, count: names.size };
}

/** The same runs, none over the end of a row. */
export function splitRows(runs: Runs, nx: number): Runs {
  const out = { start: [] as number[], length: [] as number[], before: [] as number[], after: [] as number[] };
  for (let n = 0; n < runs.count; n++) {
    for (let at = runs.start[n]!, end = at + runs.length[n]!; at < end; ) {
      const to = Math.min(end, (Math.floor(at / nx) + 1) * nx);
      out.start.push(at);
      out.length.push(to - at);
      out.before.push(runs.before[n]!);
      out.after.push(runs.after[n]!);
      at = to;
    }
  }
  return {
    count: out.start.length,
    start: Uint32Array.from(out.start),
    length: Uint32Array.from(out.length),
    before: Uint8Array.from(out.before),
    after: Uint8Array.from(out.after),
  };
}

/** The regions of runs from my labels (`before`) to theirs (`after`), in the order of `partsOf`. */
export function disagreementsOf(runs: Runs, shape: Zyx, voxelMl: number): Disagreement[] {
  const rows = splitRows(runs, shape[2]);
  const { part, count } = partsOf(rows, shape);
  const found = Array.from({ length: count }, () => ({
    voxels: 0,
    box: { z0: Infinity, z1: 0, y0: Infinity, y1: 0, x0: Infinity, x1: 0 } as Box,
    mine: new Map<number, number>(),
    theirs: new Map<number, number>(),
    longest: 0,
    ijk: [0, 0, 0] as Ijk,
  }));
  for (let n = 0; n < rows.count; n++) {
    const region = found[part[n]!]!;
    const row = Math.floor(rows.start[n]! / shape[2]),
      x = rows.start[n]! % shape[2],
      y = row % shape[1],
      z = Math.floor(row / shape[1]),
      length = rows.length[n]!;
    region.voxels += length;
    region.mine.set(rows.before[n]!, (region.mine.get(rows.before[n]!) ?? 0) + length);
    region.theirs.set(rows.after[n]!, (region.theirs.get(rows.after[n]!) ?? 0) + length);
    const { box } = region;
    region.box = {
      z0: Math.min(box.z0, z),
      z1: Math.max(box.z1, z + 1),
      y0: Math.min(box.y0, y),
      y1: Math.max(box.y1, y + 1),
      x0: Math.min(box.x0, x),
      x1: Math.max(box.x1, x + length),
    };
    if (length > region.longest) {
      region.longest = length;
      region.ijk = [x + (length >> 1), y, z];
    }
  }
  const most = (counts: Map<number, number>): number => [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  return found.map(({ voxels, box, mine, theirs, ijk }) => ({
    voxels,
    ml: voxels * voxelMl,
    box,
    mine: most(mine),
    theirs: most(theirs),
    ijk,
  }));
}

/** Runs that set, in the chosen regions, their label over what is there now. */
export function takeTheirs(runs: Runs, shape: Zyx, theirs: (region: number) => boolean, labels: Uint8Array): Runs {
  const rows = splitRows(runs, shape[2]);
  const { part } = partsOf(rows, shape);
  const out = new RunBuilder();
  for (let n = 0; n < rows.count; n++) {
    if (!theirs(part[n]!)) continue;
    for (let at = rows.start[n]!; at < rows.start[n]! + rows.length[n]!; at++)
      out.push(at, 1, labels[at]!, rows.after[n]!);
  }
  return out.build();
}
