/** Where readers disagree on a slice: for every share of them that marks a pixel, the outline of those pixels. */

import { loopsOf, pathOf } from "../geometry/contour";

export interface Heat {
  readonly path: Path2D;
  readonly colour: string;
  readonly strength: number;
}

/** How many of the slices mark each pixel (255 is erased and counts as nothing). */
export function votes(slices: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(slices[0]?.length ?? 0);
  for (const slice of slices)
    for (let n = 0; n < out.length; n++) if (slice[n] !== 0 && slice[n] !== 255) out[n] = (out[n] ?? 0) + 1;
  return out;
}

/** The heat of a slice: nothing where all agree, warmest where they are divided in halves. */
export function heatOf(
  slices: readonly Uint8Array[],
  width: number,
  height: number,
  scale: { a: number; b: number },
): Heat[] {
  const counted = votes(slices);
  const heats: Heat[] = [];
  for (let n = 1; n < slices.length; n++) {
    if (!counted.includes(n)) continue;
    const share = n / slices.length,
      strength = 4 * share * (1 - share);
    heats.push({
      path: pathOf(loopsOf(counted, width, height, n), scale),
      colour: `hsl(${Math.round(52 * (1 - strength))} 100% 52%)`,
      strength,
    });
  }
  return heats;
}
