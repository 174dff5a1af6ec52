/**
 * Draws on a made-up lesion until the browser has compiled the brush, so that the reader's first stroke is as quick as
 * any.
 */

import { ballRuns, grownRuns, writableByGrowing } from "./brushes";
import { BitVolume } from "./bitvolume";
import { grow } from "./growing";
import { Labelmap } from "./labelmap";
import { invert } from "./runs";
import type { Zyx } from "./types";

const ROUNDS = 12;
const RADIUS_MM = 9;

export function warmUp(): void {
  for (const slice of [2.5, 1.25]) {
    const shape: Zyx = [20, 40, 40],
      spacing: Zyx = [slice, 0.7, 0.7],
      centre: Zyx = [10, 20, 20];
    const labels = new Labelmap(shape);
    const hu = new Int16Array(labels.data.length).fill(-860);
    const input = { shape, spacing, hu, labels: labels.data, limit: new BitVolume(shape), backgroundHu: -860 };
    const writable = writableByGrowing(1, false, []);
    const lesion = ballRuns(input, centre, 6, null, writable, 1, null);
    for (let n = 0; n < lesion.count; n++) hu.fill(-200, lesion.start[n], lesion.start[n]! + lesion.length[n]!);
    // Noise, so that there is something to close and to fill.
    for (let n = 0; n < hu.length; n += 7) hu[n]! -= 300;
    for (let n = 0; n < ROUNDS; n++) {
      const runs = grownRuns(input, grow(input, 1, centre, RADIUS_MM), writable, 1);
      labels.apply(runs, new Set());
      labels.apply(invert(runs), new Set());
    }
  }
}
