/**
 * The lesions that a model proposed, and what the reader made of each. Nothing is kept of it but the strokes: a lesion
 * of which nothing is marked any more was dropped, with whatever tool.
 */

import { amountOf } from "../ground/amount";
import { type Probability, probabilityAt } from "./clickradius";
import { type Component, componentsOf } from "./components";
import { Extent } from "./extent";
import type { Labelmap } from "./labelmap";
import { nearestVoxel, regionOf } from "./lesions";
import { Overlapping } from "./overlap";
import type { SparseMask } from "./sparsemask";
import { ERASED, type Fate, type Ijk, type ProposedLesion, type Zyx, perAxis } from "./types";

/** The parts of an overlay never change, so they are found once. */
const known = new WeakMap<SparseMask, Overlapping>();

/** Connected parts of an overlay, the largest first. */
export function partsOf(overlay: SparseMask): Overlapping {
  const parts = known.get(overlay) ?? new Overlapping(componentsOf(overlay));
  known.set(overlay, parts);
  return parts;
}

/** The proposed lesion under a voxel; -1 for none. */
export function proposedAt(proposed: Overlapping, [, ny, nx]: Zyx, [i, j, k]: Ijk): number {
  return proposed.at((Math.round(k) * ny + Math.round(j)) * nx + Math.round(i));
}

/** What of each proposed lesion is marked now: `any` label, and the `same` as proposed. */
function keptOf(part: Component, labels: Labelmap): { any: number; same: number } {
  let any = 0,
    same = 0;
  part.starts.forEach((start, n) => {
    for (let at = start; at < start + part.lengths[n]!; at++) {
      const label = labels.data[at]!;
      if (label !== 0 && label !== ERASED) any++;
      if (label === part.label) same++;
    }
  });
  return { any, same };
}

/** Proposed lesions whose lesion goes beyond what was proposed now. */
function grownBeyond(proposed: Overlapping, labels: Labelmap): Set<number> {
  const grown = new Set<number>();
  for (const lesion of componentsOf(labels)) {
    const shared = proposed.sharedWith(lesion);
    const inside = [...shared.values()].reduce((sum, voxels) => sum + voxels, 0);
    if (inside < lesion.voxels) for (const part of shared.keys()) grown.add(part);
  }
  return grown;
}

/** Fate of every part; `accepted`: a voxel of each lesion that the reader accepted. */
export function fatesOf(proposed: Overlapping, labels: Labelmap, accepted: readonly Ijk[]): Fate[] {
  const said = new Set(accepted.map((ijk) => proposedAt(proposed, labels.shape, ijk)));
  const grown = grownBeyond(proposed, labels);
  return proposed.parts.map((part, n) => {
    const { any, same } = keptOf(part, labels);
    if (any === 0) return "dropped";
    if (said.has(n)) return "accepted";
    return same < part.voxels || grown.has(n) ? "changed" : "proposed";
  });
}

/** Mean probability of a part, 0…1. */
function confidenceOf(part: Component, [, ny, nx]: Zyx, probability: Probability): number {
  let sum = 0;
  part.starts.forEach((start, n) => {
    const row = Math.floor(start / nx),
      from = start - row * nx;
    for (let x = from; x < from + part.lengths[n]!; x++)
      sum += probabilityAt(probability, Math.floor(row / ny), row % ny, x);
  });
  return sum / part.voxels / 255;
}

/** What never changes of a proposed lesion. */
export type Standing = Omit<ProposedLesion, "fate">;

export function standingOf(
  part: Component,
  shape: Zyx,
  spacing: Zyx,
  probability: Probability | null,
  anatomy: SparseMask | null,
): Standing {
  const extent = new Extent(shape);
  const sum = [0, 0, 0];
  const [, ny, nx] = shape;
  part.starts.forEach((start, n) => {
    const length = part.lengths[n]!,
      row = Math.floor(start / nx);
    extent.add(start, length);
    sum[0]! += Math.floor(row / ny) * length;
    sum[1]! += (row % ny) * length;
    sum[2]! += (start - row * nx + (length - 1) / 2) * length;
  });
  return {
    segment: part.label,
    voxels: part.voxels,
    ml: amountOf(part.voxels, shape, spacing),
    confidence: probability && confidenceOf(part, shape, probability),
    region: anatomy && regionOf(part, anatomy),
    box: extent.box(),
    ijk: nearestVoxel(
      part,
      shape,
      spacing,
      perAxis((axis) => sum[axis]! / part.voxels),
    ),
  };
}
