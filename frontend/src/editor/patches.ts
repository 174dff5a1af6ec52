/** What runs would set, as the page shows it: patches of the slices on screen, straight or oblique. */

import { boxLabels, type Cut } from "./cut";
import { rectangleOf, unite } from "./geometry";
import type { Runs } from "./runs";
import type { Box, Plane, SlicePatch, Zyx } from "./types";

/**
 * A slice on screen. With `cut` the plane is oblique, and `index` is the number that the page knows the cut by.
 */
export interface Watched {
  readonly plane: Plane;
  readonly index: number;
  readonly cut?: Cut;
}

/** Voxels of a row, one after another along x. */
interface Stretch {
  readonly z: number;
  readonly y: number;
  readonly x: number;
  readonly length: number;
}

function stretchesOf(runs: Runs, shape: Zyx): Stretch[] {
  const stretches: Stretch[] = [];
  for (let n = 0; n < runs.count; n++) {
    for (let at = runs.start[n]!, left = runs.length[n]!; left > 0; ) {
      const row = Math.floor(at / shape[2]),
        x = at - row * shape[2];
      const length = Math.min(left, shape[2] - x);
      stretches.push({ z: Math.floor(row / shape[1]), y: row % shape[1], x, length });
      at += length;
      left -= length;
    }
  }
  return stretches;
}

/** Patches of those of the slices that the runs reach; data 1 = set. */
export function patchesOf(runs: Runs, shape: Zyx, slices: readonly Watched[]): SlicePatch[] {
  const stretches = stretchesOf(runs, shape);
  let box: Box | null = null;
  for (const { z, y, x, length } of stretches)
    box = unite(box, { z0: z, z1: z + 1, y0: y, y1: y + 1, x0: x, x1: x + length });
  const whole = box;
  if (!whole) return [];
  return slices.flatMap(({ plane, index, cut }) => {
    const patch = cut ? oblique(stretches, whole, cut) : straight(stretches, whole, plane, index);
    return patch ? [{ plane, index, ...patch }] : [];
  });
}

type Patch = Omit<SlicePatch, "plane" | "index">;

function straight(stretches: readonly Stretch[], box: Box, plane: Plane, index: number): Patch | null {
  const part = rectangleOf(box, plane, index);
  if (!part) return null;
  const data = new Uint8Array(part.width * part.height);
  for (const { z, y, x, length } of stretches) {
    if (plane === "sagittal") {
      if (index >= x && index < x + length) data[(z - part.y) * part.width + y - part.x] = 1;
    } else if (plane === "axial" ? z === index : y === index) {
      const from = ((plane === "axial" ? y : z) - part.y) * part.width + x - part.x;
      data.fill(1, from, from + length);
    }
  }
  return { ...part, data };
}

function oblique(stretches: readonly Stretch[], box: Box, cut: Cut): Patch | null {
  const nx = box.x1 - box.x0,
    area = nx * (box.y1 - box.y0);
  const inside = new Uint8Array(area * (box.z1 - box.z0));
  for (const { z, y, x, length } of stretches) {
    const from = (z - box.z0) * area + (y - box.y0) * nx + x - box.x0;
    inside.fill(1, from, from + length);
  }
  return boxLabels((z, y, x) => inside[(z - box.z0) * area + (y - box.y0) * nx + x - box.x0]!, box, cut);
}
