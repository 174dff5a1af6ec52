/** A labelmap as a file that every other tool reads: NIfTI-1, gzipped, on the scan's own grid. */

import { gzip } from "./message";
import { type AxisIndex, ERASED, type Matrix, type Zyx } from "./types";

const HEADER = 352;

/**
 * Labels (uint8, zyx) as `.nii.gz`: voxel order i fastest, affine in RAS (sform), erased voxels as
 * background. `lpsFromIjk` is 4 × 4. Source: the NIfTI-1 header, nifti1.h.
 */
export async function niftiOf(labels: Uint8Array, shapeZyx: Zyx, lpsFromIjk: Matrix): Promise<Uint8Array> {
  const bytes = new Uint8Array(HEADER + labels.length);
  const view = new DataView(bytes.buffer);
  const [nz, ny, nx] = shapeZyx;
  view.setInt32(0, 348, true);
  [3, nx, ny, nz, 1, 1, 1, 1].forEach((n, at) => view.setInt16(40 + 2 * at, n, true));
  view.setInt16(70, 2, true); // uint8
  view.setInt16(72, 8, true);
  const [left, posterior, superior] = lpsFromIjk;
  const ras = [left.map((v) => -v), posterior.map((v) => -v), superior];
  const length = (column: AxisIndex): number => Math.hypot(left[column], posterior[column], superior[column]);
  [1, length(0), length(1), length(2), 1, 1, 1, 1].forEach((v, at) => view.setFloat32(76 + 4 * at, v, true));
  view.setFloat32(108, HEADER, true);
  view.setFloat32(112, 1, true);
  bytes[123] = 2; // millimetres
  view.setInt16(254, 1, true);
  ras.forEach((row, axis) => row.forEach((v, at) => view.setFloat32(280 + 16 * axis + 4 * at, v, true)));
  bytes.set(new TextEncoder().encode("n+1\0"), 344);
  for (let n = 0; n < labels.length; n++) if (labels[n] !== ERASED) bytes[HEADER + n] = labels[n]!;
  return gzip(bytes);
}
