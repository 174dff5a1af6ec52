/**
 * Click-to-segment: a lesion proposed from points. What the brush asks of the reader, the radius, is found here: the
 * region that the first point would grow is looked at shell by shell, and the radius is where it thins out and, with a
 * model's probability at hand, where the model stops to see it. Further points correct: one that belongs adds what lies
 * round it, one that does not cuts the region at its narrows.
 *
 * Chosen among eight variants by Dice after 1 / 2 / 3 / 4 points on 85 phantom lesions (0.3 to 100 mL, a demonstration
 * model trained on five other scans) and the tumour of LIDC-IDRI-0001; the figures stand in docs/adr/0010.
 */

import { MARGIN } from "./bits";
import { grow, type Grown } from "./growing";
import { narrows } from "./narrows";
import { type Box, type ClickPrompt, ERASED, type GrowRefusal, type Ijk, type Zyx } from "./types";
import { FARTHEST_MM, LEAST_MM, type ClickInput, radiusOf, probabilityAt } from "./clickradius";

/** A correcting point reaches this many times as far as it lies from the region. */
const CORRECTION_REACH = 1.5,
  CORRECTION_ROOM_MM = 2;

/** What is proposed: voxel numbers, ascending. `source` tells whether a model's probability had a say. */
export interface Proposal {
  readonly voxels: Uint32Array;
  readonly source: "model" | "image";
  readonly radiusMm: number | null;
  readonly refusal: GrowRefusal | null;
}

const NOTHING = new Uint32Array(0);

const EMPTY: Proposal = { voxels: NOTHING, source: "image", radiusMm: null, refusal: null };

const zyxOf = ([i, j, k]: Ijk): Zyx => [k, j, i];

/** The region that the prompts ask for, in the order in which they were given. Changes nothing. */
export function propose(
  input: ClickInput,
  segment: number,
  prompts: readonly ClickPrompt[],
  box: Box | null,
  tolerance: number,
): Proposal {
  return new Proposals().propose(input, segment, prompts, box, tolerance);
}

/** The same with a memory: every prompt goes on from what those before it gave, and that is kept until `forget`. */
export class Proposals {
  #question = "";
  #prompts: readonly ClickPrompt[] = [];
  /** What box and prompts gave, after 0, 1, 2, … prompts. */
  #regions: Proposal[] = [];

  /** Something that a proposal rests on has changed. */
  forget(): void {
    this.#regions = [];
  }

  propose(
    input: ClickInput,
    segment: number,
    prompts: readonly ClickPrompt[],
    box: Box | null,
    tolerance: number,
  ): Proposal {
    const question = JSON.stringify([segment, box, tolerance, input.limit !== null]);
    if (question !== this.#question) this.forget();
    this.#question = question;
    const same = prompts.findIndex((prompt, n) => JSON.stringify(prompt) !== JSON.stringify(this.#prompts[n]));
    this.#regions.splice((same < 0 ? prompts.length : same) + 1);
    this.#prompts = prompts;
    let region = this.#regions.at(-1);
    if (!region) this.#regions.push((region = box ? fromBox(input, segment, box, tolerance) : EMPTY));
    const known = this.#regions.length - 1;
    for (const [n, prompt] of prompts.slice(known).entries()) {
      const kept = prompts
        .slice(0, known + n + 1)
        .filter(({ belongs }) => belongs)
        .map(({ ijk }) => ijk);
      region = corrected(input, segment, region, prompt, kept, tolerance);
      this.#regions.push(region);
    }
    return region;
  }
}

/** A region after one more prompt; `kept` are the points that belong. */
function corrected(
  input: ClickInput,
  segment: number,
  region: Proposal,
  { ijk, belongs }: ClickPrompt,
  kept: readonly Ijk[],
  tolerance: number,
): Proposal {
  if (!belongs) return { ...region, voxels: narrows(input, region.voxels, kept, ijk) };
  if (region.voxels.length === 0) return fromPoint(input, segment, zyxOf(ijk), tolerance, FARTHEST_MM);
  const reach = Math.max(LEAST_MM, CORRECTION_REACH * distanceTo(input, region.voxels, ijk) + CORRECTION_ROOM_MM);
  const more = fromPoint(input, segment, zyxOf(ijk), tolerance, reach);
  return { ...region, voxels: union(region.voxels, more.voxels), refusal: more.refusal };
}

/** The region of one point, its radius chosen within `mostMm`; nothing where it lies outside the limit. */
function fromPoint(input: ClickInput, segment: number, seed: Zyx, tolerance: number, mostMm: number): Proposal {
  if (input.limit && !input.limit.has(...seed)) return { ...EMPTY, refusal: "outside_limit" };
  // First everything that the brush would flood, as it is; then the brush with the radius that this tells.
  const flooded = grow(input, segment, seed, FARTHEST_MM, { tolerance, openMm: 0, closeMm: 0, fill: false });
  if (flooded.refusal) return { voxels: NOTHING, source: "image", radiusMm: null, refusal: flooded.refusal };
  const { radiusMm, source } = radiusOf(input, flooded, seed);
  const reach = Math.max(LEAST_MM, Math.min(mostMm, radiusMm));
  const grown = grow(input, segment, seed, reach, { tolerance });
  return { voxels: voxelsOf(grown, input.shape), source, radiusMm: reach, refusal: grown.refusal };
}

/** What the brush grows within a box and the limit, from the voxel near its middle that most looks like a finding. */
function fromBox(input: ClickInput, segment: number, box: Box, tolerance: number): Proposal {
  const { spacing, shape } = input;
  const seed = seedOf(input, box);
  if (!seed) return { ...EMPTY, refusal: "outside_limit" };
  const radiusMm =
    0.5 * Math.hypot((box.z1 - box.z0) * spacing[0], (box.y1 - box.y0) * spacing[1], (box.x1 - box.x0) * spacing[2]) +
    1;
  const grown = grow(input, segment, seed, Math.min(2 * FARTHEST_MM, radiusMm), { tolerance });
  const [, ny, nx] = shape;
  const voxels = voxelsOf(grown, shape).filter((at) => {
    const row = Math.floor(at / nx),
      x = at - row * nx,
      y = row % ny,
      z = Math.floor(row / ny);
    return z >= box.z0 && z < box.z1 && y >= box.y0 && y < box.y1 && x >= box.x0 && x < box.x1;
  });
  return { voxels, source: "image", radiusMm: null, refusal: grown.refusal };
}

/**
 * In the middle half of the box: where the model is surest, else the brightest of what is no vessel; ties to the
 * middle. Null where all of it lies outside the limit.
 */
function seedOf({ hu, labels, shape, spacing, limit, probability }: ClickInput, box: Box): Zyx | null {
  const middle: Zyx = [(box.z0 + box.z1 - 1) / 2, (box.y0 + box.y1 - 1) / 2, (box.x0 + box.x1 - 1) / 2];
  const centre = middle.map(Math.round) as unknown as Zyx;
  let best: Zyx | null = !limit || limit.has(...centre) ? centre : null,
    most = -Infinity;
  const [hz, hy, hx] = [(box.z1 - box.z0) / 4, (box.y1 - box.y0) / 4, (box.x1 - box.x0) / 4];
  for (let z = Math.ceil(middle[0] - hz); z <= middle[0] + hz; z++) {
    for (let y = Math.ceil(middle[1] - hy); y <= middle[1] + hy; y++) {
      for (let x = Math.ceil(middle[2] - hx); x <= middle[2] + hx; x++) {
        const at = (z * shape[1] + y) * shape[2] + x;
        if (labels[at] === ERASED || (limit && !limit.has(z, y, x))) continue;
        const far =
          ((z - middle[0]) * spacing[0]) ** 2 +
          ((y - middle[1]) * spacing[1]) ** 2 +
          ((x - middle[2]) * spacing[2]) ** 2;
        const value = 4 * (probability ? probabilityAt(probability, z, y, x) : 0) + Math.min(50, hu[at]!) - 2 * far;
        if (value > most) {
          most = value;
          best = [z, y, x];
        }
      }
    }
  }
  return best;
}

/** Voxel numbers of a grown region, ascending. */
function voxelsOf({ box, frame, taken }: Grown, [, ny, nx]: Zyx): Uint32Array {
  if (!frame || !taken) return NOTHING;
  const found = new Uint32Array(frame.count(taken, frame.whole()));
  let n = 0;
  for (let z = 0; z < frame.nz; z++) {
    for (let y = 0; y < frame.ny; y++) {
      const row = frame.rowOf(z, y),
        base = ((box.z0 + z) * ny + box.y0 + y) * nx + box.x0 - MARGIN;
      for (let w = 0; w < frame.words; w++) {
        for (let word = taken[row + w]!; word !== 0; word &= word - 1)
          found[n++] = base + 32 * w + 31 - Math.clz32(word & -word);
      }
    }
  }
  return found.subarray(0, n);
}

/** Distance in mm from a voxel to the nearest of a region. */
function distanceTo({ shape: [, ny, nx], spacing }: ClickInput, voxels: Uint32Array, [i, j, k]: Ijk): number {
  let least = Infinity;
  for (const at of voxels) {
    const row = Math.floor(at / nx);
    const d2 =
      ((at - row * nx - i) * spacing[2]) ** 2 +
      (((row % ny) - j) * spacing[1]) ** 2 +
      ((Math.floor(row / ny) - k) * spacing[0]) ** 2;
    if (d2 < least) least = d2;
  }
  return Math.sqrt(least);
}

function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length + b.length);
  let n = 0;
  for (let p = 0, q = 0; p < a.length || q < b.length; ) {
    const next = q >= b.length || (p < a.length && a[p]! <= b[q]!) ? a[p]! : b[q]!;
    if (a[p] === next) p++;
    if (b[q] === next) q++;
    out[n++] = next;
  }
  return out.slice(0, n);
}
