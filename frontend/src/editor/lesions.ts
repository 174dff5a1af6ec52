/** What is said about each lesion: size, brightness, where it lies, how much of it the model had. */

import { amountOf } from "../ground/amount";
import type { BitVolume } from "./bitvolume";
import { componentAt, componentsOf, type Component } from "./components";
import { Extent } from "./extent";
import type { Labelmap } from "./labelmap";
import { Overlapping } from "./overlap";
import type { SparseMask } from "./sparsemask";
import { type Ijk, type Lesion, type LesionHistogram, type Zyx, perAxis } from "./types";

const BINS = 96;
/** Lung this far round a lesion is compared with it. */
const ROUND_MM = 15;

/**
 * Voxels that the model marked for each lesion. A part of the model (same segment) belongs to the lesion that it
 * overlaps most; what other lesions share of it counts for them. A lesion that no part overlaps has 0: it is new.
 */
export function modelVoxels(lesions: readonly Component[], model: readonly Component[]): number[] {
  const found = lesions.map(() => 0);
  const overlapping = new Overlapping(lesions);
  for (const part of model) {
    let main = -1,
      most = 0,
      rest = part.voxels;
    for (const [lesion, voxels] of overlapping.sharedWith(part)) {
      if (lesions[lesion]!.label !== part.label) continue;
      if (voxels > most) [main, most] = [lesion, voxels];
      found[lesion]! += voxels;
      rest -= voxels;
    }
    if (main >= 0) found[main]! += rest;
  }
  return found;
}

/** The region of an overlay (lobe, lung) in which most of a lesion lies; null where it lies in none. */
export function regionOf(part: Component, overlay: SparseMask): number | null {
  const [, ny, nx] = overlay.shape;
  const counts = new Uint32Array(256);
  part.starts.forEach((start, n) => {
    const row = Math.floor(start / nx),
      x = start - row * nx;
    for (let dx = 0; dx < part.lengths[n]!; dx++) {
      counts[overlay.at(Math.floor(row / ny), row % ny, x + dx)]!++;
    }
  });
  let best = 0;
  for (let region = 1; region < 256; region++) if (counts[region]! > (best ? counts[best]! : 0)) best = region;
  return best || null;
}

/** HU of the lesion under a voxel, and of the healthy lung round it; null where nothing is marked. */
export function histogramOf(
  labels: Labelmap,
  hu: Int16Array,
  offset: number,
  limit: BitVolume | null,
  spacing: Zyx,
  ijk: Ijk,
): LesionHistogram | null {
  const part = componentAt(labels, ijk);
  if (!part) return null;
  const [, ny, nx] = labels.shape;
  let lo = Infinity,
    hi = -Infinity;
  const extent = new Extent(labels.shape);
  part.starts.forEach((start, n) => {
    extent.add(start, part.lengths[n]!);
    for (let at = start; at < start + part.lengths[n]!; at++) {
      lo = Math.min(lo, hu[at]!);
      hi = Math.max(hi, hu[at]!);
    }
  });
  if (limit) lo = Math.min(lo, -1000 - offset);
  const step = Math.max(1, Math.ceil((hi - lo + 1) / BINS));
  const lesion = new Uint32Array(BINS),
    lung = new Uint32Array(BINS);
  part.starts.forEach((start, n) => {
    for (let at = start; at < start + part.lengths[n]!; at++) lesion[Math.floor((hu[at]! - lo) / step)]!++;
  });
  if (limit) {
    const { z0, z1, y0, y1, x0, x1 } = extent.box(perAxis((axis) => Math.round(ROUND_MM / spacing[axis])));
    for (let z = z0; z < z1; z++) {
      for (let y = y0; y < y1; y++) {
        for (let x = x0, at = (z * ny + y) * nx + x; x < x1; x++, at++) {
          if (labels.data[at] || !limit.has(z, y, x)) continue;
          const bin = Math.floor((hu[at]! - lo) / step);
          if (bin >= 0 && bin < BINS) lung[bin]!++;
        }
      }
    }
  }
  return { lo: lo + offset, step, lesion, lung };
}

/** What a list of lesions says about each part. `hasHu` tells which slices have arrived. */
export function lesionsOf(
  labels: Labelmap,
  spacing: Zyx,
  hu: Int16Array,
  hasHu: (z: number) => boolean,
  offset = 0,
  model: readonly Component[] | null = null,
  anatomy: SparseMask | null = null,
): Lesion[] {
  const [, ny, nx] = labels.shape;
  const ml = amountOf(1, labels.shape, spacing);
  const parts = componentsOf(labels);
  const before = model && modelVoxels(parts, model);
  return parts.map((part, position) => {
    const extent = new Extent(labels.shape);
    let sum = 0,
      known = true;
    let [cz, cy, cx] = [0, 0, 0];
    part.starts.forEach((start, n) => {
      const length = part.lengths[n]!,
        row = Math.floor(start / nx);
      const z = Math.floor(row / ny);
      extent.add(start, length);
      cz += z * length;
      cy += (row % ny) * length;
      cx += (start - row * nx + (length - 1) / 2) * length;
      known &&= hasHu(z);
      for (let at = start; at < start + length; at++) sum += hu[at]!;
    });
    const centre: Zyx = [cz / part.voxels, cy / part.voxels, cx / part.voxels];
    return {
      segment: part.label,
      voxels: part.voxels,
      ml: part.voxels * ml,
      meanHu: known ? sum / part.voxels + offset : null,
      modelMl: before && before[position]! * ml,
      region: anatomy && regionOf(part, anatomy),
      box: extent.box(),
      ijk: nearestVoxel(part, labels.shape, spacing, centre),
    };
  });
}

export function nearestVoxel(part: Component, [, ny, nx]: Zyx, spacing: Zyx, centre: Zyx): Ijk {
  let best: Ijk = [0, 0, 0],
    least = Infinity;
  part.starts.forEach((start, n) => {
    const row = Math.floor(start / nx),
      from = start - row * nx;
    const y = row % ny,
      z = Math.floor(row / ny);
    const x = Math.min(from + part.lengths[n]! - 1, Math.max(from, Math.round(centre[2])));
    const d =
      ((z - centre[0]) * spacing[0]) ** 2 + ((y - centre[1]) * spacing[1]) ** 2 + ((x - centre[2]) * spacing[2]) ** 2;
    if (d < least) {
      least = d;
      best = [x, y, z];
    }
  });
  return best;
}
