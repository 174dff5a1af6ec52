/** The whole patient from the front, small, as a scout view shows it: the mean along the way from chest to back. */

import type { Zyx } from "../../editor/types";
import { layoutOf, type PlaneLayout } from "./layout";
import type { GridGeometry } from "./grid";

export interface Scout {
  /** How the picture stands: its `down` is the axis that the axial slices follow each other on. */
  readonly layout: PlaneLayout;
  readonly width: number;
  readonly height: number;
  /** One byte a pixel, rows from the head down; made when first asked for, which waits until the images stand. */
  readonly grey: Uint8ClampedArray;
  /** Makes the picture, if nobody has asked for it yet: from then on the preview is not kept for it. */
  settle(): void;
}

/** The plane of the grid that shows the patient from the front. */
export function frontOf(geometry: GridGeometry): PlaneLayout {
  const coronal = layoutOf("coronal", geometry);
  const others = (["axial", "sagittal"] as const).map((plane) => layoutOf(plane, geometry));
  return [coronal, ...others].find(({ name }) => name === "Coronal") ?? coronal;
}

/** From the 8-bit preview (`shape` zyx). Air is black, the densest way through the patient white. */
export function scoutOf(preview: Uint8Array, shape: Zyx, layout: PlaneLayout): Scout {
  const sizes = [shape[2], shape[1], shape[0]] as const;
  let source: Uint8Array | null = preview;
  let made = new Uint8ClampedArray(0);
  const settle = (): void => {
    if (source) made = meanAlong(source, shape, layout);
    source = null;
  };
  return {
    layout,
    width: sizes[layout.right],
    height: sizes[layout.down],
    get grey() {
      settle();
      return made;
    },
    settle,
  };
}

function meanAlong(preview: Uint8Array, shape: Zyx, layout: PlaneLayout): Uint8ClampedArray<ArrayBuffer> {
  const sizes = [shape[2], shape[1], shape[0]] as const,
    steps = [1, shape[2], shape[1] * shape[2]] as const;
  const { right, down, across, flipRight, flipDown } = layout;
  const [width, height, depth] = [sizes[right], sizes[down], sizes[across]];
  const sums = new Float32Array(width * height);
  let low = Infinity,
    high = -Infinity;
  for (let v = 0, p = 0; v < height; v++)
    for (let u = 0; u < width; u++, p++) {
      let at = (flipDown ? height - 1 - v : v) * steps[down] + (flipRight ? width - 1 - u : u) * steps[right];
      for (let n = 0; n < depth; n++, at += steps[across]) sums[p]! += preview[at]!;
      low = Math.min(low, sums[p]!);
      high = Math.max(high, sums[p]!);
    }
  const grey = new Uint8ClampedArray(sums.length);
  if (high > low) for (let p = 0; p < grey.length; p++) grey[p] = ((sums[p]! - low) / (high - low)) * 255;
  return grey;
}
