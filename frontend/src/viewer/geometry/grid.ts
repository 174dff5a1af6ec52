/** The grid of a scan: its voxels and where they lie in the patient. */

import { perAxis, type Ijk, type Matrix, type Zyx } from "../../editor/types";

export interface GridGeometry {
  readonly shapeZyx: Zyx;
  readonly spacingMmZyx: Zyx;
  readonly lpsFromIjk: Matrix;
}

/** Millimetres in LPS of the middle of a voxel. */
export function lpsOf(geometry: GridGeometry, ijk: Ijk): [number, number, number] {
  return perAxis((axis) => {
    const row = geometry.lpsFromIjk[axis];
    return row[0] * ijk[0] + row[1] * ijk[1] + row[2] * ijk[2] + row[3];
  });
}

/** Grid position (continuous ijk) of the middle of a voxel. */
export const middleOf = (voxel: Ijk): Ijk => [voxel[0] + 0.5, voxel[1] + 0.5, voxel[2] + 0.5];

/** Distance in mm between two grid positions. */
export function distanceMm(geometry: GridGeometry, p: Ijk, q: Ijk): number {
  const [sz, sy, sx] = geometry.spacingMmZyx;
  return Math.hypot((p[0] - q[0]) * sx, (p[1] - q[1]) * sy, (p[2] - q[2]) * sz);
}
