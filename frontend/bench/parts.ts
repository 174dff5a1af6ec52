/** Where the mask of a reader is wrong, part by part. */

import { depthInside } from "../src/editor/operations/distance";
import type { BitVolume } from "../src/editor/bitvolume";
import { type Zyx, perAxis } from "../src/editor/types";

/** A crop round one lesion. `truth` is 1 in it; `lesionHu` is its median. */
export interface Scene {
  readonly shape: Zyx;
  readonly spacing: Zyx;
  readonly hu: Int16Array;
  readonly limit: BitVolume;
  readonly backgroundHu: number;
  readonly truth: Uint8Array;
  readonly lesionHu: number;
}

/** Parts that are wrong are looked at in this number, the largest first, before the reader is content. */
export const PARTS = 4;

export const SEGMENT = 1;

export interface Part {
  readonly missing: boolean;
  readonly places: readonly Zyx[];
  readonly inside: number;
  readonly around: number;
  readonly voxels: number;
}

/**
 * Connected parts of what is missing and of what is too much, the largest first, each with its deepest point and that
 * of its fainter half.
 */
export function wrongParts(scene: Scene, mask: Uint8Array): Part[] {
  const [, ny, nx] = scene.shape;
  const { truth } = scene;
  const kind = new Uint8Array(truth.length);
  for (let at = 0; at < kind.length; at++) {
    const drawn = mask[at] === SEGMENT;
    if (truth[at] && !drawn) kind[at] = 1;
    else if (!truth[at] && drawn) kind[at] = 2;
  }
  const found: { missing: boolean; voxels: number[] }[] = [];
  for (let from = 0; from < kind.length; from++) {
    const wanted = kind[from];
    if (!wanted) continue;
    found.push({ missing: wanted === 1, voxels: takeConnected(kind, from, ny, nx) });
  }
  found.sort((a, b) => b.voxels.length - a.voxels.length);
  return found
    .slice(0, PARTS)
    .map(({ missing, voxels }) => ({ missing, voxels: voxels.length, ...deepest(scene, voxels) }));
}

/** The voxels of one kind that hang together with `from`; they are set to 0. */
function takeConnected(kind: Uint8Array, from: number, ny: number, nx: number): number[] {
  const wanted = kind[from];
  const voxels = [from];
  kind[from] = 0;
  for (let n = 0; n < voxels.length; n++) {
    const at = voxels[n]!,
      x = at % nx,
      y = Math.floor(at / nx) % ny;
    const steps = [
      at - ny * nx,
      at + ny * nx,
      y > 0 ? at - nx : -1,
      y < ny - 1 ? at + nx : -1,
      x > 0 ? at - 1 : -1,
      x < nx - 1 ? at + 1 : -1,
    ];
    for (const step of steps)
      if (step >= 0 && kind[step] === wanted) {
        kind[step] = 0;
        voxels.push(step);
      }
  }
  return voxels;
}

function deepest(
  { shape, spacing, hu }: Scene,
  voxels: readonly number[],
): { places: Zyx[]; inside: number; around: number } {
  const places = voxels.map(
    (at) => [Math.floor(at / (shape[1] * shape[2])), Math.floor(at / shape[2]) % shape[1], at % shape[2]] as const,
  );
  const low = perAxis((axis) => places.reduce((least, place) => Math.min(least, place[axis]), Infinity) - 1);
  const size = perAxis((axis) => places.reduce((most, place) => Math.max(most, place[axis]), 0) - low[axis] + 2);
  const indexOf = (place: Zyx) => ((place[0] - low[0]) * size[1] + place[1] - low[1]) * size[2] + place[2] - low[2];
  const deepestOf = (belongs: (n: number) => boolean): { at: Zyx; inside: number } => {
    const set = new Uint8Array(size[0] * size[1] * size[2]);
    places.forEach((place, n) => {
      if (belongs(n)) set[indexOf(place)] = 1;
    });
    const depth = depthInside(set, size, spacing);
    let at: Zyx = places[0]!,
      inside = 0;
    for (const place of places)
      if (depth[indexOf(place)]! > inside) {
        inside = depth[indexOf(place)]!;
        at = place;
      }
    return { at, inside };
  };
  const { at, inside } = deepestOf(() => true);
  const middleHu = voxels.map((v) => hu[v]!).sort((a, b) => a - b)[voxels.length >> 1]!;
  const fainter = deepestOf((n) => hu[voxels[n]!]! <= middleHu);
  const around = places.reduce(
    (most, place) => Math.max(most, Math.hypot(...perAxis((axis) => (place[axis] - at[axis]) * spacing[axis]))),
    inside,
  );
  return { places: [at, fainter.at], inside, around };
}
