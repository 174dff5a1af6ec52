/** Labels where a plane that stands askew in the volume cuts them. */

import type { Zyx } from "./types";

type Step = readonly [x: number, y: number, z: number];

/** A raster over such a plane: where the middle of pixel (0, 0) lies in voxels (a voxel's middle at +0.5), and how far the next column and row are. */
export interface Cut { readonly start: Step; readonly column: Step; readonly row: Step; readonly width: number; readonly height: number }

/** Each pixel has the label of the voxel that its middle lies in, 0 outside. */
export function cutLabels(at: (z: number, y: number, x: number) => number, [nz, ny, nx]: Zyx, { start, column, row, width, height }: Cut): Uint8Array {
  const out = new Uint8Array(width * height);
  let p = 0;
  for (let b = 0; b < height; b++) {
    let x = start[0] + b * row[0], y = start[1] + b * row[1], z = start[2] + b * row[2];
    for (let a = 0; a < width; a++, p++, x += column[0], y += column[1], z += column[2]) {
      if (x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz) out[p] = at(z | 0, y | 0, x | 0);
    }
  }
  return out;
}
