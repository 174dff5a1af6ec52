/**
 * Where a point does not belong: the region is shared out between that point and those that do belong, by paths through
 * it in which a step costs the more the nearer the region's surface is. So the border falls into the narrows.
 */

import { depthInside } from "./operations/distance";
import type { Ijk, Zyx } from "./types";

/** Costs are whole numbers, so that a round of buckets serves as the queue. */
const SCALE = 256;
/** A point beside the region speaks of its nearest voxel, when that is this near. */
const SNAP_MM = 4;
/** Beyond every distance: more than ever a region's voxels at the highest cost of a step. */
const FAR = 2 ** 31 - 1;

interface Grid {
  readonly shape: Zyx;
  readonly spacing: Zyx;
}

/** The voxels (ascending numbers) that stay with `kept` when `other` does not belong. Points are (i, j, k). */
export function narrows(grid: Grid, voxels: Uint32Array, kept: readonly Ijk[], other: Ijk): Uint32Array {
  if (voxels.length === 0) return voxels;
  const { set, size, positions } = boxOf(grid, voxels);
  const nearest = (ijk: Ijk, mostMm: number): number => {
    const n = nearestTo(grid, voxels, ijk, mostMm);
    return n < 0 ? n : positions[n]!;
  };
  const rival = nearest(other, SNAP_MM);
  if (rival < 0) return voxels;
  // What a box asked for has no point that belongs: its middle stands in.
  const seeds = kept.length ? kept.map((ijk) => nearest(ijk, Infinity)) : [positions[positions.length >> 1]!];
  const owner = shareOut(
    set,
    size,
    grid.spacing,
    seeds.filter((seed) => seed !== rival),
    rival,
  );
  const out = new Uint32Array(voxels.length);
  let count = 0;
  for (let n = 0; n < voxels.length; n++) if (owner[positions[n]!] === 1) out[count++] = voxels[n]!;
  return out.slice(0, count);
}

/** The voxels in a box with one voxel of room, so that every neighbour lies in it; `positions`: of each of them. */
function boxOf(
  { shape: [, ny, nx] }: Grid,
  voxels: Uint32Array,
): { set: Uint8Array; size: Zyx; positions: Uint32Array } {
  let z0 = Infinity,
    z1 = 0,
    y0 = Infinity,
    y1 = 0,
    x0 = Infinity,
    x1 = 0;
  for (const at of voxels) {
    const row = Math.floor(at / nx),
      x = at - row * nx,
      y = row % ny,
      z = Math.floor(row / ny);
    z0 = Math.min(z0, z);
    z1 = Math.max(z1, z);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y);
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x);
  }
  const size: Zyx = [z1 - z0 + 3, y1 - y0 + 3, x1 - x0 + 3];
  const inBox = (at: number): number => {
    const row = Math.floor(at / nx);
    return ((Math.floor(row / ny) - z0 + 1) * size[1] + (row % ny) - y0 + 1) * size[2] + (at - row * nx) - x0 + 1;
  };
  const set = new Uint8Array(size[0] * size[1] * size[2]);
  const positions = new Uint32Array(voxels.length);
  voxels.forEach((at, n) => {
    set[(positions[n] = inBox(at))] = 1;
  });
  return { set, size, positions };
}

/** Which of the voxels lies nearest to a point, of equals the last; -1 where none lies within `mostMm`. */
function nearestTo({ spacing, shape: [, ny, nx] }: Grid, voxels: Uint32Array, [i, j, k]: Ijk, mostMm: number): number {
  let best = -1,
    least = mostMm * mostMm;
  for (let n = 0; n < voxels.length; n++) {
    const row = Math.floor(voxels[n]! / nx);
    const d2 =
      ((voxels[n]! - row * nx - i) * spacing[2]) ** 2 +
      (((row % ny) - j) * spacing[1]) ** 2 +
      ((Math.floor(row / ny) - k) * spacing[0]) ** 2;
    if (d2 <= least) {
      least = d2;
      best = n;
    }
  }
  return best;
}

/**
 * 1 where `seeds` are nearer through the set, 2 where `other` is (of equals the seeds win), 0 where neither reaches.
 */
function shareOut(set: Uint8Array, size: Zyx, spacing: Zyx, seeds: readonly number[], other: number): Uint8Array {
  const cost = depthInside(set, size, spacing);
  for (let at = 0; at < cost.length; at++) if (set[at]) cost[at] = SCALE / Math.max(1, cost[at]!);
  const steps = [1, size[2], size[1] * size[2]];
  const halves = [spacing[2] / 2, spacing[1] / 2, spacing[0] / 2];
  const round = Math.ceil(SCALE * Math.max(...spacing)) + 2;
  // What waits at a distance is a chain of entries, the last one first: nothing is thrown away on the way.
  const heads = new Int32Array(round).fill(-1);
  let positions = new Int32Array(1 << 16),
    nexts = new Int32Array(1 << 16),
    entries = 0;
  const far = new Int32Array(set.length).fill(FAR);
  const owner = new Uint8Array(set.length);
  let waiting = 0;
  const reach = (at: number, distance: number, by: number): void => {
    if (distance > far[at]! || (distance === far[at] && owner[at]! <= by)) return;
    far[at] = distance;
    owner[at] = by;
    if (entries === positions.length) {
      positions = twice(positions);
      nexts = twice(nexts);
    }
    positions[entries] = at;
    nexts[entries] = heads[distance % round]!;
    heads[distance % round] = entries++;
    waiting++;
  };
  for (const seed of seeds) reach(seed, 0, 1);
  reach(other, 0, 2);
  for (let now = 0; waiting > 0; now++) {
    // Every step costs something, so nothing is added to a chain that is walked.
    for (let entry = heads[now % round]!; entry >= 0; entry = nexts[entry]!) {
      const at = positions[entry]!;
      waiting--;
      if (far[at] !== now) continue;
      const by = owner[at]!,
        here = cost[at]!;
      // Six neighbours: millions of steps in a large region, so nothing is made on the way.
      for (let side = 0; side < 6; side++) {
        const axis = side >> 1;
        const next = side & 1 ? at + steps[axis]! : at - steps[axis]!;
        if (set[next] && far[next]! > now)
          reach(next, now + Math.max(1, Math.round(halves[axis]! * (here + cost[next]!))), by);
      }
    }
    heads[now % round] = -1;
  }
  return owner;
}

function twice(array: Int32Array): Int32Array<ArrayBuffer> {
  const out = new Int32Array(2 * array.length);
  out.set(array);
  return out;
}
