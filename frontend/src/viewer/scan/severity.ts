/**
 * How much of the lungs is involved: the extent in % (Yoo et al. 2022: opacity inside the lungs / lungs) and the CT
 * severity score of 0 to 25 (Pan et al., Radiology 2020, as used by Topff et al., PLoS ONE 2023; Francone et al., Eur
 * Radiol 2020 sum the same grades): five lobes, each 0 for none, 1 below 5 %, 2 to 25 %, 3 to 50 %, 4 to 75 %, 5 above.
 * `voxloop.volume.quantities` is the same in Python; tests/vectors/severity.json holds both to it.
 */

import type { Region } from "../../editor/types";
import type { Layer } from "../../ground/contract";
import { msg } from "../../ground/language";

/** Keys of the lobes in a label schema, in the order of the score. */
export const LOBES = [
  "right_upper_lobe",
  "right_middle_lobe",
  "right_lower_lobe",
  "left_upper_lobe",
  "left_lower_lobe",
] as const;

const LIMITS: readonly (readonly [number, number])[] = [
  [25, 2],
  [50, 3],
  [75, 4],
];

export function gradeOf(percent: number): number {
  if (percent === 0) return 0;
  if (percent < 5) return 1;
  return LIMITS.find(([limit]) => percent <= limit)?.[1] ?? 5;
}

export function wordOf(score: number): "none" | "mild" | "moderate" | "severe" {
  return score === 0 ? msg("none") : score <= 5 ? msg("mild") : score <= 14 ? msg("moderate") : msg("severe");
}

/** One segment of the anatomy and what of it is involved. */
export interface Part {
  readonly id: number;
  readonly voxels: number;
  readonly percent: number;
}

export interface Involvement {
  /** % of all that the layer marks; null when it marks nothing. */
  readonly percent: number | null;
  readonly parts: ReadonlyMap<number, Part>;
  /** 0-25; null while the layer has no lobe. */
  readonly score: number | null;
  /** Grades in the order of `LOBES`; null for a lobe that is not there: it counts as 0. */
  readonly grades: readonly (number | null)[];
}

/** `opacities`: the segments of the mask that count. */
export function involvement(
  regions: readonly Region[],
  opacities: ReadonlySet<number>,
  layer: Pick<Layer, "segments"> | null,
): Involvement {
  const parts = new Map<number, Part>();
  let all = 0,
    taken = 0;
  for (const { region, voxels, taken: by } of regions) {
    const here = Object.entries(by).reduce((sum, [segment, n]) => sum + (opacities.has(Number(segment)) ? n : 0), 0);
    parts.set(region, { id: region, voxels, percent: (100 * here) / voxels });
    all += voxels;
    taken += here;
  }
  const grades = LOBES.map((key) => {
    const part = parts.get(layer?.segments.find((s) => s.key === key)?.id ?? -1);
    return part ? gradeOf(part.percent) : null;
  });
  const hasLobes = grades.some((grade) => grade !== null);
  return {
    percent: all ? (100 * taken) / all : null,
    parts,
    grades,
    score: hasLobes ? grades.reduce<number>((sum, g) => sum + (g ?? 0), 0) : null,
  };
}
