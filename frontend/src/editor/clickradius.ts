/** The radius of the lesion round a point, from what a flood takes there and from what a model says of it. */

import { MARGIN } from "./bits";
import { type GrowInput, type Grown } from "./growing";
import { perAxis, type Zyx } from "./types";

/** The largest lesion that one point proposes, and the least. */
export const FARTHEST_MM = 35;

export const LEAST_MM = 4;

/** A shell in which less than this share is taken is the edge. */
const THIN_SHARE = 0.3;

/** The model must be this sure (of 255) round the point to be asked at all. */
const LEAST_PROBABILITY = 60;

const NEAR_MM = 4;

/** What the emptiness of the shell counts beside the agreement with the model. */
const SHELL_WEIGHT = 0.5;

/** A model's coarse probability (docs/formats.md), 255 = certain. */
export interface Probability {
  readonly values: Uint8Array;
  readonly shape: Zyx;
  readonly step: Zyx;
}

export interface ClickInput extends GrowInput {
  readonly probability: Probability | null;
}

/** Radius in mm of the lesion round a seed, from what a flood of `FARTHEST_MM` took. */
export function radiusOf(
  input: ClickInput,
  { box, frame, taken }: Grown,
  seed: Zyx,
): { radiusMm: number; source: "model" | "image" } {
  const {
    spacing: [sz, sy, sx],
    probability,
  } = input;
  const shells = FARTHEST_MM;
  const inside = new Float64Array(shells),
    all = new Float64Array(shells),
    sure = new Float64Array(shells);
  const certain = probability ? nearby(probability, input, seed) : 0;
  const model = certain >= LEAST_PROBABILITY ? probability : null;
  if (!frame || !taken) return { radiusMm: LEAST_MM, source: "image" };
  for (let z = box.z0; z < box.z1; z++) {
    const dz = ((z - seed[0]) * sz) ** 2;
    for (let y = box.y0; y < box.y1; y++) {
      const zy = dz + ((y - seed[1]) * sy) ** 2;
      const row = frame.rowOf(z - box.z0, y - box.y0);
      for (let x = box.x0; x < box.x1; x++) {
        const shell = Math.floor(Math.sqrt(zy + ((x - seed[2]) * sx) ** 2));
        if (shell >= shells) continue;
        all[shell]!++;
        const bit = x - box.x0 + MARGIN;
        if (!((taken[row + (bit >>> 5)]! >>> (bit & 31)) & 1)) continue;
        inside[shell]!++;
        if (model) sure[shell]! += Math.min(certain, probabilityAt(model, z, y, x));
      }
    }
  }
  const share = Float64Array.from(inside, (_, n) => {
    let i = 0,
      a = 0;
    for (let m = Math.max(0, n - 1); m <= Math.min(shells - 1, n + 1); m++) {
      i += inside[m]!;
      a += all[m]!;
    }
    return i / Math.max(1, a);
  });
  const shell = model ? agreeing(inside, sure, share, certain) : thinning(share);
  return { radiusMm: shell + 1, source: model ? "model" : "image" };
}

/** The first shell that is nearly empty, or emptier than those after it. */
function thinning(share: Float64Array): number {
  let least = LEAST_MM - 1;
  for (let n = LEAST_MM - 1; n < share.length; n++) {
    if (share[n]! < THIN_SHARE) {
      while (n + 1 < share.length && share[n + 1]! < share[n]!) n++;
      return n;
    }
    if (share[n]! < share[least]!) least = n;
  }
  return least;
}

/** The shell within which region and probability overlap best (a soft Dice) while it is nearly empty itself. */
function agreeing(inside: Float64Array, sure: Float64Array, share: Float64Array, certain: number): number {
  const total = sure.reduce((sum, value) => sum + value, 0) / certain;
  let best = LEAST_MM - 1,
    most = -1,
    voxels = 0,
    both = 0;
  for (let n = 0; n < inside.length; n++) {
    voxels += inside[n]!;
    both += sure[n]! / certain;
    if (n < LEAST_MM - 1) continue;
    const score = (2 * both) / (voxels + total) + SHELL_WEIGHT * (1 - share[n]!);
    if (score > most) {
      most = score;
      best = n;
    }
  }
  return best;
}

export function probabilityAt({ values, shape, step }: Probability, z: number, y: number, x: number): number {
  return values[(Math.floor(z / step[0]) * shape[1] + Math.floor(y / step[1])) * shape[2] + Math.floor(x / step[2])]!;
}

/** How sure the model is round a point: the upper quartile of the ball of 4 mm. */
function nearby(probability: Probability, { shape, spacing }: ClickInput, seed: Zyx): number {
  const found: number[] = [];
  const [rz, ry, rx] = perAxis((axis) => Math.floor(NEAR_MM / spacing[axis]));
  for (let z = Math.max(0, seed[0] - rz); z <= Math.min(shape[0] - 1, seed[0] + rz); z++) {
    for (let y = Math.max(0, seed[1] - ry); y <= Math.min(shape[1] - 1, seed[1] + ry); y++) {
      for (let x = Math.max(0, seed[2] - rx); x <= Math.min(shape[2] - 1, seed[2] + rx); x++) {
        const d2 =
          ((z - seed[0]) * spacing[0]) ** 2 + ((y - seed[1]) * spacing[1]) ** 2 + ((x - seed[2]) * spacing[2]) ** 2;
        if (d2 <= NEAR_MM * NEAR_MM) found.push(probabilityAt(probability, z, y, x));
      }
    }
  }
  found.sort((a, b) => a - b);
  return found[Math.floor(0.75 * (found.length - 1))]!;
}
